//! HAProxy in TCP mode: what a proxy costs that looks at nothing.

use std::env;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use testkit::scratch::ScratchDir;
use testkit::{eventually, ports, process, wait};

/// A running HAProxy. It ends when this is dropped.
#[derive(Debug)]
pub struct Haproxy {
    child: Child,
    port: u16,
    /// Its configuration and what it says.
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
    /// Starts it on `port` in front of `backend`, without checks and logging.
    ///
    /// # Panics
    /// If it does not listen; the panic shows what it said.
    pub fn start(port: u16, backend: SocketAddr, threads: u32) -> Self {
        let folder = ScratchDir::new("haproxy");
        let configuration = folder.write(
            "haproxy.cfg",
            format!(
                "global\n  nbthread {threads}\n  maxconn 1000\n\
                 defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
                 listen bench\n  bind 127.0.0.1:{port}\n  server backend {backend}\n"
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
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        process::kill_group(&mut self.child);
    }
}
