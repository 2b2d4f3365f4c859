//! Test doubles: what unit tests put in place of what a host has.

mod backends;
mod logger;

pub use backends::AlwaysUp;
pub use logger::{keep_log, logged};
