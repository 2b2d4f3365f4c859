#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::indexing_slicing, clippy::panic, clippy::string_slice)
)]

mod exposition;
mod histogram;
mod sharded;
pub mod top;

pub use exposition::{Exposition, Format, Kind, Samples};
pub use histogram::{BOUNDS, Distribution, Histogram};
pub use sharded::Sharded;
pub use top::Top;
