//! `pyproxy-check-config`: everything up to listening, and a word about what would run. For `plugins=pyproxy` alone: other plugins
//! begin to listen.

use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;

use chassis_sys as sys;
use engine::Shared;

use super::lifecycle::load_script;
use super::options::{EventLoop, Options};
use super::start_error::StartError;
use crate::chassis::host;

/// Loads the script, tells that all is well, and has the host end: with status 0.
///
/// # Safety
/// `chas` is the host object; called from `apply_config`.
pub(super) unsafe fn run(
    chas: *mut sys::chassis,
    options: &Options,
    shared: &Arc<Shared>,
) -> Result<(), StartError> {
    // SAFETY: the caller's promise.
    if !unsafe { host::has_one_plugin(chas) } {
        return Err(StartError::NotAlone);
    }
    check_folder_of_slow_log(options)?;
    // SAFETY: as above.
    let scripts = unsafe { load_script(chas, options, shared) }?;
    if let Some(scripts) = scripts {
        scripts.shutdown();
    }
    for line in summary(options) {
        log::info!("{line}");
        tell(&line);
    }
    host::request_shutdown(c"pyproxy-check-config");
    Ok(())
}

/// The file is made at the start, by the user that the proxy runs as then.
fn check_folder_of_slow_log(options: &Options) -> Result<(), StartError> {
    let Some(path) = &options.slow_log else { return Ok(()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let metadata = std::fs::metadata(folder.unwrap_or(Path::new(".")));
    metadata
        .map(|_| ())
        .map_err(|source| StartError::SlowLog { path: path.display().to_string(), source })
}

/// What the options say.
fn summary(options: &Options) -> Vec<String> {
    let threads = match options.event_loop {
        EventLoop::Own => "threads of the plugin",
        EventLoop::Chassis => "mysql-proxy's event loop",
    };
    let mut lines = vec![
        "the configuration is good".to_owned(),
        format!("clients: at {}, served by {threads}", options.address),
        format!("read-write backends: {}", options.backends.join(", ")),
    ];
    if !options.readonly_backends.is_empty() {
        lines.push(format!("read-only backends: {}", options.readonly_backends.join(", ")));
    }
    lines.push(match &options.script {
        Some(script) => format!("script: {}, it was loaded", script.display()),
        None => "script: none".to_owned(),
    });
    if let Some(path) = &options.takeover {
        lines.push(format!("takes over, and is taken over: at {path}"));
    }
    if let Some(address) = &options.http_address {
        lines.push(format!("HTTP endpoint: at {address}"));
    }
    lines
}

/// Says it to who is looking, wherever the log goes.
pub(super) fn tell(line: &str) {
    // Nobody need be.
    _ = writeln!(stdout(), "pyproxy: {}", script::escape::lines(line));
}
