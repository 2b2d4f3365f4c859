//! Drivers: they move bytes and ask the script, as the [`engine`] says. They hold no rule.
//!
//! [`lane`] has threads and a loop of its own; [`callbacks`] drives connections through mysql-proxy's own state machine.

pub mod callbacks;
mod context;
pub mod lane;
mod tls;

pub use context::{Context, TimeLimit, TimeLimits, context, install};
pub use tls::Tls;
