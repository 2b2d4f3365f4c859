//! The objects a script sees, one file each.
//!
//! None of them holds a pointer into the host. What belongs to a connection is reached through a slot that is emptied
//! when the connection ends, and only while this thread has the permission ([`access`]); everything else is a value.

pub mod access;
pub mod address;
pub mod attributes;
pub mod auth;
pub mod backend;
pub mod backends;
pub mod command;
pub mod config;
pub mod connection;
pub mod field;
pub mod flags;
pub mod globals;
pub mod hashing;
pub mod idle;
pub mod injection;
pub mod pool;
pub mod proxy;
pub mod queries;
pub mod query_stat;
pub mod query_stats;
pub mod queue;
pub mod response;
pub mod response_resultset;
pub mod resultset;
pub mod rows;
pub mod sequence;
pub mod session_changes;
pub mod sessions;
pub mod socket;
pub mod tls;
pub mod users;

use pyo3::prelude::*;

/// Adds every class to the module `pyproxy`, for annotations and `isinstance`.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    crate::answers::add_to(module)?;
    crate::waiting::add_to(module)?;
    module.add_class::<address::Address>()?;
    module.add_class::<auth::Auth>()?;
    module.add_class::<backend::Backend>()?;
    module.add_class::<backends::Backends>()?;
    module.add_class::<command::Command>()?;
    module.add_class::<config::Config>()?;
    module.add_class::<connection::Connection>()?;
    module.add_class::<field::Field>()?;
    module.add_class::<flags::Flags>()?;
    module.add_class::<globals::Globals>()?;
    module.add_class::<injection::Injection>()?;
    module.add_class::<pool::Pool>()?;
    module.add_class::<proxy::Proxy>()?;
    module.add_class::<queries::Queries>()?;
    module.add_class::<query_stat::QueryStat>()?;
    module.add_class::<query_stats::QueryStats>()?;
    module.add_class::<queue::Queue>()?;
    module.add_class::<response::Response>()?;
    module.add_class::<resultset::Resultset>()?;
    module.add_class::<rows::RowIterator>()?;
    module.add_class::<rows::ResultRows>()?;
    module.add_class::<session_changes::SessionChanges>()?;
    module.add_class::<sessions::ClientSession>()?;
    module.add_class::<sessions::ServerSession>()?;
    module.add_class::<socket::Socket>()?;
    module.add_class::<tls::Tls>()?;
    module.add_class::<users::Users>()
}
