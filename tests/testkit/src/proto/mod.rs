//! The wire encodings that the scripted peers need, and no more.
//!
//! Source: the MySQL client/server protocol documentation ("Basic Types", "Connection Phase",
//! "Text Protocol"). Classic dialect only: no DEPRECATE_EOF, no compression.

pub mod bytes;
pub mod caps;
pub mod ok_err;
pub mod packet;
pub mod resultset;
pub mod scramble;
