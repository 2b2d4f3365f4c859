//! One file per step of a connection's life: decides, moves packets, and knows no Python API.
//!
//! The host calls the functions of [`callbacks`] with its global mutex held; each builds a [`Step`] and runs one
//! handler. What a handler leaves behind for the next one lives in a [`Connection`]. The rules that all of them keep
//! (always a new state, no empty chunk, numbering, exactly one answer per command) are those of
//! `spec/host-contract.md` 1.4 and 2.

mod answer;
pub mod callbacks;
mod cleanup;
mod connect_server;
mod connection;
mod context;
mod init;
mod injections;
mod local_infile;
mod login_rounds;
mod read_auth;
mod read_auth_result;
mod read_handshake;
mod read_query;
mod read_query_result;
mod send_query_result;
mod step;
mod timeout;
mod use_statement;

pub use connection::Connection;
pub use context::{Context, OnScriptError, Settings, context, install};
pub use step::Step;
