//! Describes and starts a host: the ini file, the plugin folder, the command line.
//!
//! The host reads an ini file only if nobody but the owner may write it (mode 0600 here), and its
//! options from the group `[mysql-proxy]`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use super::{Ended, Files, Host, counters};
use crate::artifacts::{self, host_is_wrapped};
use crate::ports::{free_port, is_listening};
use crate::process::{self, describe, wait_for};
use crate::scratch::ScratchDir;
use crate::wait::{PATIENCE, eventually};

/// File name of the script in the host's folder.
const SCRIPT: &str = "hooks.py";

/// A host to be started.
#[derive(Debug)]
pub struct Builder {
    plugins: Vec<String>,
    plugin_dir: Option<PathBuf>,
    script: Option<String>,
    counters: bool,
    backends: Vec<String>,
    readonly: Vec<String>,
    options: BTreeMap<String, String>,
    arguments: Vec<String>,
    files: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    own_files: Vec<(String, String)>,
    relative_script: bool,
    port: Option<u16>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            plugins: vec!["pyproxy".into()],
            plugin_dir: None,
            script: None,
            counters: false,
            backends: Vec::new(),
            readonly: Vec::new(),
            options: BTreeMap::new(),
            arguments: Vec::new(),
            files: Vec::new(),
            environment: Vec::new(),
            own_files: Vec::new(),
            relative_script: false,
            port: None,
        }
    }

    /// The Python source of the hook script. Common indentation is removed.
    pub fn script(mut self, source: &str) -> Self {
        self.script = Some(dedent(source));
        self
    }

    /// Makes [`Host::counters`] work: adds hooks to the script (or is the script).
    pub fn with_counters(mut self) -> Self {
        self.counters = true;
        self
    }

    /// Adds a read-write backend.
    pub fn backend(mut self, address: SocketAddr) -> Self {
        self.backends.push(address.to_string());
        self
    }

    /// Adds a read-only backend.
    pub fn readonly(mut self, address: SocketAddr) -> Self {
        self.readonly.push(address.to_string());
        self
    }

    /// Sets an option in the ini file; wins over what this builder would set. An empty value leaves
    /// the option out.
    pub fn option(mut self, name: &str, value: impl ToString) -> Self {
        self.options.insert(name.into(), value.to_string());
        self
    }

    /// Sets an option to the path of a file that [`Builder::file`] puts into the host's folder.
    pub fn option_to_file(mut self, name: &str, file: &str) -> Self {
        self.own_files.push((name.into(), file.into()));
        self
    }

    /// Names the script by a relative path, and its folder as `basedir`.
    pub fn relative_script(mut self) -> Self {
        self.relative_script = true;
        self
    }

    /// Has the plugin listen on this port, for a test that gives the address in its own way.
    pub fn listen_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Adds an argument to the command line.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds several arguments to the command line.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Sets the number of event threads.
    pub fn event_threads(self, count: u32) -> Self {
        self.option("event-threads", count)
    }

    /// Sets the list of plugins.
    pub fn plugins(mut self, names: &[&str]) -> Self {
        self.plugins = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Loads plugins from this folder as it is.
    pub fn plugin_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.plugin_dir = Some(folder.into());
        self
    }

    /// Puts a file next to the script before the start.
    pub fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.into(), dedent(content)));
        self
    }

    /// Sets an environment variable of the host.
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.into(), value.to_string()));
        self
    }

    /// Starts the host and waits until it listens.
    ///
    /// # Panics
    /// If it ends or does not listen; the panic shows its log.
    pub fn start(self) -> Host {
        let waits_for_pyproxy = self.plugins.iter().any(|name| name == "pyproxy")
            && !self.options.contains_key("no-pyproxy");
        let (mut child, files, port) = self.spawn();
        let up = eventually(PATIENCE, || {
            // Another process may listen there already.
            let is_started = || files.log().contains("started");
            child.try_wait().expect("waitpid").is_some()
                || is_started() && (!waits_for_pyproxy || is_listening(port))
        });
        if let Some(status) = child.try_wait().expect("waitpid") {
            panic!("the host ended with {}\n{}{}", describe(status), files.log(), files.stdout());
        }
        let host = Host { child: Some(child), files, port };
        assert!(up, "no plugin reported its start, or the host does not listen on {port}");
        // It listens before mysql-proxy has its handlers: a SIGTERM in between would end it like any program.
        eventually(PATIENCE, || catches_sigterm(host.pid()));
        if host_is_wrapped() {
            // Valgrind catches all signals, for itself, and it takes the host a while to come that far.
            thread::sleep(Duration::from_secs(3));
        }
        host
    }

    /// Starts a host that is expected to end by itself, and returns how it did.
    ///
    /// # Panics
    /// If it does not end.
    pub fn run_to_end(self) -> Ended {
        let (mut child, files, _port) = self.spawn();
        let Some(status) = wait_for(&mut child, PATIENCE) else {
            process::kill_group(&mut child);
            panic!("the host does not end\n{}", files.log());
        };
        Ended { status, log: files.log(), stdout: files.stdout() }
    }

    fn spawn(mut self) -> (Child, Files, u16) {
        let dir = ScratchDir::new("host");
        for (name, content) in &self.files {
            dir.write(name, content);
        }
        let port = self.port.unwrap_or_else(free_port);
        let ini = self.ini(&dir, port);
        let mut command = artifacts::host_command();
        command
            .arg(format!("--defaults-file={}", ini.display()))
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(File::create(dir.file("stdout.txt")).expect("a file"))
            .stderr(File::create(dir.file("stderr.txt")).expect("a file"));
        let child = process::spawn(command).expect("the host starts");
        (child, Files { dir }, port)
    }

    fn ini(&mut self, dir: &ScratchDir, port: u16) -> PathBuf {
        let mut defaults = BTreeMap::new();
        let mut set = |name: &str, value: String| {
            defaults.insert(name.to_owned(), value);
        };
        set("plugins", self.plugins.join(","));
        set("log-level", "debug".into());
        set("log-file", dir.file("host.log").display().to_string());
        let plugin_dir = self.plugin_dir.take().unwrap_or_else(|| own_plugin_dir(dir));
        set("plugin-dir", plugin_dir.display().to_string());
        if self.plugins.iter().any(|name| name == "pyproxy") {
            set("pyproxy-event-loop", artifacts::event_loop());
            set("pyproxy-address", format!("127.0.0.1:{port}"));
            // What a test leaves behind has no time to end by itself.
            set("pyproxy-drain-timeout", "0".into());
            set("pyproxy-backend-addresses", self.backends.join(","));
            if !self.readonly.is_empty() {
                set("pyproxy-readonly-backend-address", self.readonly.join(","));
            }
            if self.counters {
                let source = self.script.take().unwrap_or_default();
                self.script = Some(source + &counters::script(&dir.file(counters::FLAG)));
            }
            if let Some(source) = &self.script {
                let path = dir.write(SCRIPT, source).display().to_string();
                set(
                    "pyproxy-python-script",
                    if self.relative_script { SCRIPT.into() } else { path },
                );
            }
        }
        if self.relative_script {
            set("basedir", dir.path().display().to_string());
        }
        for (name, file) in &self.own_files {
            set(name, dir.file(file).display().to_string());
        }
        defaults.append(&mut self.options);
        let mut text = String::from("[mysql-proxy]\n");
        for (name, value) in defaults.iter().filter(|(_, value)| !value.is_empty()) {
            text += &format!("{name}={value}\n");
        }
        dir.write("host.ini", text)
    }
}

/// A folder with the plugin under test and the host's own plugins.
fn own_plugin_dir(dir: &ScratchDir) -> PathBuf {
    let folder = dir.file("plugins");
    fs::create_dir(&folder).expect("a new folder");
    symlink(artifacts::plugin_library(), folder.join("libpyproxy.so")).expect("a link");
    if let Some(own) = artifacts::host_plugin_dir() {
        for entry in fs::read_dir(own).expect("the host's plugin folder").flatten() {
            symlink(entry.path(), folder.join(entry.file_name())).expect("a link");
        }
    }
    folder
}

/// Removes the indentation that all non-empty lines share.
fn dedent(source: &str) -> String {
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let filled = source.lines().filter(|line| !line.trim().is_empty());
    let common = filled.map(indentation).min().unwrap_or(0);
    source.lines().map(|line| line.get(common..).unwrap_or("").to_owned() + "\n").collect()
}

/// Whether a process has a handler for SIGTERM, as far as can be seen.
fn catches_sigterm(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_none_or(|mask| mask & (1 << (libc::SIGTERM - 1)) != 0)
}
