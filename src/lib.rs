#![allow(
    rustdoc::invalid_codeblock_attributes,
    reason = "the README is a page of the site, too, where blocks have titles"
)]
#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! | module | what |
//! |---|---|
//! | [`boundary`] | the C boundary: panics stop here, and the proof of the host's mutex starts here |
//! | [`plugin`] | what the host's loader sees: options, start and end, listener, log, statistics |
//! | [`chassis`] | the host made safe |
//! | [`drive`] | moves the bytes of connections as the engine says |
//! | [`embed`] | CPython as a guest: interpreter, threads, script files |
//! | [`http`] | metrics and health over HTTP |
//! | [`checks`] | whether backends are there, and can be written to |
//! | [`slow_log`] | commands that took too long, in a file |
//! | [`takeover`] | a process gets the sockets of the one whose place it takes |
//!
//! | crate | what |
//! |---|---|
//! | [`engine`] | the rules of a connection, as a state machine without I/O |
//! | [`script`] | the objects a script sees, calling its hooks, encoding its answers |
//! | [`wire`] | the MySQL protocol |
//! | `native` | what the script library has in Rust |
//! | [`chassis_sys`] | the raw ABI of the host |
//!
//! `ARCHITECTURE.md` tells why, `SAFETY.md` lists the invariants that `SAFETY:` comments cite.

pub mod boundary;
pub mod chassis;
pub mod checks;
pub mod drive;
pub mod embed;
pub mod http;
pub mod plugin;
mod private_file;
pub mod slow_log;
pub mod takeover;

use std::ffi::c_int;

use chassis_sys::chassis_plugin;

/// Entry point of the library: the host calls it once after loading. 0 is success.
///
/// # Safety
/// `table` points to the zero-filled plugin table of a mysql-proxy host, or to memory that is not touched unless the
/// process is one (INV-3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_init(table: *mut chassis_plugin) -> c_int {
    // SAFETY: the caller's promise.
    boundary::guard(|| unsafe { plugin::lifecycle::init(table) }, || plugin::lifecycle::FAILURE)
}
