//! Random queries for the property tests.

use proptest::collection::vec;
use proptest::prelude::*;

/// Pieces with a meaning of their own, or with one next to each other.
const PIECES: [&[u8]; 56] = [
    b" ",
    b"\t",
    b"\n",
    b"\r",
    b"\x0b",
    b"\x0c",
    b"\0",
    b"'",
    b"\"",
    b"`",
    b"\\",
    b"\\'",
    b"\\\n",
    b"''",
    b"'\"",
    b"--",
    b"-- ",
    b"--\t",
    b"--\n",
    b"--\r\n",
    b"-",
    b"/*",
    b"/*!",
    b"*/",
    b"**/",
    b"*",
    b"/",
    b"#",
    b".",
    b"..",
    b"0",
    b"1",
    b"23",
    b"1.5",
    b"e",
    b"E",
    b"e5",
    b"1e",
    b"+",
    b"a",
    b"_",
    b"@",
    b"x",
    b"SELECT",
    b"in",
    b"count",
    b"(",
    b")",
    b",",
    b"<",
    b"=",
    b">",
    b"!",
    b":",
    b"&|",
    b"\xe4\xa0",
];

/// Bytes that mean something together more often than bytes drawn one by one.
pub fn query() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(&PIECES[..]).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..3),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}
