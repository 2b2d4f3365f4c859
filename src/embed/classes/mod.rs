//! The objects a script sees, one file each.
//!
//! None of them holds a pointer into the host. What belongs to a connection is reached through a slot that is emptied
//! when the connection ends, and only with the proof that a hook runs in this thread ([`access`]); everything else
//! is a value.

mod access;
mod address;
mod attributes;
mod auth;
mod backend;
mod backends;
mod config;
mod connection;
mod field;
mod flags;
mod globals;
mod hashing;
mod injection;
mod pool;
mod proxy;
mod queries;
mod queue;
mod response;
mod resultset;
mod rows;
mod sequence;
mod socket;
mod users;

pub use address::Address;
pub use auth::Auth;
pub use backend::Backend;
pub use backends::Backends;
pub use config::Config;
pub use connection::Connection;
pub use field::Field;
pub use flags::Flags;
pub use globals::Globals;
pub use injection::Injection;
pub use pool::Pool;
pub use proxy::Proxy;
pub use queries::Queries;
pub use queue::Queue;
pub use response::Response;
pub use resultset::Resultset;
pub use rows::{RowIterator, Rows};
pub use socket::Socket;
pub use users::Users;

use pyo3::prelude::*;

/// Adds every class to the module `pyproxy`, for annotations and `isinstance`.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Address>()?;
    module.add_class::<Auth>()?;
    module.add_class::<Backend>()?;
    module.add_class::<Backends>()?;
    module.add_class::<Config>()?;
    module.add_class::<Connection>()?;
    module.add_class::<Field>()?;
    module.add_class::<Flags>()?;
    module.add_class::<Globals>()?;
    module.add_class::<Injection>()?;
    module.add_class::<Pool>()?;
    module.add_class::<Proxy>()?;
    module.add_class::<Queries>()?;
    module.add_class::<Queue>()?;
    module.add_class::<Response>()?;
    module.add_class::<Resultset>()?;
    module.add_class::<RowIterator>()?;
    module.add_class::<Rows>()?;
    module.add_class::<Socket>()?;
    module.add_class::<Users>()
}
