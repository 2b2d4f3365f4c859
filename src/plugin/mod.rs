//! What the host's loader sees: the plugin table, the options, start and end, the sockets that are listened on.

mod check_config;
pub mod lifecycle;
pub mod listener;
pub mod log;
pub mod options;
mod sockets;
mod start_error;
pub mod stats;
mod tls;
