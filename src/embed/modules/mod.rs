//! Modules that scripts import and that are written in Rust because they ask the host.

pub mod chassis;
