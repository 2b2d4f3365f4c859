//! Start and end: what the host calls between loading the library and leaving the process (`docs/internals/life.md`).
//!
//! `plugin_init`, `init` and `get_options` also run for `--help`, `--version` and in parents that fork and leave:
//! they only fill tables. Everything that lives (Python, sockets, threads) begins in `apply_config`.

use std::ffi::{CStr, c_char, c_int};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use chassis_sys as sys;
use engine::{BackendKind, Clock, QueryStats, Shared, SlowQueries};
use glib_sys::GOptionEntry;
use script::{Permission, Scripts};

use super::options::{EventLoop, NAMES, Options, RawOptions, ini_file};
use super::sockets::{self, Sockets};
use super::start_error::StartError;
use super::{check_config, log as host_log, stats, tls};
use crate::boundary::{self, PANICS, guard, host_call, panic_on_purpose};
use crate::chassis::host_log::LogLevel;
use crate::chassis::{Backends, api, fork, host, mutex, signals};
use crate::checks;
use crate::drive::lane::{Counts, Limits};
use crate::drive::{self, Context};
use crate::embed::{self, PythonConfig};
use crate::slow_log::{self, SlowLog};

/// What the host takes for success.
const SUCCESS: c_int = 0;
/// What the host takes for failure.
pub const FAILURE: c_int = -1;

/// Fills the plugin table.
///
/// # Safety
/// As for [`crate::plugin_init`].
pub unsafe fn init(table: *mut sys::chassis_plugin) -> c_int {
    host_log::install();
    boundary::install_panic_hook();
    panic_on_purpose("plugin_init");
    if let Err(e) = api::load() {
        log::error!("{e}");
        return FAILURE;
    }
    // SAFETY: api::load recognised a host of this ABI family, so `table` has this layout.
    let table = unsafe { &mut *table };
    table.magic = sys::CHASSIS_PLUGIN_MAGIC.into();
    table.name = g_strdup(c"pyproxy");
    table.version = g_strdup(VERSION);
    table.init = Some(new_config);
    table.get_options = Some(get_options);
    table.apply_config = Some(apply_config);
    table.destroy = Some(destroy);
    table.new_stats = Some(stats::new_stats);
    table.free_stats = Some(stats::free_stats);
    table.get_stats = Some(stats::get_stats);
    SUCCESS
}

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL inside"),
    };

fn g_strdup(text: &CStr) -> *mut c_char {
    // SAFETY: GLib copies a valid C string.
    unsafe { glib_sys::g_strdup(text.as_ptr()) }
}

/// The ini file, if there is one; found before mysql-proxy changes its directory.
static INI_FILE: OnceLock<Option<PathBuf>> = OnceLock::new();

unsafe extern "C" fn new_config() -> *mut sys::chassis_plugin_config {
    guard_pointer(|| {
        panic_on_purpose("init");
        INI_FILE.get_or_init(ini_file::of_command_line);
        Box::into_raw(RawOptions::new()).cast()
    })
}

unsafe extern "C" fn get_options(config: *mut sys::chassis_plugin_config) -> *mut GOptionEntry {
    guard_pointer(|| {
        panic_on_purpose("get_options");
        // SAFETY: `config` is NULL or what `new_config` returned, and nobody else uses it now.
        match unsafe { config.cast::<RawOptions>().as_mut() } {
            Some(raw) => raw.entries(),
            None => std::ptr::null_mut(),
        }
    })
}

