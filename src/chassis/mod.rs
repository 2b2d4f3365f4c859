//! The host made safe: one file per host struct, each a thin view over the raw declarations of `chassis-sys`.
//!
//! A view borrows what the host owns and lives no longer than the [`HostCall`](crate::boundary::HostCall) it was made
//! with (INV-2); an owned type frees through the host's own function. Functions of the host and of libevent are
//! reached through the table in [`api`], never linked.

pub mod address;
pub mod api;
pub mod backend;
pub mod backends;
pub mod con;
pub mod credentials;
pub mod event;
pub mod fork;
pub mod host;
pub mod host_log;
pub mod link;
pub mod mutex;
pub mod packet;
pub mod signals;
pub mod socket;

pub use backends::Backends;
pub use con::{Con, ConState, Retval};
pub use mutex::with_mutex;
pub use packet::{CommandPackets, Packet, release_memory};
pub use socket::{OwnedSocket, Socket};
