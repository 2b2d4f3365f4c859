//! What tells lines of scripts from the proxy's own, for whoever writes the log.

/// Target of what scripts log.
pub const SCRIPT: &str = "pyproxy::script";

/// Target of what scripts log at the host's level message, which lies between warning and info; the `log` crate has
/// none like it.
pub const MESSAGE: &str = "pyproxy::script::message";
