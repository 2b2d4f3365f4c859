//! The host object, and the order of its life.
//!
//! Facts: `docs/internals/life.md`. Members that no plugin uses stay NULL: `stats`, `threads` and `shutdown_hooks` (both kept
//! in this process once, so the pointer only stands for them).

use std::ffi::{OsString, c_int, c_short, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use chassis_sys::{chassis, chassis_log_head, chassis_private};

use crate::backend::{self, network_backends_free, network_backends_new};
use crate::con::object;
use crate::daemon::{self, Role};
use crate::event_threads::{EventLoop, EventThreads};
use crate::keyfile::KeyFile;
use crate::libevent::{self, Base};
use crate::options::{self, CommandLine, HostOptions, Settings};
use crate::plugins::{self, Plugin};
use crate::{exports, glib, log, lua_scope, shutdown};

/// The release whose ABI this host offers.
const COMPATIBLE_WITH: &str = "0.8.5";

/// How a run ended, before clean-up.
enum Outcome {
    /// The process was told to stop.
    Stopped,
    /// `--version` was answered.
    VersionShown,
    /// The worker of `--keepalive` ended with this code.
    AngelDone(c_int),
}

/// Everything the process holds. Dropping it is the shutdown, in the order of the original.
struct Host {
    raw: *mut chassis,
    plugins: Vec<Plugin>,
    event_loop: Option<EventLoop>,
    threads: Option<EventThreads>,
    verbose_shutdown: bool,
}

impl Host {
    fn new() -> Self {
        let raw: *mut chassis = glib::alloc_zeroed();
        let private: *mut chassis_private = glib::alloc_zeroed();
        let log: *mut chassis_log_head = glib::alloc_zeroed();
        // SAFETY: fresh memory of the three structs.
        unsafe {
            (*private).cons = glib_sys::g_ptr_array_new();
            (*private).sc = lua_scope::as_ptr();
            (*private).backends = network_backends_new();
            (*raw).priv_ = private;
            (*raw).modules = glib_sys::g_ptr_array_new();
            (*raw).event_hdr_version = glib::strdup(libevent::HEADER_VERSION.as_bytes());
            (*raw).log = log.cast();
        }
        Self { raw, plugins: Vec::new(), event_loop: None, threads: None, verbose_shutdown: false }
    }

    /// Publishes what the options said, for the plugins.
    fn publish(&mut self, base_dir: &Path) {
        // SAFETY: the host object is live; only this thread knows it yet.
        unsafe {
            (*self.raw).base_dir = glib::strdup(base_dir.as_os_str().as_bytes());
            log::share((*self.raw).log.cast());
        }
    }

    /// Loads the plugins of a list; empty names are skipped. What was loaded before a failure is destroyed with the
    /// host.
    fn load_plugins(&mut self, dir: &Path, names: &[String]) -> Result<(), String> {
        for name in names.iter().filter(|name| !name.is_empty()) {
            let plugin = Plugin::load(&plugins::file_of(dir, name), name).map_err(|reason| {
                log::critical(&reason);
                "setting --plugin-dir=<dir> might help".to_owned()
            })?;
            // SAFETY: the host object is live; the table lives until `drop`.
            unsafe { glib_sys::g_ptr_array_add((*self.raw).modules, plugin.as_ptr().cast()) };
            self.plugins.push(plugin);
        }
        Ok(())
    }

    /// From the command line to the end of the main loop.
    fn run(&mut self, args: Vec<OsString>) -> Result<Outcome, String> {
        libevent::check_version()?;
        let missing = exports::missing();
        if !missing.is_empty() {
            return Err(format!("this executable does not export: {}", missing.join(", ")));
        }
        let host_options = HostOptions::new();
        let mut line = CommandLine::new(args);
        let (settings, keyfile) = read_host_options(&host_options, &mut line)?;
        self.verbose_shutdown = settings.verbose_shutdown;
        let base_dir = base_dir(&settings)?;
        let absolute =
            |path: &PathBuf| options::resolve(&base_dir, path).unwrap_or_else(|| path.clone());
        let log_file = settings.log_file.as_ref().map(absolute);
        open_log(&settings, log_file.as_deref())?;
        self.publish(&base_dir);

        let plugin_dir = settings.plugin_dir.as_ref().map(absolute);
        let plugin_dir = plugin_dir.unwrap_or_else(|| base_dir.join("lib/mysql-proxy/plugins"));
        let names = settings.plugins.clone().unwrap_or_else(|| vec!["proxy".to_owned()]);
        self.load_plugins(&plugin_dir, &names)?;
        for plugin in &self.plugins {
            plugin.read_options(&mut line, keyfile.as_ref(), &base_dir)?;
        }
        if settings.version {
            println!("-- modules");
            for plugin in &self.plugins {
                println!("  {}: {}", plugin.name(), plugin.version());
            }
            return Ok(Outcome::VersionShown);
        }
        line.finish()?;
        drop(line);
        let workers = usize::try_from(settings.event_threads).ok().filter(|&count| count > 0);
        let workers = workers.ok_or_else(|| {
            format!("--event-threads has to be >= 1, is {}", settings.event_threads)
        })?;

        daemon::ignore_sigpipe();
        if settings.daemon {
            daemon::daemonize();
        }
        if settings.keepalive {
            match daemon::keep_alive().map_err(|error| format!("fork() failed: {error}"))? {
                Role::Angel(code) => return Ok(Outcome::AngelDone(code)),
                Role::Worker => {}
            }
        }
        if let Some(path) = settings.pid_file.as_ref().map(absolute) {
            daemon::write_pid_file(&path)?;
        }
        for plugin in &self.plugins {
            log::critical(&format!("plugin {} {} started", plugin.name(), plugin.version()));
        }
        if settings.max_open_files != 0 {
            daemon::limit_open_files(settings.max_open_files).map_err(|error| {
                format!("setting fdlimit = {} failed: {error}", settings.max_open_files)
            })?;
        }
        self.serve(&settings, log_file.as_deref(), workers)
    }

    /// Applies the plugins' configuration and runs the main loop.
    fn serve(
        &mut self,
        settings: &Settings,
        log_file: Option<&Path>,
        workers: usize,
    ) -> Result<Outcome, String> {
        libevent::log_through_glib();
        let event_loop = EventLoop::new().map_err(|error| format!("no event loop: {error}"))?;
        // SAFETY: the host object is live; only this thread uses it yet.
        unsafe {
            (*self.raw).event_base = event_loop.base().as_ptr();
            (*self.raw).event_thread_count = settings.event_threads;
            if let Some(user) = &settings.user {
                (*self.raw).user = glib::strdup(user.as_bytes());
            }
        }
        let event_loop = self.event_loop.insert(event_loop);
        for plugin in &self.plugins {
            // SAFETY: the host object has all that the ABI promises here.
            if !unsafe { plugin.apply_config(self.raw) } {
                log::critical(&format!("applying config of plugin {} failed", plugin.name()));
                return Err("Failure from chassis_mainloop. Shutting down.".to_owned());
            }
        }
        if let Some(user) = &settings.user {
            daemon::become_user(user, log_file)?;
        }
        let base = event_loop.base();
        base.watch_signal(libc::SIGTERM, on_stop);
        base.watch_signal(libc::SIGINT, on_stop);
        base.watch_signal(libc::SIGHUP, on_hangup);
        let threads = EventThreads::start(workers - 1)
            .map_err(|error| format!("no event thread: {error}"))?;
        self.threads = Some(threads);
        event_loop.serve();
        Ok(Outcome::Stopped)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(threads) = &self.threads {
            threads.wait_until_parked();
        }
        // SAFETY: the host object is live, every other thread is parked or ended; each part is freed once.
        unsafe {
            object::close_all(self.raw);
            for plugin in &self.plugins {
                plugin.destroy();
            }
            shutdown::call_hooks();
            self.plugins.clear();
            glib_sys::g_ptr_array_free((*self.raw).modules, glib_sys::GTRUE);
            let private = (*self.raw).priv_;
            glib_sys::g_ptr_array_free((*private).cons, glib_sys::GTRUE);
            network_backends_free((*private).backends);
            glib::free(private);
            glib::free((*self.raw).base_dir);
            glib::free((*self.raw).user);
            self.threads = None;
            self.event_loop = None;
            glib::free((*self.raw).event_hdr_version);
            log::keep();
            glib::free((*self.raw).log);
            glib::free(self.raw);
        }
    }
}

/// SIGTERM and SIGINT.
unsafe extern "C" fn on_stop(_signal: c_int, _events: c_short, base: *mut c_void) {
    shutdown::request("signal handler");
    // SAFETY: this is a callback of the main thread's base.
    unsafe { Base::leave(base) };
}

/// SIGHUP.
unsafe extern "C" fn on_hangup(_signal: c_int, _events: c_short, _base: *mut c_void) {
    log::message("received a SIGHUP, closing log file");
    log::reopen();
    log::message("re-opened log file after SIGHUP");
}

/// Parses the host's options from command line and ini file, and answers the host's part of `--version`.
fn read_host_options(
    options: &HostOptions,
    line: &mut CommandLine,
) -> Result<(Settings, Option<KeyFile>), String> {
    line.add_main(&options.command_line_only());
    line.parse().map_err(|error| error.message)?;
    let early = options.settings();
    let keyfile = match &early.defaults_file {
        None => None,
        Some(path) => Some(KeyFile::open(path).map_err(|reason| {
            format!("loading config from '{}' failed: {reason}", path.display())
        })?),
    };
    if early.version {
        println!("mysql-proxy {COMPATIBLE_WITH} (pyproxy's host {})", env!("CARGO_PKG_VERSION"));
        println!("  chassis: {COMPATIBLE_WITH}");
        println!("  glib2: {}", env!("GLIB_HEADER_VERSION"));
        println!("  libevent: {}", libevent::version());
    }
    let entries = options.main();
    line.add_main(&entries);
    line.parse().map_err(|error| error.message)?;
    if let Some(keyfile) = &keyfile {
        // SAFETY: the host's own table, which matches its values.
        unsafe { keyfile.apply(entries.as_ptr()) }?;
    }
    Ok((options.settings(), keyfile))
}

/// The directory that relative names are meant to be in.
fn base_dir(settings: &Settings) -> Result<PathBuf, String> {
    if let Some(dir) = &settings.basedir {
        return if dir.is_absolute() {
            Ok(dir.clone())
        } else {
            Err(format!("--basedir option must be an absolute path, but was {}", dir.display()))
        };
    }
    let executable = std::env::current_exe().and_then(std::fs::canonicalize);
    let executable =
        executable.map_err(|error| format!("Failed to get base directory: {error}"))?;
    Ok(executable.ancestors().nth(2).unwrap_or(Path::new("/")).to_owned())
}

fn open_log(settings: &Settings, file: Option<&Path>) -> Result<(), String> {
    match (file, settings.log_use_syslog) {
        (Some(_), true) => {
            return Err(
                "log-file and log-use-syslog were given, but only one is allowed".to_owned()
            );
        }
        (Some(path), false) => log::open_file(path)
            .map_err(|error| format!("can't open log-file '{}': {error}", path.display()))?,
        (None, true) => log::use_syslog(),
        (None, false) => {}
    }
    let level = settings.log_level.as_deref().unwrap_or("critical");
    if log::set_level(level) {
        Ok(())
    } else {
        Err(format!("--log-level=... failed, level '{level}' is unknown "))
    }
}

/// Runs the host with these arguments, the program's name first. Returns the exit code.
pub fn run(args: Vec<OsString>) -> u8 {
    log::init();
    let mut host = Host::new();
    let outcome = host.run(args);
    if let Err(reason) = &outcome {
        log::critical(reason);
    }
    let code = match &outcome {
        Ok(Outcome::Stopped | Outcome::VersionShown) => 0,
        Ok(Outcome::AngelDone(code)) => u8::try_from(*code).unwrap_or(1),
        Err(_) => 1,
    };
    shutdown::request("the end of main");
    if !matches!(outcome, Ok(Outcome::VersionShown)) {
        let text = format!("shutting down normally, exit code is: {code}");
        if host.verbose_shutdown { log::critical(&text) } else { log::message(&text) }
    }
    drop(host);
    if code == 0 && backend::miscounted() { 1 } else { code }
}
