//! The tokenizer of mysql-proxy 0.8 and the normalizer of its script library, with their oddities.
//!
//! Scripts rely on its ids and texts, and logs are compared by its normalized texts. It does not know the server's character set or
//! SQL mode: `#` starts no comment, `"x"` is always a string, a versioned comment is one token, and words that became reserved after
//! MySQL 5.1 are plain names. [`crate::exact`] reads as a server does.

mod class;
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
