//! Text result sets as a server sends them.

use super::bytes::{put_lenenc, put_lenenc_bytes};
use super::caps::STATUS_AUTOCOMMIT;
use super::ok_err::eof;

/// Type byte of a VARCHAR-like column (MYSQL_TYPE_VAR_STRING).
const TYPE_VAR_STRING: u8 = 0xfd;
/// Collation utf8mb3_general_ci.
const CHARSET_UTF8: u16 = 33;

/// The payloads of a whole text result set: count, definitions, EOF, rows, EOF.
pub fn text_result(columns: &[&str], rows: &[&[Option<&[u8]>]], status: u16) -> Vec<Vec<u8>> {
    let mut payloads = Vec::with_capacity(columns.len() + rows.len() + 3);
    let mut count = Vec::new();
    put_lenenc(&mut count, u64::try_from(columns.len()).expect("a count fits u64"));
    payloads.push(count);
    payloads.extend(columns.iter().map(|name| column(name)));
    payloads.push(eof(status));
    payloads.extend(rows.iter().map(|cells| row(cells)));
    payloads.push(eof(status));
    payloads
}

/// A result set of one row with one column.
pub fn one_cell(name: &str, value: &str) -> Vec<Vec<u8>> {
    text_result(&[name], &[&[Some(value.as_bytes())]], STATUS_AUTOCOMMIT)
}

/// Payload of a column definition.
pub fn column(name: &str) -> Vec<u8> {
    let mut payload = Vec::new();
    for text in ["def", "", "", "", name, ""] {
        put_lenenc_bytes(&mut payload, text.as_bytes());
    }
    put_lenenc(&mut payload, 0x0c);
    payload.extend_from_slice(&CHARSET_UTF8.to_le_bytes());
    payload.extend_from_slice(&1024_u32.to_le_bytes());
    payload.push(TYPE_VAR_STRING);
    payload.extend_from_slice(&[0; 5]);
    payload
}

/// Payload of a text row.
pub fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let mut payload = Vec::new();
    for cell in cells {
        match cell {
            Some(bytes) => put_lenenc_bytes(&mut payload, bytes),
            None => payload.push(0xfb),
        }
    }
    payload
}
