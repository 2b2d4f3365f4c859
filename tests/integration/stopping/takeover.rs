//! `pyproxy-takeover`: a process takes the place of another one, and no client is refused.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use testkit::client::COM_QUIT;
use testkit::host::builder::Builder;
use testkit::ports::free_port;
use testkit::scratch::ScratchDir;
use testkit::wait::PATIENCE;
use testkit::{Host, MariaDb, RawClient, eventually};

use super::drain::assert_told;
use crate::support::*;

/// Said by the process that takes over, when it has.
const TOOK: &str = "was taken over: it accepts nobody any more";

/// Where processes follow each other.
struct Place {
    folder: ScratchDir,
    port: u16,
}

impl Place {
    fn new() -> Self {
        Self { folder: ScratchDir::new("place"), port: free_port() }
    }

    fn path(&self) -> PathBuf {
        self.folder.file("takeover.sock")
    }

    /// A process that is to be there.
    fn builder(&self) -> Builder {
        Host::builder()
            .backend(db())
            .listen_port(self.port)
            .option("pyproxy-event-loop", "own")
            .option("pyproxy-takeover", self.path().display())
    }

    /// The next one, when it has taken over.
    fn next(&self) -> Host {
        taken_over(self.builder())
    }
}

fn taken_over(builder: Builder) -> Host {
    let host = builder.start();
    host.wait_for_log(TOOK);
    host
}

/// A client that comes, asks, and leaves.
fn visit(address: std::net::SocketAddr) -> io::Result<()> {
    let mut client = RawClient::login(address, &MariaDb::user())?;
    let answer = client.query("SELECT 'served'")?;
    assert_eq!(answer.value(), "served");
    client.send_command(COM_QUIT, b"").map(|_| ())
}

#[test]
fn no_client_is_lost() {
    const CLIENTS: usize = 10_000;
    const HANDS: usize = 6;
    let place = Place::new();
    let first = place.builder().event_threads(2).start();
    let address = first.address();
    let (begun, lost) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let mut stays = first.client();
    let mut present = None;
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while begun.fetch_add(1, Ordering::Relaxed) < CLIENTS {
                    if let Err(error) = visit(address) {
                        lost.lock().unwrap().push(error.to_string());
                    }
                }
            });
        }
        for n in 1..=HANDS {
            // Spread over the time that all take.
            let share = CLIENTS * n / (HANDS + 1);
            assert!(eventually(PATIENCE * 4, || begun.load(Ordering::Relaxed) > share));
            let threads = u32::try_from(n % 3 + 1).unwrap();
            let next = taken_over(place.builder().event_threads(threads));
            // It ends by itself.
            present.replace(next).map(Host::wait_for_end);
        }
        assert!(begun.load(Ordering::Relaxed) < CLIENTS, "they came before the last hand-over");
        // Who came first is served as before.
        assert_in_step(&mut stays);
        stays.quit();
        first.wait_for_end();
    });
    assert_eq!(lost.into_inner().unwrap(), Vec::<String>::new());
}

#[test]
fn who_is_here_stays_until_its_time_is_over() {
    let place = Place::new();
    let old = place.builder().option("pyproxy-takeover-timeout", "1.5").start();
    let mut idle = old.client();
    let new = place.next();
    assert_in_step(&mut idle);
    assert_told(&mut idle, 0);
    let ended = old.wait_for_end();
    assert!(ended.log.contains("and ends: 1 clients are left"), "{}", ended.log);
    assert_in_step(&mut new.client());
}

#[test]
fn a_signal_ends_who_was_taken_over() {
    let place = Place::new();
    let old = place.builder().option("pyproxy-drain-timeout", 300).start();
    let mut idle = old.client();
    let new = place.next();
    old.signal(libc::SIGTERM);
    assert_told(&mut idle, 0);
    old.wait_for_end();
    assert_in_step(&mut new.client());
}

/// What listens is not touched by one that cannot.
#[test]
fn a_process_that_does_not_start_takes_nothing() {
    let place = Place::new();
    let old = place.builder().start();
    let ended = place.builder().script("raise ValueError('on purpose')").run_to_end();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    old.wait_for_log("wanted to take over, and ended before it did");
    assert!(place.path().exists());
    assert_in_step(&mut old.client());
    // Of the host itself, when the plugin has started.
    let ended = place.builder().argument("--user=nobody-of-that-name").run_to_end();
    assert!(!ended.status.success(), "{ended:?}");
    assert_in_step(&mut old.client());
    let new = place.next();
    old.wait_for_end();
    assert_in_step(&mut new.client());
}

