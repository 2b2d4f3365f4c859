//! A proxy in front of a server with TLS, and clients that tell which sides of their session have it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::host::builder::Builder;
use testkit::mariadb::{PASSWORD, USER};
use testkit::{Host, Issued, MariaDb, python};

/// The server with TLS.
pub fn secure() -> &'static MariaDb {
    &MariaDb::shared_with_tls().0
}

/// The CA that signed its certificate, and whose client certificates it takes.
pub fn ca() -> &'static Issued {
    &MariaDb::shared_with_tls().1
}

/// A proxy in front of the server with TLS.
pub fn proxy() -> Builder {
    Host::builder().backend(secure().address())
}

/// Sets options that name files.
pub trait Files {
    /// Names a certificate and its key.
    fn certificate(self, options: [&str; 2], issued: &Issued) -> Self;
    /// Names a CA.
    fn ca(self, option: &str, ca: &Issued) -> Self;
}

impl Files for Builder {
    fn certificate(self, [certificate, key]: [&str; 2], issued: &Issued) -> Self {
        self.option(certificate, issued.certificate().display()).option(key, issued.key().display())
    }

    fn ca(self, option: &str, ca: &Issued) -> Self {
        self.option(option, ca.certificate().display())
    }
}

/// The options of the certificate for clients.
pub const FOR_CLIENTS: [&str; 2] = ["pyproxy-tls-cert", "pyproxy-tls-key"];
/// The options of the certificate that servers are shown.
pub const FOR_SERVERS: [&str; 2] = ["pyproxy-backend-tls-cert", "pyproxy-backend-tls-key"];

/// Which sides of a session have TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// Between client and proxy.
    pub client: bool,
    /// Between proxy and server.
    pub server: bool,
}

/// Both.
pub const BOTH: Sides = Sides { client: true, server: true };
/// Neither.
pub const NEITHER: Sides = Sides { client: false, server: false };

/// Runs the `mariadb` command line as the test user.
pub fn command_line(address: SocketAddr, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("mariadb");
    command
        .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"])
        .arg(format!("--port={}", address.port()))
        .args([&format!("--user={USER}"), &format!("--password={PASSWORD}")])
        .args(["--batch", "--skip-column-names"])
        .args(arguments);
    said(command)
}

/// Which sides have TLS if the command line is run with these arguments; or what it complains about.
pub fn sides(address: SocketAddr, arguments: &[&str]) -> Result<Sides, String> {
    let question = ["--execute", "status; SHOW SESSION STATUS LIKE 'Ssl_version'"];
    let said = command_line(address, &[arguments, &question].concat())?;
    let client = said.lines().find(|line| line.starts_with("SSL:")).expect("the status");
    let server = said.lines().find_map(|line| line.strip_prefix("Ssl_version"));
    let server = server.expect("the server's status").trim();
    assert!(["", "TLSv1.2", "TLSv1.3"].contains(&server), "{said}");
    Ok(Sides { client: client.contains("Cipher in use"), server: !server.is_empty() })
}

/// The same with PyMySQL: the versions on both sides.
pub fn pymysql(address: SocketAddr, arguments: &[&str]) -> Result<String, String> {
    let mut command = python_client("pymysql_tls.py");
    command.args([&address.port().to_string(), USER, PASSWORD]).args(arguments);
    said(command)
}

/// A Python program of `tests/clients`.
pub fn python_client(name: &str) -> Command {
    let mut command = Command::new(python::interpreter());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name));
    command
}

/// What a command said: its output, or as an error what it complained about.
pub fn said(mut command: Command) -> Result<String, String> {
    let Output { status, stdout, stderr } = command.output().expect("the client starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if status.success() { Ok(text(&stdout)) } else { Err(text(&stderr)) }
}

/// An argument that names a file.
pub fn naming(option: &str, file: PathBuf) -> String {
    format!("{option}={}", file.display())
}

/// Asserts that something failed, and that the text says so.
pub fn assert_fails<T: std::fmt::Debug>(result: Result<T, String>, text: &str) {
    match result {
        Err(said) => assert!(said.contains(text), "{text:?} expected: {said}"),
        Ok(value) => panic!("{text:?} expected: {value:?}"),
    }
}
