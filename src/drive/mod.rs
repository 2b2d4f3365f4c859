//! Drivers: they move bytes and ask the script, as the [`engine`] says. They hold no rule.
//!
//! [`callbacks`] drives connections through mysql-proxy's own state machine.

pub mod callbacks;
mod context;

pub use context::{Context, TimeLimits, context, install};
