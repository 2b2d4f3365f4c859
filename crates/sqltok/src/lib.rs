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

mod bytes;
pub mod exact;
pub mod legacy;
