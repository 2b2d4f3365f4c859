//! TLS with the distribution's OpenSSL.
//!
//! Facts (all tried with real clients and servers): clients and servers of MySQL and MariaDB use TLS 1.2 and 1.3, resume
//! sessions, know no ALPN, and end with an end of file rather than with close_notify.

mod certificate;
mod client;
mod error;
mod info;
mod options;
mod server;
mod session;

pub use client::{TlsClient, TlsClientOptions, Verification};
pub use error::TlsError;
pub use info::TlsInfo;
pub use options::{Policy, TlsVersion};
pub use server::{ClientCertificates, TlsServer, TlsServerOptions};
pub use session::Handshake;
pub(crate) use session::Session;
