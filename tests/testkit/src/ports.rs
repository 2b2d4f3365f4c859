//! Port numbers for servers of a test.
//!
//! Numbers are handed out from below the kernel's ephemeral range (32768 on Linux), so that an
//! outgoing connection of another test cannot take one between the choice and the `bind`. Each
//! test process has a block of its own, held by a lock on a file in the temporary folder, so that
//! two of them can run at a time.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 20_000;
const BLOCK: u16 = 1_000;
const BLOCKS: u16 = 12;
/// The state of a listening socket in /proc/net/tcp (proc(5)).
const LISTEN: &str = "0A";

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A loopback port that nothing listens on and that no other test is about to use.
pub fn free_port() -> u16 {
    free_listener().local_addr().expect("a bound socket has an address").port()
}

/// A socket that listens on a free loopback port.
pub fn free_listener() -> TcpListener {
    let first = own_block();
    (0..BLOCK)
        .map(|_| first + NEXT.fetch_add(1, Ordering::Relaxed) % BLOCK)
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .unwrap_or_else(|| panic!("no free port between {first} and {}", first + BLOCK))
}

/// Whether some process listens on this IPv4 port, asked from the kernel and not by connecting:
/// a probing connection would be a client that the host under test serves and counts.
pub fn is_listening(port: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp is readable");
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut words = line.split_whitespace();
        let local = words.nth(1).unwrap_or_default();
        let state = words.nth(1).unwrap_or_default();
        local.ends_with(&suffix) && state == LISTEN
    })
}

/// The first port of the block that this process holds until it ends.
fn own_block() -> u16 {
    static BLOCK_LOCK: OnceLock<(u16, File)> = OnceLock::new();
    let lock = BLOCK_LOCK.get_or_init(|| {
        (0..BLOCKS)
            .map(|number| FIRST + number * BLOCK)
            .find_map(|first| Some((first, lock_block(first).ok()?)))
            .expect("a block of ports that no other test process holds")
    });
    lock.0
}

fn lock_block(first: u16) -> io::Result<File> {
    // SAFETY: a system call without arguments.
    let user = unsafe { libc::geteuid() };
    let name = format!("pyproxy-ports-{user}-{first}.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(std::env::temp_dir().join(name))?;
    // SAFETY: a system call on a file that `file` keeps open.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}
