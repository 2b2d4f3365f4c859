//! Child processes that end when the test process ends, however that happens.
//!
//! `PR_SET_PDEATHSIG` ties a child to the *thread* that started it (prctl(2)), and a test runs in
//! a short-lived thread. So one thread that never ends starts all children.
//!
//! Each child leads a process group: a host with `keepalive` passes signals on to its whole group.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use crate::wait::eventually;

/// Signals a test sends.
pub use libc::{SIGINT, SIGKILL, SIGTERM};

type Job = (Command, SyncSender<io::Result<Child>>);

/// Starts `command`; the child gets SIGKILL when this process goes away.
///
/// # Errors
/// Those of [`Command::spawn`].
pub fn spawn(mut command: Command) -> io::Result<Child> {
    command.process_group(0);
    // SAFETY: between fork and exec only prctl is called, which is async-signal-safe.
    unsafe {
        command.pre_exec(|| {
            if libc::prctl(libc::PR_SET_PDEATHSIG, SIGKILL) == -1 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        });
    }
    let (answer, result) = sync_channel(1);
    spawner().lock().expect("spawner lock").send((command, answer)).expect("spawner runs");
    result.recv().expect("spawner answers")
}

fn spawner() -> &'static Mutex<Sender<Job>> {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        thread::Builder::new()
            .name("spawner".into())
            .spawn(move || {
                for (mut command, answer) in queue {
                    // The receiver waits for exactly this message; if it is gone, so is its test.
                    let _ = answer.send(command.spawn());
                }
            })
            .expect("the spawner thread starts");
        Mutex::new(jobs)
    })
}

/// Sends a signal to a process that this test started.
///
/// # Panics
/// If the process does not exist.
pub fn signal(pid: u32, signal: i32) {
    send(i32::try_from(pid).expect("a pid fits i32"), signal);
}

/// The same to its group, which it leads.
///
/// # Panics
/// If the group does not exist.
pub fn signal_group(pid: u32, signal: i32) {
    send(-i32::try_from(pid).expect("a pid fits i32"), signal);
}

fn send(pid: i32, signal: i32) {
    // SAFETY: plain system call without pointers.
    let result = unsafe { libc::kill(pid, signal) };
    assert_eq!(result, 0, "signal {signal} to {pid}: {}", io::Error::last_os_error());
}

/// Kills a child of [`spawn`] with everything it forked, and waits for its end.
pub fn kill_group(child: &mut Child) {
    let group = i32::try_from(child.id()).expect("a pid fits i32");
    // SAFETY: plain system call without pointers. It fails if the group is gone, which is the aim.
    unsafe { libc::kill(-group, SIGKILL) };
    child.wait().expect("waitpid");
}

/// Waits for a child to end, at most `limit`; `None` if it still runs then.
pub fn wait_for(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let mut status = None;
    eventually(limit, || {
        status = child.try_wait().expect("waitpid");
        status.is_some()
    });
    status
}

/// Text for an exit status: the code, or the signal that ended the process.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown end".into(),
    }
}
