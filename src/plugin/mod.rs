//! What the host's loader sees: the plugin table, the options, start and end, the listener.

pub mod lifecycle;
pub mod listener;
pub mod log;
pub mod options;
pub mod stats;
mod tls;
