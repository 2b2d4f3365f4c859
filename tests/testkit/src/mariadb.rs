//! A private MariaDB server: own datadir, loopback only, free port, gone after the test.
//!
//! Uses `mariadbd` and `mariadb-install-db` of Debian's `mariadb-server`. The system tables are
//! made once and kept as a template in the target folder, since that takes longer than a start.
//!
//! `PYPROXY_TEST_SERVER` names another server: a folder that `scripts/servers.sh` made, such as
//! `target/servers/mysql`. Tests of what MySQL does not have begin with [`MariaDb::lacks`].

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use crate::artifacts::cache_dir;
use crate::certificates::Issued;
use crate::client::RawClient;
use crate::client::answer::Answer;
use crate::client::login::Login;
use crate::ports::free_port;
use crate::process::{self, describe};
use crate::scratch::{ScratchDir, kill_at_exit};
use crate::wait::{PATIENCE, eventually};

/// The test user, who may do everything.
pub const USER: &str = "u";
/// The password of [`USER`].
pub const PASSWORD: &str = "secret";
/// A database that exists.
pub const DATABASE: &str = "test";

/// What every start makes sure of. One statement per line (`--init-file`).
const INIT_SQL: &str = "\
CREATE DATABASE IF NOT EXISTS test;
CREATE USER IF NOT EXISTS 'u'@'%' IDENTIFIED BY 'secret';
GRANT ALL ON *.* TO 'u'@'%' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS 'root'@'127.0.0.1';
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
";

/// A running server.
#[derive(Debug)]
pub struct MariaDb {
    dir: ScratchDir,
    port: u16,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl MariaDb {
    /// The server that all tests of this process share; started at the first call, ended with the
    /// process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<MariaDb> = OnceLock::new();
        SHARED.get_or_init(|| {
            let server = Self::start();
            kill_at_exit(server.child.as_ref().expect("it was just started").id());
            server
        })
    }

    /// The server with TLS that all tests of this process share, and the CA that signed its certificate, which is for
    /// 127.0.0.1. It trusts client certificates of that CA.
    pub fn shared_with_tls() -> &'static (Self, Issued) {
        static SHARED: OnceLock<(MariaDb, Issued)> = OnceLock::new();
        SHARED.get_or_init(|| {
            let ca = Issued::ca("ca of the tests");
            let certificate = ca.issue("db", Some("127.0.0.1"));
            let server = Self::start_with_tls(&certificate, &ca);
            kill_at_exit(server.child.as_ref().expect("it was just started").id());
            (server, ca)
        })
    }

    /// Starts a server with this certificate, which trusts client certificates of `ca`.
    pub fn start_with_tls(certificate: &Issued, ca: &Issued) -> Self {
        let option = |name: &str, file: PathBuf| format!("--{name}={}", file.display());
        Self::start_with(&[
            &option("ssl-cert", certificate.certificate()),
            &option("ssl-key", certificate.key()),
            &option("ssl-ca", ca.certificate()),
        ])
    }

    /// Starts a server of the test's own, for tests that stop it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`MariaDb::start`], with further options of `mariadbd`, which win over this kit's own.
    pub fn start_with(options: &[&str]) -> Self {
        let dir = ScratchDir::new("mariadb");
        let data = dir.file("data");
        let copied = Command::new("cp")
            .args(["-a", "--reflink=auto", "--sparse=always"])
            .arg(template())
            .arg(&data)
            .status()
            .expect("cp starts");
        assert!(copied.success(), "the template of the datadir is copied");
        let arguments = options.iter().map(|&option| option.to_owned()).collect();
        let mut server = Self { dir, port: free_port(), arguments, child: None };
        server.start_again();
        server
    }

    /// Starts it again after [`MariaDb::stop`] or [`MariaDb::kill`], on the same port.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let init = self.dir.write("init.sql", INIT_SQL);
        let log = File::create(self.log_file()).expect("a log file");
        let more = if Self::is_mysql() { "--mysqlx=OFF" } else { "--innodb-use-native-aio=0" };
        let mut command = Command::new(server_program());
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.dir.file("data").display()))
            .arg(format!("--socket={}", self.socket().display()))
            .arg(format!("--pid-file={}", self.dir.file("pid").display()))
            .arg(format!("--init-file={}", init.display()))
            .arg(format!("--port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--local-infile=1"])
            .args(["--max-allowed-packet=256M", "--max-connections=600", "--skip-log-bin"])
            .args(["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0"])
            .args(["--max-connect-errors=1000000", more])
            .args(user_option())
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be duplicated"))
            .stderr(log);
        let child = process::spawn(command).expect("the server starts");
        self.child = Some(child);
        let up = eventually(2 * PATIENCE, || self.ended() || self.try_query("SELECT 1").is_some());
        assert!(up && !self.ended(), "the server does not come up:\n{}", self.log());
    }

    /// Whether the servers are MySQL's, not MariaDB's.
    pub fn is_mysql() -> bool {
        given_folder().is_some_and(|folder| folder.join("mysqld").exists())
    }

    /// Whether the servers, being MySQL's, do not have `what`: the test has nothing to look at then, and says so.
    pub fn lacks(what: &str) -> bool {
        if Self::is_mysql() {
            eprintln!("not tested: MySQL has no {what}");
        }
        Self::is_mysql()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.file("sock")
    }

    /// A login of the test user.
    pub fn user() -> Login {
        Login::new(USER, PASSWORD)
    }

    /// Runs a statement on a connection of its own, not through any proxy.
    ///
    /// # Panics
    /// If the server does not answer; an ERR is a value.
    pub fn query(&self, sql: &str) -> Answer {
        let mut client = RawClient::login(self.address(), &Self::user()).expect("a login");
        let answer = client.query(sql).expect("an answer");
        client.quit();
        answer
    }

    /// Stops it in an orderly way and waits for its end.
    pub fn stop(&mut self) {
        self.end(libc::SIGTERM);
    }

    /// Kills it, as a crash or a power failure does.
    pub fn kill(&mut self) {
        self.end(libc::SIGKILL);
    }

    fn end(&mut self, signal: i32) {
        let Some(mut child) = self.child.take() else { return };
        process::signal(child.id(), signal);
        if process::wait_for(&mut child, PATIENCE).is_none() {
            child.kill().expect("SIGKILL");
            let status = child.wait().expect("waitpid");
            eprintln!("the server had to be killed: {}", describe(status));
        }
    }

    fn ended(&mut self) -> bool {
        let child = self.child.as_mut().expect("it was started");
        child.try_wait().expect("waitpid").is_some()
    }

    fn try_query(&self, sql: &str) -> Option<Answer> {
        let mut client = RawClient::login(self.address(), &Self::user()).ok()?;
        client.query(sql).ok()
    }

    fn log_file(&self) -> PathBuf {
        self.dir.file("log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        // Its data is thrown away: no need to let it write them down.
        self.kill();
    }
}

