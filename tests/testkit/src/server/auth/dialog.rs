//! `dialog`, which MariaDB's PAM plugin speaks: as many questions as the server likes.
//!
//! The first byte of a question is its kind, 2 (shown while typed) or 4 (hidden), plus 1 if it is
//! the last one.

use std::io;

use super::exchange::Exchange;

/// The switch request asks for the password.
pub(super) const FIRST_QUESTION: &[u8] = b"\x04Password: ";
const SECOND_QUESTION: &[u8] = b"\x02One-time code: ";
const LAST_QUESTION: &[u8] = b"\x03Name of your first proxy: ";

/// What the question after the password wants to hear.
pub const CODE: &str = "123456";
/// What the last question wants to hear.
pub const PROXY_NAME: &str = "mysql-proxy";

/// Tells whether all answers are right. All questions are asked in any case.
pub(super) fn proves(
    exchange: &mut Exchange<'_>,
    first: &[u8],
    password: &[u8],
) -> io::Result<bool> {
    let second = exchange.ask(SECOND_QUESTION)?;
    let last = exchange.ask(LAST_QUESTION)?;
    let answers = [first, &second, &last].map(|answer| answer.strip_suffix(&[0]).unwrap_or(answer));
    Ok(answers == [password, CODE.as_bytes(), PROXY_NAME.as_bytes()])
}
