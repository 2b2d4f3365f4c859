//! HAProxy in TCP mode.

use std::collections::HashMap;
use std::env;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::scratch::ScratchDir;
use crate::{eventually, ports, process, wait};

/// A running HAProxy. It ends when this is dropped.
#[derive(Debug)]
pub struct Haproxy {
    child: Child,
    port: u16,
    /// Its configuration, what it says, and the socket that tells its statistics.
    folder: ScratchDir,
}

/// The installed program, if there is one. Debian has it outside the `PATH` of users.
pub fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("haproxy"))
        .find(|program| program.is_file())
}

impl Haproxy {
    /// Starts it on a free port, without logging. `section` is the configuration of what listens: its servers, and options.
    ///
    /// # Panics
    /// If it is not installed or does not listen; the panic shows what it said.
    pub fn start(threads: u32, section: &str) -> Self {
        let (port, folder) = (ports::free_port(), ScratchDir::new("haproxy"));
        let configuration = folder.write(
            "haproxy.cfg",
            format!(
                "global\n  nbthread {threads}\n  maxconn 1000\n  stats socket {}\n\
                 defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
                 listen test\n  bind 127.0.0.1:{port}\n{section}\n",
                folder.file("stats").display()
            ),
        );
        let mut command = Command::new(program().expect("haproxy is installed"));
        command
            .arg("-db")
            .arg("-f")
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.file("stderr.txt")).expect("a file"));
        let child = process::spawn(command).expect("haproxy starts");
        let haproxy = Self { child, port, folder };
        let said = || std::fs::read_to_string(haproxy.folder.file("stderr.txt"));
        assert!(eventually(wait::PATIENCE, || ports::is_listening(port)), "{:?}", said());
        haproxy
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What its statistics tell of the server with this name, by the names of its manual (`check_status`, `check_health`).
    ///
    /// # Panics
    /// If it does not answer, or there is no such server.
    pub fn server(&self, name: &str) -> HashMap<String, String> {
        let mut socket = UnixStream::connect(self.folder.file("stats")).expect("its socket");
        socket.write_all(b"show stat\n").expect("a command");
        let mut table = String::new();
        socket.read_to_string(&mut table).expect("its statistics");
        let mut lines = table.lines().map(|line| line.split(',').map(str::to_owned));
        let head: Vec<_> = lines.next().expect("a head").collect();
        lines
            .map(|line| head.iter().cloned().zip(line).collect::<HashMap<_, _>>())
            .find(|server| server.get("svname").is_some_and(|it| it == name))
            .unwrap_or_else(|| panic!("no server {name}: {table}"))
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        process::kill_group(&mut self.child);
    }
}
