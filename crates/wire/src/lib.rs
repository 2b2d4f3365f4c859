#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
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

pub mod binary;
pub mod capabilities;
pub mod collation;
pub mod command;
pub mod compressed;
pub mod connect;
pub mod error;
pub mod lenenc;
pub mod marker;
pub mod packet;
pub mod password;
pub mod query_attributes;
pub mod reader;
pub mod reply;
pub mod result;
pub mod statement;
pub mod writer;

pub use capabilities::Capabilities;
pub use command::Command;
pub use error::WireError;
pub use packet::{HEADER_LEN, Header, MAX_PAYLOAD};
pub use reader::Reader;
pub use writer::Writer;
