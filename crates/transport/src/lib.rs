#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
// Input is hostile: what could panic or truncate is refused by the compiler, not by review.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable
    )
)]

mod buffer;
mod channel;
pub mod compression;
pub mod password;
pub mod proxy_protocol;
mod socket;
mod stream;
pub mod tls;

pub use compression::Compression;
pub use stream::Stream;
pub use tls::{Handshake, TlsClient, TlsError, TlsInfo, TlsServer};
