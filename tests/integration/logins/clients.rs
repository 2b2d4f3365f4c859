//! Real clients that log in, wherever that is, and tell who they became.

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};
use testkit::python;
use testkit::server::auth::{CODE, PASSWORD, PROXY_NAME};

/// A real client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// The `mariadb` command line: MariaDB's C library with its plugins.
    CommandLine,
    /// PyMySQL.
    PyMySql,
    /// The Rust crate `mysql`.
    Rust,
}

/// All of them.
pub const ALL: [Client; 3] = [Client::CommandLine, Client::PyMySql, Client::Rust];

/// Where a server or a proxy listens.
#[derive(Debug, Clone)]
pub enum Place {
    /// A port of 127.0.0.1.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{}", address.port()),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

/// What a client is told to do.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    user: &'a str,
    password: &'a str,
    key: Option<&'a Path>,
}

impl<'a> Wish<'a> {
    /// To be `user`, with the password that all accounts have.
    pub fn new(user: &'a str) -> Self {
        Self { user, password: PASSWORD, key: None }
    }

    /// With another password.
    pub fn password(mut self, password: &'a str) -> Self {
        self.password = password;
        self
    }

    /// With the server's public key at hand.
    pub fn key(mut self, file: &'a Path) -> Self {
        self.key = Some(file);
        self
    }

    /// Logs in and returns the text of `SELECT CURRENT_USER()`, or of the client's error.
    pub fn come_true(&self, client: Client, place: &Place) -> Result<String, String> {
        match client {
            Client::CommandLine => self.command_line(place),
            Client::PyMySql => self.pymysql(place),
            Client::Rust => self.rust(place),
        }
    }

    fn command_line(&self, place: &Place) -> Result<String, String> {
        assert!(self.key.is_none(), "the command line has no option for a key");
        let mut command = Command::new("mariadb");
        command.arg("--no-defaults");
        match place {
            Place::Tcp(_) => command.args(["--protocol=tcp", "--host=127.0.0.1", "--port"]),
            Place::Unix(_) => command.args(["--protocol=socket", "--socket"]),
        };
        command
            .arg(place.to_string())
            .args(["--skip-ssl", "--skip-secure-auth", "--batch", "--skip-column-names"])
            .args([&format!("--user={}", self.user), &format!("--password={}", self.password)])
            .args(["--execute", "SELECT CURRENT_USER()"]);
        // Its `dialog` shows the questions before the answers of a file.
        let said = said(command, &format!("{CODE}\n{PROXY_NAME}\n"))?;
        Ok(said.rsplit([' ', '\n']).next().unwrap_or_default().to_owned())
    }

    fn pymysql(&self, place: &Place) -> Result<String, String> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/pymysql_login.py");
        let mut command = Command::new(python::interpreter());
        command.arg(program).arg(place.to_string());
        command.args([self.user, self.password, CODE, PROXY_NAME]);
        if let Some(file) = self.key {
            command.arg("--key").arg(file);
        }
        said(command, "")
    }

    fn rust(&self, place: &Place) -> Result<String, String> {
        let options = OptsBuilder::new()
            .prefer_socket(false)
            .user(Some(self.user))
            .pass(Some(self.password))
            .secure_auth(false)
            .enable_cleartext_plugin(true)
            .server_key_path(self.key.map(Path::to_owned));
        let options = match place {
            Place::Tcp(address) => {
                options.ip_or_hostname(Some("127.0.0.1")).tcp_port(address.port())
            }
            Place::Unix(path) => options.socket(Some(path.to_str().expect("a path in UTF-8"))),
        };
        let who = Conn::new(options).and_then(|mut conn| {
            let who: Option<String> = conn.query_first("SELECT CURRENT_USER()")?;
            Ok(who.unwrap_or_default())
        });
        who.map_err(|error| error.to_string())
    }
}

/// Runs a command with this standard input, and returns what it said: its output, or as an error
/// what it complained about.
fn said(mut command: Command, input: &str) -> Result<String, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the client starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A client that asks nothing does not read.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the client ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if status.success() { Ok(text(&stdout)) } else { Err(text(&stderr)) }
}
