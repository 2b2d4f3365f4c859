//! One host process (`mysql-proxy`) with an ini file, in its own folder, on a free port.

pub mod builder;
pub mod counters;
pub mod stats;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::thread;

use crate::client::RawClient;
use crate::client::login::Login;
use crate::mariadb::{self, MariaDb};
use crate::process::{self, describe, wait_for};
use crate::scratch::ScratchDir;
use crate::wait::{PATIENCE, eventually};
use builder::Builder;

/// A host that runs. Dropping it stops it with SIGTERM and asserts that it exits with 0.
#[derive(Debug)]
pub struct Host {
    child: Option<Child>,
    files: Files,
    port: u16,
}

/// How a host ended, and all it wrote.
#[derive(Debug)]
pub struct Ended {
    /// Exit status.
    pub status: ExitStatus,
    /// Log file and standard error.
    pub log: String,
    /// Standard output: what scripts print.
    pub stdout: String,
}

impl Host {
    /// Describes a host with `plugins=pyproxy`.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A host in front of `address`, without script.
    pub fn plain(address: SocketAddr) -> Self {
        Self::builder().backend(address).start()
    }

    /// A host in front of the shared MariaDB, with this script.
    pub fn with_script(source: &str) -> Self {
        Self::builder().backend(MariaDb::shared().address()).script(source).start()
    }

    /// Where the plugin under test listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// A logged-in scripted client of the test user.
    ///
    /// # Panics
    /// If the login fails.
    pub fn client(&self) -> RawClient {
        self.login(&MariaDb::user())
    }

    /// A logged-in scripted client.
    ///
    /// # Panics
    /// If the login fails.
    pub fn login(&self, login: &Login) -> RawClient {
        RawClient::login(self.address(), login).unwrap_or_else(|error| panic!("login: {error}"))
    }

    /// A scripted client that is connected and has sent and read nothing.
    ///
    /// # Panics
    /// If the connect fails.
    pub fn connect(&self) -> RawClient {
        RawClient::connect(self.address()).unwrap_or_else(|error| panic!("connect: {error}"))
    }

    /// The URL of the test user and database for the `mysql` crate, which by default would ask
    /// the server for its unix socket and go on there, past the proxy.
    pub fn url(&self) -> String {
        let (user, password) = (mariadb::USER, mariadb::PASSWORD);
        let (address, database) = (self.address(), mariadb::DATABASE);
        format!("mysql://{user}:{password}@{address}/{database}?prefer_socket=false")
    }

    /// Process id.
    ///
    /// # Panics
    /// If it was stopped.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Whether the process still runs.
    pub fn is_alive(&mut self) -> bool {
        let child = self.child.as_mut().expect("it was not stopped");
        child.try_wait().expect("waitpid").is_none()
    }

    /// Asserts that the host still serves: the process runs and a new client gets an answer.
    ///
    /// # Panics
    /// If not. Needs a backend that is a real server.
    pub fn assert_serves(&mut self) {
        assert!(self.is_alive(), "the host has ended");
        let mut client = self.client();
        assert_eq!(client.query("SELECT 40 + 2").expect("an answer").value(), "42");
        client.quit();
    }

    /// Log file and standard error so far.
    pub fn log(&self) -> String {
        self.files.log()
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        self.files.stdout()
    }

    /// Waits until the log contains `text`.
    ///
    /// # Panics
    /// If it does not come.
    pub fn wait_for_log(&self, text: &str) {
        let found = eventually(PATIENCE, || self.log().contains(text));
        assert!(found, "not in the log: {text}\n{}", self.log());
    }

    /// Waits until standard output contains `text`.
    ///
    /// # Panics
    /// If it does not come.
    pub fn wait_for_stdout(&self, text: &str) {
        let found = eventually(PATIENCE, || self.stdout().contains(text));
        assert!(found, "not in the output: {text}\n{}\n{}", self.stdout(), self.log());
    }

    /// Log lines at level critical, but for the lines that name the started plugins, which the
    /// original writes at that level; and failed GLib assertions.
    pub fn criticals(&self) -> Vec<String> {
        self.log()
            .lines()
            .filter(|line| line.contains("(critical)") || line.contains("CRITICAL"))
            .filter(|line| !(line.contains(" plugin ") && line.ends_with(" started")))
            .map(str::to_owned)
            .collect()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        process::signal(self.pid(), signal);
    }

    /// Sends a signal to the process and all that it forked.
    pub fn signal_group(&self, signal: i32) {
        process::signal_group(self.pid(), signal);
    }

    /// The folder of this host: ini file, script, log.
    pub fn file(&self, name: &str) -> PathBuf {
        self.files.dir.file(name)
    }

    /// Stops it with SIGTERM and asserts exit code 0.
    ///
    /// # Panics
    /// If it exits otherwise, or not at all.
    pub fn stop(mut self) -> Ended {
        self.ask_to_end();
        self.end()
    }

    /// As [`Host::stop`], when the test has sent SIGTERM: a second one would kill the original host in its end.
    ///
    /// # Panics
    /// If it exits with another code than 0, or not at all.
    pub fn wait_for_end(mut self) -> Ended {
        self.end()
    }

    /// Stops it with SIGTERM, whatever it exits with.
    ///
    /// # Panics
    /// If it does not exit.
    pub fn cut_off(mut self) -> Ended {
        self.ask_to_end();
        self.await_end()
    }

    /// Waits until it has ended, whatever it exits with.
    ///
    /// # Panics
    /// If it does not end.
    pub fn any_end(mut self) -> Ended {
        self.await_end()
    }

    fn ask_to_end(&mut self) {
        if self.is_alive() {
            self.signal(libc::SIGTERM);
        }
    }

    fn end(&mut self) -> Ended {
        let ended = self.await_end();
        let (status, log) = (ended.status, &ended.log);
        assert!(status.success(), "the host ended with {}\n{log}", describe(status));
        ended
    }

    fn await_end(&mut self) -> Ended {
        let mut child = self.child.take().expect("stopped once");
        let status = wait_for(&mut child, PATIENCE);
        if status.is_none() {
            process::kill_group(&mut child);
        }
        let status = status.unwrap_or_else(|| panic!("SIGTERM does not end it\n{}", self.log()));
        Ended { status, log: self.log(), stdout: self.stdout() }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.child.is_none() {
            return;
        }
        if !thread::panicking() {
            self.ask_to_end();
            self.end();
            return;
        }
        eprintln!("--- host log\n{}--- host stdout\n{}---", self.log(), self.stdout());
        let mut child = self.child.take().expect("checked above");
        process::kill_group(&mut child);
    }
}

/// What the host process writes, and where.
#[derive(Debug)]
pub(crate) struct Files {
    dir: ScratchDir,
}

impl Files {
    fn log(&self) -> String {
        self.read("host.log") + &self.read("stderr.txt")
    }

    fn stdout(&self) -> String {
        self.read("stdout.txt")
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.dir.file(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
