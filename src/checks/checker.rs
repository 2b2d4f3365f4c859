//! The thread that has backends checked.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::BackendState;

use super::check::{Job, Report};
use super::schedule::Schedule;
use super::{Account, Checks};
use crate::boundary::guard;
use crate::chassis::backend::Backend;
use crate::drive::Context;

/// How often it is looked who is due, at least.
const TICK: Duration = Duration::from_secs(1);
/// The same at most.
const LEAST_TICK: Duration = Duration::from_millis(10);

/// The thread, while it runs.
#[derive(Debug)]
pub struct Running {
    thread: JoinHandle<()>,
    news: Sender<News>,
}

#[derive(Debug)]
enum News {
    /// The check of the backend with this index is over; `None`: something went wrong in it.
    Checked(usize, Option<Report>),
    /// No more checks.
    Stop,
}

impl Checks {
    /// Starts the thread.
    pub fn start(self, ctx: &'static Context) -> io::Result<Running> {
        let (sender, receiver) = channel();
        let news = sender.clone();
        let Self { interval, account } = self;
        let schedule = Schedule::new(interval);
        let checker =
            Checker { ctx, interval, account, schedule, complaints: HashMap::new(), sender };
        let run = move || guard(|| checker.run(&receiver), || ());
        let thread = std::thread::Builder::new().name("pyproxy-check".to_owned()).spawn(run)?;
        Ok(Running { thread, news })
    }
}

impl Running {
    /// Ends the thread. Checks that are under way are left to themselves, and nobody hears of them.
    pub fn stop(self) {
        // One that has panicked said so in the log.
        _ = self.news.send(News::Stop);
        _ = self.thread.join();
    }
}

struct Checker {
    ctx: &'static Context,
    interval: Duration,
    account: Option<Account>,
    schedule: Schedule,
    /// What was complained about last.
    complaints: HashMap<usize, String>,
    sender: Sender<News>,
}

impl Checker {
    fn run(mut self, news: &Receiver<News>) {
        let tick = (self.interval / 4).clamp(LEAST_TICK, TICK);
        loop {
            self.look(Instant::now());
            match news.recv_timeout(tick) {
                Ok(News::Checked(ndx, report)) => self.note(ndx, report),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(News::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Begins the checks that are due.
    fn look(&mut self, now: Instant) {
        for ndx in 0..self.ctx.backends.len() {
            let Some(backend) = self.ctx.backends.get(ndx) else { continue };
            if backend.state().is_left() {
                self.schedule.forget(ndx);
                continue;
            }
            if !self.schedule.begin(ndx, now) {
                continue;
            }
            if self.is_known_to_greet(ndx, &backend, now) || self.begin(ndx, &backend).is_err() {
                self.schedule.done(ndx, false, now);
            }
        }
    }

    /// Whether a check could tell no more than a client's connect just did: servers count who only looks at their greeting.
    fn is_known_to_greet(&self, ndx: usize, backend: &Backend, now: Instant) -> bool {
        self.account.is_none()
            && backend.state() == BackendState::Up
            && now.checked_sub(self.interval).is_some_and(|at| self.ctx.shared.has_greeted(ndx, at))
    }

    fn begin(&self, ndx: usize, backend: &Backend) -> io::Result<()> {
        let job = Job {
            ctx: self.ctx,
            address: backend.address(),
            host: self.ctx.backends.host(ndx),
            kind: backend.kind(),
            account: self.account.clone(),
        };
        let sender = self.sender.clone();
        let run = move || {
            let report = guard(|| Some(job.run()), || None);
            // Nobody listens any more at the end.
            _ = sender.send(News::Checked(ndx, report));
        };
        std::thread::Builder::new().name(format!("pyproxy-check-{ndx}")).spawn(run).map(drop)
    }

    /// A check is over.
    fn note(&mut self, ndx: usize, report: Option<Report>) {
        let has_failed = report.as_ref().is_some_and(|report| report.verdict.is_err());
        self.schedule.done(ndx, has_failed, Instant::now());
        let Some((report, backend)) = report.zip(self.ctx.backends.get(ndx)) else { return };
        if let Some(address) = report.moved {
            let (before, now) = (backend.address().name, address.name.clone());
            backend.move_to(address);
            log::warn!("backend {before}: its name leads to {now} now");
        }
        let name = backend.address().name;
        let stats = self.ctx.shared.stats.backends.get(ndx);
        match report.verdict {
            Ok(found) => {
                stats.iter().for_each(|stats| stats.connects.observe(report.took));
                if backend.found(true) {
                    log::info!("backend {name}: the check succeeded, marked UP");
                }
                self.complain(ndx, &name, found.complaint);
            }
            Err(why) => {
                stats.iter().for_each(|stats| _ = stats.failures.increment());
                if backend.found(false) {
                    log::warn!("backend {name}: the check failed ({why}), marked DOWN");
                }
            }
        }
    }

    /// Says once what keeps checks from knowing more.
    fn complain(&mut self, ndx: usize, name: &str, complaint: Option<String>) {
        let Some(complaint) = complaint else {
            self.complaints.remove(&ndx);
            return;
        };
        if self.complaints.get(&ndx) != Some(&complaint) {
            log::warn!("backend {name}: the check sees no more than that it is there: {complaint}");
            self.complaints.insert(ndx, complaint);
        }
    }
}