/// A datadir with system tables and nothing else, made once.
fn template() -> PathBuf {
    if let Some(folder) = given_folder() {
        return folder.join("data");
    }
    let cache = cache_dir();
    fs::create_dir_all(&cache).unwrap_or_else(|error| panic!("{}: {error}", cache.display()));
    let lock = File::create(cache.join("template.lock")).expect("a lock file");
    // SAFETY: a system call on a file that `lock` keeps open.
    let locked = unsafe { libc::flock(lock.as_raw_fd(), libc::LOCK_EX) };
    assert_eq!(locked, 0, "flock");
    let template = cache.join("template");
    if template.exists() {
        return template;
    }
    let half_done = cache.join("template.new");
    let _ = fs::remove_dir_all(&half_done);
    let output = Command::new(program("mariadb-install-db"))
        .arg("--no-defaults")
        .arg(format!("--datadir={}", half_done.display()))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg("--innodb-log-file-size=48M")
        .args(user_option())
        .output()
        .expect("mariadb-install-db starts");
    assert!(
        output.status.success(),
        "mariadb-install-db: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    fs::rename(&half_done, &template).expect("the template gets its name");
    template
}

/// The folder that `PYPROXY_TEST_SERVER` names.
fn given_folder() -> Option<PathBuf> {
    let path = std::env::var_os("PYPROXY_TEST_SERVER")?;
    Some(Path::new(&path).canonicalize().unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

fn server_program() -> PathBuf {
    match given_folder() {
        None => program("mariadbd"),
        Some(folder) if MariaDb::is_mysql() => folder.join("mysqld"),
        Some(folder) => folder.join("mariadbd"),
    }
}

/// Debian keeps the server in a folder that is not on an ordinary user's PATH.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").into(), Path::new("/usr/libexec").into()])
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{name} not found; install mariadb-server"))
}

/// The server refuses to run as root unless told to.
fn user_option() -> Option<&'static str> {
    // SAFETY: a system call without arguments.
    (unsafe { libc::geteuid() } == 0).then_some("--user=root")
}
