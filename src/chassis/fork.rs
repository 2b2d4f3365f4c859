//! What becomes of the proxy in a child that a script forks (`os.fork`, `multiprocessing`): nothing.
//!
//! A child gets a copy of every descriptor and of every signal handler. The clients' sockets would stay open as long as it lives;
//! and the host's handler of SIGTERM writes into a pipe that the child shares with its parent: a worker that is terminated would end the
//! proxy (libevent's `evsig_handler`). So the child closes the host's descriptors and gives up its handlers while it is still inside
//! of `fork`, before any code of Python runs; and no such signal reaches it before.
//!
//! The event loops of further event threads are not known and stay open: the child has no thread that runs them.

use std::cell::Cell;
use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

/// Descriptors from here on are not remembered: the kernel's usual limit for a process (`fs.nr_open`).
const MOST: usize = 1 << 20;
/// The signals that the host has handlers for.
const OF_HOST: [c_int; 3] = [libc::SIGHUP, libc::SIGINT, libc::SIGTERM];

/// The inode of each descriptor of the host; 0 for none. A number may be somebody else's by now: the inode tells. Without a
/// lock, which another thread might hold at the moment of the fork.
static INODES: [AtomicU64; MOST] = [const { AtomicU64::new(0) }; MOST];
/// The highest number that was remembered.
static HIGHEST: AtomicI32 = AtomicI32::new(-1);
/// What else a child does first.
static IN_CHILD: OnceLock<fn()> = OnceLock::new();
/// This process is a child.
static IS_CHILD: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The signal mask of the thread that forks.
    static MASK: Cell<Option<libc::sigset_t>> = const { Cell::new(None) };
}

/// Whether this process was forked off the proxy.
#[inline]
pub fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

/// Ends a child, without what a program does at its end: that is the proxy's.
pub fn end_child() -> ! {
    // SAFETY: a system call that does not return.
    unsafe { libc::_exit(1) }
}

/// A descriptor of the host, which children close.
pub fn remember(fd: c_int) {
    let Some(place) = place(fd) else { return };
    if let Some(inode) = inode(fd) {
        place.store(inode, Ordering::Relaxed);
        HIGHEST.fetch_max(fd, Ordering::Relaxed);
    }
}

/// From now on children are told apart; each runs `in_child_too`, which may do no more than store a value. Once, after the
/// host's own forks and before Python starts: the sockets and event loops that are open now are the host's.
pub fn prepare(in_child_too: fn()) -> io::Result<()> {
    _ = IN_CHILD.set(in_child_too);
    for entry in std::fs::read_dir("/proc/self/fd")?.flatten() {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        let fd = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let is_ours = target.starts_with("socket:") || target.starts_with("anon_inode:[event");
        if let Some(fd) = fd.filter(|fd| is_ours && *fd > libc::STDERR_FILENO) {
            remember(fd);
        }
    }
    // SAFETY: three functions of the right type, which stay: the library is never unloaded.
    match unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn place(fd: c_int) -> Option<&'static AtomicU64> {
    INODES.get(usize::try_from(fd).ok()?)
}

/// The inode; safe to ask in a child of a process with threads.
fn inode(fd: c_int) -> Option<u64> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the pointer is valid for a write; initialised if the call succeeds.
    unsafe { (libc::fstat(fd, status.as_mut_ptr()) == 0).then(|| status.assume_init().st_ino) }
}

/// No signal is handled between the fork and the moment when the child has given up the handlers.
unsafe extern "C" fn before() {
    let mut signals = MaybeUninit::<libc::sigset_t>::uninit();
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the first set is initialised by sigemptyset, the second one by pthread_sigmask, if it succeeds.
    unsafe {
        libc::sigemptyset(signals.as_mut_ptr());
        for signal in OF_HOST {
            libc::sigaddset(signals.as_mut_ptr(), signal);
        }
        if libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), mask.as_mut_ptr()) == 0 {
            MASK.set(Some(mask.assume_init()));
        }
    }
}

unsafe extern "C" fn in_parent() {
    if let Some(mask) = MASK.take() {
        // SAFETY: a set that the kernel filled.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, null_mut()) };
    }
}

/// Nothing here allocates or waits for a lock: other threads, which the child lacks, may have held any.
unsafe extern "C" fn in_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
    if let Some(in_child_too) = IN_CHILD.get() {
        in_child_too();
    }
    for signal in OF_HOST {
        // SAFETY: the default action needs no handler of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    for fd in 0..=HIGHEST.load(Ordering::Relaxed) {
        let known = place(fd).map_or(0, |place| place.load(Ordering::Relaxed));
        if known != 0 && inode(fd) == Some(known) {
            // SAFETY: a descriptor of the host, whose code never runs here.
            unsafe { libc::close(fd) };
        }
    }
    // SAFETY: as the parent's.
    unsafe { in_parent() };
}
