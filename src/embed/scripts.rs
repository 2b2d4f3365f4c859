//! The versions of the script, and the end of them all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use super::reload::Watch;
use super::script::Environment;
use super::watchdog::{Limits, Watchdog};
use super::{Script, deadline, threads};
use engine::{Session, Shared, Slot};
use script::{Asked, Binding, EventLoop, Mailbox, Versions};

/// The script, in the version that new connections get. Kept for the process.
#[derive(Debug)]
pub struct Scripts {
    path: PathBuf,
    environment: Arc<Environment>,
    /// Locked only to read or replace the handle, never while Python runs.
    current: Mutex<Arc<Script>>,
    /// Older versions, oldest first; those that open connections still use are alive.
    replaced: Mutex<Vec<Weak<Script>>>,
    /// A leaf lock.
    versions: Mutex<Versions>,
    watch: Option<Mutex<Watch>>,
    watchdog: Mutex<Option<Watchdog>>,
}

impl Scripts {
    pub(super) fn new(
        path: PathBuf,
        environment: Arc<Environment>,
        first: Script,
        watch: Option<Watch>,
    ) -> Self {
        let current = Mutex::new(Arc::new(first));
        let replaced = Mutex::default();
        Self {
            path,
            environment,
            current,
            replaced,
            versions: Mutex::new(Versions { current: 1, failed: 0, loaded_at: SystemTime::now() }),
            watch: watch.map(Mutex::new),
            watchdog: Mutex::default(),
        }
    }

    /// From now on somebody watches how long hooks take. In `apply_config`.
    pub fn limit(&self, limits: Limits) -> std::io::Result<()> {
        let watchdog = Watchdog::start(Arc::clone(&self.environment), limits)?;
        *lock(&self.watchdog) = Some(watchdog);
        Ok(())
    }

    /// The version a new connection gets. With reload on, looks at the file, at most once a second, and loads it if
    /// it, or its settings, changed; if that fails the old version stays, and the log says why, once.
    pub fn current(&self) -> Arc<Script> {
        if let Some(watch) = &self.watch {
            let changed = lock(watch).changed();
            if let Some(changed) = changed {
                self.reload(&changed);
            }
        }
        self.handle()
    }

    #[cfg(test)]
    pub(super) fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    fn handle(&self) -> Arc<Script> {
        Arc::clone(&lock(&self.current))
    }

    /// Loads the script again, because of what `changed`. Whether that went well.
    fn reload(&self, changed: &Path) -> bool {
        let loaded = threads::with_python(|py| Script::load(py, &self.environment, &self.path));
        match loaded {
            None => false,
            Some(Ok(script)) => {
                let replaced = std::mem::replace(&mut *lock(&self.current), Arc::new(script));
                {
                    let mut versions = lock(&self.replaced);
                    versions.retain(|version| version.strong_count() > 0);
                    versions.push(Arc::downgrade(&replaced));
                }
                {
                    let mut versions = lock(&self.versions);
                    versions.current += 1;
                    versions.loaded_at = SystemTime::now();
                }
                log::info!("{} changed: new connections get the new version", changed.display());
                // May call the old version's shutdown(proxy): not under the lock.
                drop(replaced);
                true
            }
            Some(Err(traceback)) => {
                lock(&self.versions).failed += 1;
                log::error!(
                    "{} changed, but the new version does not load; the old one stays:\n{traceback}",
                    changed.display()
                );
                false
            }
        }
    }

    /// The process ends: no hook is called any more, `shutdown(proxy)` of every version that is still in use and
    /// `atexit` handlers run, output is flushed.
    ///
    /// Python is not finalised: threads that attach later would hang or crash. A script that holds on to Python delays the
    /// end by a few seconds and no more.
    pub fn shutdown(&self) {
        if !threads::close() {
            return;
        }
        let mut versions: Vec<_> = lock(&self.replaced).iter().filter_map(Weak::upgrade).collect();
        versions.push(self.handle());
        let environment = Arc::clone(&self.environment);
        deadline::shut_down("the script", move |py| {
            for script in &versions {
                script.end(py);
            }
            if let Some(event_loop) = EventLoop::running() {
                event_loop.stop(py, None);
            }
            if let Err(error) = environment.bootstrap.finish(py) {
                let traceback = environment.bootstrap.describe(py, &error);
                log::error!("Python's exit handlers failed:\n{traceback}");
            }
        });
        let watchdog = lock(&self.watchdog).take();
        if let Some(watchdog) = watchdog {
            watchdog.stop();
        }
    }
}

impl script::Scripts for Scripts {
    fn bind(
        &self,
        session: Slot<Session>,
        shared: &Arc<Shared>,
        mailbox: Option<Arc<dyn Mailbox>>,
    ) -> Box<dyn Asked> {
        Box::new(Binding::new(self.current(), session, Arc::clone(shared), mailbox))
    }

    fn reload(&self) -> bool {
        Self::reload(self, &self.path)
    }

    fn versions(&self) -> Versions {
        *lock(&self.versions)
    }

    fn shutdown(&self) {
        Self::shutdown(self);
    }
}

/// What these mutexes guard is whole after every statement: a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
