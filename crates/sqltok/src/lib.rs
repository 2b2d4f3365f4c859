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
mod comment;
mod keyword;
mod name;
mod normalize;
mod number;
mod quoted;
mod symbol;
mod token;
mod token_id;
mod tokenizer;

pub use normalize::normalize;
pub use token::Token;
pub use token_id::TokenId;
pub use tokenizer::{Tokenizer, tokenize};
