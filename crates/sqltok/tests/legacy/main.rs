//! The legacy tokenizer: recorded answers of the original, properties, and a second tokenizer to compare with.

mod common;
mod golden;
mod properties;
mod rules;
