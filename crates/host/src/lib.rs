//! A small host with the plugin ABI of mysql-proxy 0.8.5.
//!
//! It loads `lib<name>.so` plugins, drives their connections through the original's states and calls their hooks, so
//! that a plugin can be tested, tried and debugged on a machine without mysql-proxy. It is not a product: there is no
//! Lua, no pool of idle connections, and a plugin that breaks a rule ends the process.
//!
//! # Where it differs from the original, on purpose
//!
//! * A broken rule (a dead state, an empty chunk, a missing server, stale packets, a wrong packet header, ...) aborts
//!   with one line that names state and slot. The original aborts, crashes, hangs or leaks: `con/check.rs`.
//! * A client's packet with a wrong sequence id in READ_QUERY or READ_AUTH_OLD_PASSWORD closes the connection. The
//!   original forgets the connection and leaks it, with both descriptors open.
//! * At shutdown the other event threads are out of the state machine before connections are freed:
//!   `event_threads.rs`.
//! * A backend that still counts clients after the last one is gone makes the exit code 1: `backend.rs`.
//!
//! # Invariants that `unsafe` code relies on
//!
//! * **INV-1** The thread that holds a `Con` is the only one that drives that connection. A `Con` is made from the
//!   pointer of a fired event or of a fresh connection, and given up when the connection waits or is freed.
//! * **INV-2** The parts of a connection (sockets, queues, addresses) are used only while the connection is borrowed;
//!   a hook, which may replace or free them, borrows it mutably.
//! * **INV-3** An event in the shared queue belongs to the queue, then to the thread that armed it, then to the
//!   callback.
//!
//! Pointers in exported functions are trusted, as in the original: a plugin is part of the process.

mod address;
mod answer;
mod auth;
mod backend;
mod chassis;
mod con;
mod connect;
mod daemon;
mod event_threads;
mod exports;
mod framing;
mod glib;
mod keyfile;
mod libevent;
mod log;
mod lua_scope;
mod options;
mod packet;
mod plugins;
mod queue;
mod shutdown;
mod socket;
mod transfer;

pub use chassis::run;
