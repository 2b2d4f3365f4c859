//! What the kernel says about the host process: descriptors, memory, processor time.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::Host;
use crate::wait::{PATIENCE, eventually};

impl Host {
    /// Number of open file descriptors.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn fd_count(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.pid());
        fs::read_dir(folder).expect("the host runs").count()
    }

    /// Number of open file descriptors while no client is connected: the smallest number seen in a
    /// while, since the host closes those of the last client a moment after it left.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn idle_fds(&self) -> usize {
        let samples = (0..10).map(|_| {
            sleep(Duration::from_millis(50));
            self.fd_count()
        });
        samples.min().expect("ten samples")
    }

    /// Waits until at most `limit` descriptors are open.
    ///
    /// # Panics
    /// If more stay open; shows them.
    pub fn wait_for_fds(&self, limit: usize) {
        let reached = eventually(PATIENCE, || self.fd_count() <= limit);
        assert!(reached, "{} descriptors, expected {limit}: {:?}", self.fd_count(), self.fds());
    }

    /// Peak resident memory in KiB (`VmHWM`).
    ///
    /// # Panics
    /// If the process is gone.
    pub fn rss_peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next()).expect("VmHWM");
        number.parse().expect("a number of KiB")
    }

    /// User plus system time used so far, in clock ticks.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it runs");
        // The second field is the name in parentheses, which may contain blanks (proc(5)).
        let fields = stat.rsplit_once(')').expect("a process name").1;
        let ticks = |index: usize| {
            let field = fields.split_whitespace().nth(index).expect("a field of stat");
            field.parse::<u64>().expect("a number of ticks")
        };
        ticks(11) + ticks(12)
    }

    fn fds(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", self.pid())) else { return vec![] };
        let target = |path| fs::read_link(path).map(|to| to.display().to_string());
        entries.flatten().filter_map(|entry| target(entry.path()).ok()).collect()
    }
}
