//! A host process with the probe plugin, and the scripted client and server that talk through it.
//!
//! `PYPROXY_HOST` names another host, such as the original mysql-proxy, to run the same tests in.

#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
use std::thread;
use std::time::{Duration, Instant};

/// No step of a test may take longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the scripted server says first: protocol 10, capabilities with CLIENT_SSL that the probe masks.
const HANDSHAKE: &[u8] = b"\x0a10.0-scripted\0\x01\0\0\0saltsalt\0\xff\xff\x08\x02\0\xff\xff\x15\0\0\0\0\0\0\0\0\0\0saltsaltsalt\0";

/// The host to test.
pub fn host_path() -> PathBuf {
    std::env::var_os("PYPROXY_HOST")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_mysql-proxy")), PathBuf::from)
}

/// Whether the bundled host is tested.
pub fn is_bundled() -> bool {
    std::env::var_os("PYPROXY_HOST").is_none()
}

/// Where `cargo test` puts the probe plugin.
pub fn probe_dir() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_mysql-proxy")).with_file_name("examples")
}

/// Repeats `ready` until it says something.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A free port of the loopback interface.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Runs the host to its end.
pub fn run(args: &[&str]) -> Output {
    Command::new(host_path()).args(args).output().unwrap()
}

/// The arguments that load the probe.
pub fn load_probe() -> [String; 2] {
    ["--plugins=probe".to_owned(), format!("--plugin-dir={}", probe_dir().display())]
}

/// A running host. Killed when dropped.
pub struct Host {
    child: Child,
    pub dir: tempfile::TempDir,
    pub address: SocketAddr,
}

impl Host {
    /// Starts the host with the probe in front of `backend` and waits until it listens.
    pub fn start(backend: Option<SocketAddr>, args: &[&str]) -> Self {
        let host = Self::spawn(backend, args);
        host.wait_for_trace("listening");
        host
    }

    /// The same without waiting.
    pub fn spawn(backend: Option<SocketAddr>, args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = free_address();
        let log = File::create(dir.path().join("log")).unwrap();
        let mut command = Command::new(host_path());
        command
            .args(load_probe())
            .arg(format!("--probe-address={address}"))
            .arg(format!("--probe-trace={}", dir.path().join("trace").display()))
            .args(args)
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some(backend) = backend {
            command.arg(format!("--probe-backend={backend}"));
        }
        Self { child: command.spawn().unwrap(), dir, address }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Names and process ids of the plugin's entries so far.
    pub fn trace(&self) -> Vec<(String, i32)> {
        let text = fs::read_to_string(self.dir.path().join("trace")).unwrap_or_default();
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, pid)| (name.to_owned(), pid.parse().unwrap()))
            .collect()
    }

    pub fn trace_names(&self) -> Vec<String> {
        self.trace().into_iter().map(|(name, _)| name).collect()
    }

    /// Waits for an entry and returns the process it ran in.
    pub fn wait_for_trace(&self, wanted: &str) -> i32 {
        wait_for(wanted, || self.trace().into_iter().rfind(|(name, _)| name == wanted)).1
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: a plain system call.
        unsafe { libc::kill(self.pid(), signal) };
    }

    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the end of the host", || self.child.try_wait().unwrap())
    }

    /// Stops the host with SIGTERM.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(libc::SIGTERM);
        self.wait()
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A client that is logged in.
    pub fn login(&self) -> TcpStream {
        let mut client = self.connect();
        let (id, handshake) = read_packet(&mut client).expect("a handshake");
        assert_eq!((id, handshake[0]), (0, 10));
        write_packet(&mut client, 1, b"some login");
        assert_eq!(read_packet(&mut client), Some((2, ok())));
        client
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An OK payload.
pub fn ok() -> Vec<u8> {
    vec![0, 0, 0, 2, 0, 0, 0]
}

/// Reads one packet; `None` when the peer closed.
pub fn read_packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).ok()?;
    let [a, b, c, id] = header;
    let mut payload = vec![0; usize::try_from(u32::from_le_bytes([a, b, c, 0])).unwrap()];
    stream.read_exact(&mut payload).ok()?;
    Some((id, payload))
}

pub fn write_packet(stream: &mut TcpStream, id: u8, payload: &[u8]) {
    let [a, b, c, _] = u32::try_from(payload.len()).unwrap().to_le_bytes();
    stream.write_all(&[&[a, b, c, id][..], payload].concat()).unwrap();
}

/// Sends a query and reads its result set: the rows, checked to be numbered from 1.
pub fn query(client: &mut TcpStream, text: &str) -> Vec<Vec<u8>> {
    write_packet(client, 0, &[b"\x03", text.as_bytes()].concat());
    let mut packets = Vec::new();
    while packets.iter().filter(|packet: &&Vec<u8>| packet[0] == 0xfe).count() < 2 {
        let (id, payload) = read_packet(client).expect("an answer");
        let expected = u8::try_from((packets.len() + 1) % 256).unwrap();
        assert_eq!(id, expected);
        packets.push(payload);
    }
    packets.drain(..3);
    packets.pop();
    packets
}

/// A server that lets everybody in and answers each query with `rows` rows that repeat its text.
pub fn scripted_server(rows: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || serve(stream.unwrap(), rows));
        }
    });
    address
}

fn serve(mut stream: TcpStream, rows: usize) {
    write_packet(&mut stream, 0, HANDSHAKE);
    let Some((1, _)) = read_packet(&mut stream) else { return };
    write_packet(&mut stream, 2, &ok());
    while let Some((_, command)) = read_packet(&mut stream) {
        if command[0] == 1 {
            return;
        }
        let eof = b"\xfe\0\0\x02\0";
        let head: [&[u8]; 3] = [b"\x01", b"\x03def", eof];
        let row = &command[1..];
        let body = std::iter::repeat_n(row, rows).chain([&eof[..]]);
        let mut id = 0u8;
        for payload in head.into_iter().chain(body) {
            id = id.wrapping_add(1);
            write_packet(&mut stream, id, payload);
        }
    }
}