/// Who came meanwhile waits.
#[test]
fn a_process_that_is_stopped_meanwhile_leaves_its_sockets() {
    let place = Place::new();
    let old = place.builder().start();
    let address = old.address();
    let script = "
        import os, time

        folder = FOLDER
        open(folder + '/loads', 'w').close()
        while not os.path.exists(folder + '/gate'):
            time.sleep(0.01)
        ";
    let script = script.replace("FOLDER", &format!("'{}'", place.folder.path().display()));
    let builder = place.builder().script(&script);
    let new = thread::spawn(move || builder.start());
    assert!(eventually(PATIENCE, || place.folder.file("loads").exists()));
    old.stop();
    let mut waits = RawClient::connect(address).unwrap();
    fs::write(place.folder.file("gate"), "").unwrap();
    let new = new.join().unwrap();
    waits.read_handshake().unwrap();
    assert_in_step(&mut new.client());
    let next = place.next();
    drop(waits);
    new.wait_for_end();
    assert_in_step(&mut next.client());
}

#[test]
fn a_process_that_died_is_not_asked() {
    let place = Place::new();
    let old = place.builder().start();
    old.signal(libc::SIGKILL);
    old.any_end();
    assert!(place.path().exists());
    let host = place.builder().start();
    assert_in_step(&mut host.client());
    assert!(!host.log().contains(TOOK), "{}", host.log());
    let next = place.next();
    host.wait_for_end();
    // At the end nothing is left.
    next.stop();
    assert!(!place.path().exists());
}

#[test]
fn only_this_user_takes_over() {
    let place = Place::new();
    let _host = place.builder().start();
    let mode = || fs::metadata(place.path()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    let _next = place.next();
    assert_eq!(mode(), 0o600);
}

#[test]
fn something_else_at_the_path_stops_the_start() {
    let place = Place::new();
    let _other = UnixListener::bind(place.path()).unwrap();
    let ended = place.builder().run_to_end();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let says = format!("pyproxy: pyproxy-takeover={}: ", place.path().display());
    assert!(ended.log.contains(&says), "{}", ended.log);
}

fn greets(path: &Path) -> bool {
    let mut header = [0; 5];
    let mut client = UnixStream::connect(path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.read_exact(&mut header).is_ok() && header[4] == 10
}

#[test]
fn a_unix_socket_and_the_http_endpoint_go_along() {
    let place = Place::new();
    let (clients, http) = (place.folder.file("clients.sock"), place.folder.file("http.sock"));
    let builder = || {
        place
            .builder()
            // Not waited for: it is where nobody listens.
            .option("no-pyproxy", "false")
            .option("pyproxy-address", clients.display())
            .option("pyproxy-http-address", http.display())
    };
    let old = builder().start();
    old.wait_for_log("HTTP endpoint on ");
    assert!(greets(&clients));
    let new = taken_over(builder());
    old.wait_for_end();
    assert!(greets(&clients));
    let mut health = UnixStream::connect(&http).unwrap();
    health.write_all(b"GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut said = String::new();
    health.read_to_string(&mut said).unwrap();
    assert!(said.contains("200 OK") && said.contains("listening: yes"), "{said}");
    new.stop();
    assert!(!clients.exists() && !http.exists());
}

#[test]
fn what_the_next_process_does_not_want_is_closed() {
    let place = Place::new();
    let old = place.builder().start();
    let other = Place { folder: ScratchDir::new("other"), port: free_port() };
    let builder = other.builder().option("pyproxy-takeover", place.path().display());
    let new = taken_over(builder);
    new.wait_for_log(&format!("the process before listens on 127.0.0.1:{}", place.port));
    let address = old.address();
    old.wait_for_end();
    assert!(RawClient::connect(address).is_err());
    assert_in_step(&mut new.client());
}

#[test]
fn a_worker_of_keepalive_is_taken_over() {
    let place = Place::new();
    let old = place.builder().argument("--keepalive").script("def read_query(proxy, packet): pass");
    let old = old.start();
    assert_in_step(&mut old.client());
    let new = taken_over(place.builder().argument("--keepalive"));
    let ended = old.wait_for_end();
    assert!(!ended.log.contains("before restart"), "{}", ended.log);
    assert_in_step(&mut new.client());
}

#[test]
fn the_loop_of_the_host_cannot_be_taken_over() {
    let place = Place::new();
    let ended = place.builder().option("pyproxy-event-loop", "chassis").run_to_end();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.log.contains(": this needs pyproxy-event-loop=own"), "{}", ended.log);
}
