//! What makes a process a daemon: forks, the angel of `--keepalive`, pid file, limits, dropped privileges.
//!
//! Facts: `docs/internals/life.md#start`.

use std::ffi::{CString, c_int};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::{glib, log};

/// Pause before a crashed worker is started again.
const RESTART_PAUSE: Duration = Duration::from_secs(2);

/// A closed peer must not end the process.
pub fn ignore_sigpipe() {
    // SAFETY: ignoring a signal is always allowed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Ends a parent that did its part; library destructors run.
fn leave_parent() -> ! {
    #[expect(clippy::disallowed_methods, reason = "this is the host, which owns its process")]
    std::process::exit(0)
}

/// Goes to the background: two forks, a new session, root as working directory. Standard streams stay open.
///
/// Called while the process has one thread.
pub fn daemonize() {
    // SAFETY: plain system calls in a process with one thread.
    unsafe {
        for signal in [libc::SIGTTOU, libc::SIGTTIN, libc::SIGTSTP] {
            libc::signal(signal, libc::SIG_IGN);
        }
        if libc::fork() != 0 || libc::setsid() == -1 {
            leave_parent();
        }
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
        if libc::fork() != 0 {
            leave_parent();
        }
        libc::chdir(c"/".as_ptr());
        libc::umask(0);
    }
}

/// Who returns from [`keep_alive`].
pub enum Role {
    /// The worker.
    Worker,
    /// The angel, after its worker ended by itself with this code.
    Angel(c_int),
}

/// Passes a signal on to the process group, but not to this process.
extern "C" fn forward(signal: c_int) {
    // SAFETY: both calls are allowed in a signal handler.
    unsafe {
        libc::signal(signal, libc::SIG_IGN);
        libc::kill(0, signal);
    }
}

fn on_signals(signals: &[c_int], handler: libc::sighandler_t) {
    for &signal in signals {
        // SAFETY: the handler is a constant of the system or `forward`.
        unsafe { libc::signal(signal, handler) };
    }
}

/// Forks a worker and starts it again whenever a signal kills it.
///
/// Called while the process has one thread.
pub fn keep_alive() -> io::Result<Role> {
    let stops = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];
    loop {
        // SAFETY: the process has one thread.
        let worker = match unsafe { libc::fork() } {
            0 => return Ok(Role::Worker),
            -1 => return Err(io::Error::last_os_error()),
            worker => worker,
        };
        log::message(&format!("[angel] we try to keep PID={worker} alive"));
        let handler: extern "C" fn(c_int) = forward;
        on_signals(&stops, handler as libc::sighandler_t);
        on_signals(&[libc::SIGUSR1, libc::SIGUSR2], handler as libc::sighandler_t);
        let status = wait_for(worker)?;
        if libc::WIFEXITED(status) {
            let code = libc::WEXITSTATUS(status);
            log::message(&format!("[angel] PID={worker} exited normally with exit-code = {code}"));
            return Ok(Role::Angel(code));
        }
        log::critical(&format!(
            "[angel] PID={worker} died on signal={} ... waiting {}s before restart",
            libc::WTERMSIG(status),
            RESTART_PAUSE.as_secs()
        ));
        on_signals(&stops, libc::SIG_DFL);
        thread::sleep(RESTART_PAUSE);
    }
}

fn wait_for(worker: libc::pid_t) -> io::Result<c_int> {
    loop {
        let mut status = 0;
        // SAFETY: the status is a local.
        if unsafe { libc::waitpid(worker, &raw mut status, 0) } == worker {
            return Ok(status);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Writes this process's id, readable for its owner only.
pub fn write_pid_file(path: &Path) -> Result<(), String> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(std::process::id().to_string().as_bytes()))
        .map_err(|error| format!("writing the pid file {} failed: {error}", path.display()))
}

/// Sets the limit of open files.
pub fn limit_open_files(count: c_int) -> io::Result<()> {
    let wanted = libc::rlim_t::try_from(count).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is a local.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return Err(io::Error::last_os_error());
        }
        limit.rlim_cur = wanted;
        limit.rlim_max = limit.rlim_max.max(wanted);
        if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Becomes `user`, who gets the log file. Only root may ask for it.
pub fn become_user(user: &str, log_file: Option<&Path>) -> Result<(), String> {
    // SAFETY: no precondition.
    if unsafe { libc::geteuid() } != 0 {
        return Err("can only use the --user switch if running as root".to_owned());
    }
    let name: CString = glib::c_string(user.as_bytes());
    // SAFETY: a C string; the entry is read at once, in the only thread.
    let (uid, gid) = unsafe {
        let entry = libc::getpwnam(name.as_ptr());
        let entry = entry.as_ref().ok_or_else(|| format!("unknown user: {user}"))?;
        (entry.pw_uid, entry.pw_gid)
    };
    if let Some(path) = log_file {
        let name = glib::c_string(path.as_os_str().as_bytes());
        // SAFETY: a C string.
        if unsafe { libc::chown(name.as_ptr(), uid, gid) } != 0 {
            let error = io::Error::last_os_error();
            return Err(format!("chown({}) failed: {error}", path.display()));
        }
    }
    // SAFETY: no precondition.
    if unsafe { libc::setgid(gid) != 0 || libc::setuid(uid) != 0 } {
        return Err(format!("cannot become {user}: {}", io::Error::last_os_error()));
    }
    log::debug(&format!("now running as user: {user} ({uid}/{gid})"));
    Ok(())
}