/// [`guard`] for a function that returns a pointer: a panic gives NULL.
fn guard_pointer<T>(body: impl FnOnce() -> *mut T) -> *mut T {
    guard(|| Some(body()), || None).unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn apply_config(
    chas: *mut sys::chassis,
    config: *mut sys::chassis_plugin_config,
) -> c_int {
    // SAFETY: the host calls this on its main thread before any connection exists, so no callback runs anywhere
    // (INV-1): the script's `init` may look at the backends.
    unsafe {
        host_call(
            |_| match start(chas, config) {
                Ok(()) => SUCCESS,
                Err(e) => {
                    log::error!("{e}");
                    // And `config` is what `new_config` returned.
                    let raw = config.cast::<RawOptions>().as_ref();
                    if raw.is_some_and(|raw| raw.values().check_config) {
                        check_config::tell(&e.to_string());
                    }
                    FAILURE
                }
            },
            |_| FAILURE,
        )
    }
}

/// # Safety
/// Called from `apply_config` with its arguments.
unsafe fn start(
    chas: *mut sys::chassis,
    config: *mut sys::chassis_plugin_config,
) -> Result<(), StartError> {
    static STARTED: AtomicBool = AtomicBool::new(false);
    panic_on_purpose("apply_config");
    // The host goes on after a panic in `get_options`, but without the options: with none of the user's rules.
    if PANICS.load(Ordering::Relaxed) > 0 {
        return Err(StartError::Panicked);
    }
    // SAFETY: `config` is what `new_config` returned.
    let raw = unsafe { config.cast::<RawOptions>().as_ref() }.ok_or(StartError::NoMemory)?;
    if let Some(file) = INI_FILE.get().and_then(Option::as_deref) {
        ini_file::check(file, NAMES)?;
    }
    let options = Options::check(&raw.values())?;
    if !options.enabled {
        return Ok(());
    }
    if STARTED.swap(true, Ordering::Relaxed) {
        return Err(StartError::Twice);
    }
    let tls = tls::load(&options)?;
    // SAFETY: `chas` is the host object.
    let backends = unsafe { own_backends(chas) }.ok_or(StartError::NoMemory)?;
    add_backends(&backends, &options)?;
    let (list, max_kept_bytes) = (Box::new(backends.clone()), options.max_kept_bytes);
    let mut shared = Shared::new(list, options.pool_change_user, max_kept_bytes);
    shared.capacity.set_common_limit(options.backend_max_connections);
    shared.server_version.clone_from(&options.server_version);
    shared.observes = options.http_address.is_some();
    if options.query_stats > 0 {
        let clock = Clock::new(Instant::now(), SystemTime::now());
        shared.queries = Some(QueryStats::new(options.query_stats, clock));
    }
    let slow_log =
        if options.check_config { None } else { open_slow_log(&options, &backends, &mut shared)? };
    shared.notes_queries = shared.queries.is_some()
        || shared.slow.is_some()
        || (shared.observes && options.http_shows_queries);
    shared.hook_timeout = Some(options.hook_timeout).filter(|limit| !limit.is_zero());
    let shared = Arc::new(shared);
    if options.check_config {
        // SAFETY: called from `apply_config` with its arguments.
        return unsafe { check_config::run(chas, &options, &shared) };
    }
    let checks = options.checks();
    if checks.is_some() {
        backends.rely_on_checks();
    }
    let sockets = Sockets::take(&options)?;
    // SAFETY: `chas` is the host object.
    let scripts = unsafe { load_script(chas, &options, &shared) }?;
    if let Some(scripts) = &scripts {
        let limits = embed::Limits {
            warn: Some(options.hook_warn).filter(|limit| !limit.is_zero()),
            timeout: shared.hook_timeout,
            drain: options.drain_timeout,
        };
        scripts.limit(limits).map_err(StartError::Watchdog)?;
    }
    let scripts = scripts.map(|scripts| Box::new(scripts) as Box<dyn Scripts>);
    let context = Context {
        shared,
        backends,
        scripts,
        settings: options.settings(),
        tls,
        time_limits: options.time_limits(),
        limits: Arc::new(Limits::new(options.max_connections, options.max_connections_per_address)),
        has_own_loop: options.event_loop == EventLoop::Own,
        counts: Counts::default(),
        proxies: options.proxy_protocol_from.clone(),
        names_clients: options.backend_proxy_protocol,
        // SAFETY: `chas` is the host object.
        log_level: unsafe { LogLevel::of(chas) },
        shows_queries: options.http_shows_queries,
        closing: AtomicBool::new(false),
    };
    // SAFETY: as above.
    unsafe { mutex::remember(chas) };
    let context = drive::install(context).map_err(|_| StartError::Twice)?;
    if let Some(writer) = slow_log {
        let writes = writer.start().map_err(|source| no_slow_log(&options, source))?;
        *running_slow_log() = Some(writes);
    }
    if let Some(checks) = checks {
        *running_checks() = Some(checks.start(context).map_err(StartError::Checks)?);
    }
    // SAFETY: called from `apply_config` with its arguments.
    unsafe { sockets.open(chas, config, &options, context) }
}

/// Starts Python and loads the script, if there is one.
///
/// # Safety
/// `chas` is the host object; called from `apply_config`.
pub(super) unsafe fn load_script(
    chas: *mut sys::chassis,
    options: &Options,
    shared: &Arc<Shared>,
) -> Result<Option<embed::Scripts>, StartError> {
    let Some(script) = options.script.clone() else { return Ok(None) };
    fork::prepare(Permission::revoke).map_err(StartError::Fork)?;
    // SAFETY: the caller's promise.
    let (base_dir, version) = unsafe { (host::base_dir(chas), host::version(chas)) };
    let python = PythonConfig {
        script,
        base_dir,
        script_config: options.script_config.clone(),
        venv: options.venv.clone(),
        reload: options.reload,
        may_wait: options.event_loop == EventLoop::Own,
    };
    Ok(Some(embed::start(python, options.for_scripts(), Arc::clone(shared), version)?))
}

/// The host's global list, so that the admin plugin shows our backends, unless another plugin uses it: then a list of
/// our own (`docs/operations.md#several-plugins`).
///
/// # Safety
/// `chas` is the host object.
unsafe fn own_backends(chas: *mut sys::chassis) -> Option<Backends> {
    // SAFETY: the caller's promise.
    unsafe {
        if host::has_plugin(chas, c"proxy") {
            return Backends::new();
        }
        Backends::global(chas).or_else(Backends::new)
    }
}

fn add_backends(backends: &Backends, options: &Options) -> Result<(), StartError> {
    let lists = [
        ("pyproxy-backend-addresses", &options.backends, BackendKind::ReadWrite),
        ("pyproxy-readonly-backend-address", &options.readonly_backends, BackendKind::ReadOnly),
    ];
    for (option, addresses, kind) in lists {
        for address in addresses {
            if backends.add(address, kind).is_none() {
                return Err(StartError::Backend { option, address: address.clone() });
            }
        }
    }
    Ok(())
}

fn no_slow_log(options: &Options, source: std::io::Error) -> StartError {
    let path = options.slow_log.as_ref().map(|path| path.display().to_string());
    StartError::SlowLog { path: path.unwrap_or_default(), source }
}

/// Opens the slow log, if there is one: from now on slow commands are left for it.
fn open_slow_log(
    options: &Options,
    backends: &Backends,
    shared: &mut Shared,
) -> Result<Option<slow_log::Writer>, StartError> {
    let limit = options.slow_query;
    let Some(path) = options.slow_log.as_ref().filter(|_| !limit.is_zero()) else {
        return Ok(None);
    };
    let opened = SlowLog::open(path, backends.clone(), options.slow_log_shows_queries);
    let (log, writer) = opened.map_err(|source| no_slow_log(options, source))?;
    shared.slow = Some(SlowQueries { limit, log: Box::new(log) });
    Ok(Some(writer))
}

/// The thread that writes the slow log, while there is one.
fn running_slow_log() -> MutexGuard<'static, Option<slow_log::Running>> {
    static WRITES: Mutex<Option<slow_log::Running>> = Mutex::new(None);
    WRITES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that has backends checked, while there is one.
fn running_checks() -> MutexGuard<'static, Option<checks::Running>> {
    static CHECKS: Mutex<Option<checks::Running>> = Mutex::new(None);
    CHECKS.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "C" fn destroy(config: *mut sys::chassis_plugin_config) {
    signals::end_begins();
    let checks = running_checks().take();
    guard(|| checks.into_iter().for_each(checks::Running::stop), || ());
    // Whatever else happens, the threads must have ended when the host goes on.
    sockets::close();
    let slow_log = running_slow_log().take();
    guard(|| slow_log.into_iter().for_each(slow_log::Running::stop), || ());
    guard(
        || {
            panic_on_purpose("destroy");
            if let Some(context) = drive::context() {
                context.closing.store(true, Ordering::Relaxed);
                if let Some(scripts) = &context.scripts {
                    scripts.shutdown();
                }
            }
            if !config.is_null() {
                // SAFETY: `config` came from `new_config`, and the host calls destroy once.
                drop(unsafe { Box::from_raw(config.cast::<RawOptions>()) });
            }
        },
        || (),
    );
}
