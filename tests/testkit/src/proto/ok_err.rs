//! OK, ERR and EOF packets.

use std::io;

use super::bytes::{Reader, put_lenenc};
use super::caps::STATUS_AUTOCOMMIT;

/// The classic part of an OK packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OkPacket {
    /// Rows the statement changed.
    pub affected_rows: u64,
    /// The AUTO_INCREMENT value it made.
    pub insert_id: u64,
    /// Status bits.
    pub status: u16,
    /// Number of warnings.
    pub warnings: u16,
}

/// An ERR packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrPacket {
    /// Error number.
    pub code: u16,
    /// SQL state; `None` in the form from before 4.1, which has none.
    pub sqlstate: Option<String>,
    /// Text.
    pub message: String,
}

/// Decodes the payload of an OK packet.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is none.
pub fn parse_ok(payload: &[u8]) -> io::Result<OkPacket> {
    let mut reader = Reader::new(payload);
    if reader.byte()? != 0 {
        return Err(invalid(payload, "an OK packet"));
    }
    let affected_rows = reader.lenenc()?.ok_or_else(|| invalid(payload, "a number"))?;
    let insert_id = reader.lenenc()?.ok_or_else(|| invalid(payload, "a number"))?;
    Ok(OkPacket {
        affected_rows,
        insert_id,
        status: u16_of(&mut reader)?,
        warnings: u16_of(&mut reader)?,
    })
}

/// Decodes the payload of an ERR packet, with or without SQL state.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is none.
pub fn parse_err(payload: &[u8]) -> io::Result<ErrPacket> {
    let mut reader = Reader::new(payload);
    if reader.byte()? != 0xff {
        return Err(invalid(payload, "an ERR packet"));
    }
    let code = u16_of(&mut reader)?;
    let mut sqlstate = None;
    if reader.rest().first() == Some(&b'#') {
        reader.byte()?;
        sqlstate = Some(text(reader.take(5)?));
    }
    Ok(ErrPacket { code, sqlstate, message: text(reader.rest()) })
}

/// Payload of an OK packet without message.
pub fn ok(affected_rows: u64, insert_id: u64, status: u16) -> Vec<u8> {
    let mut payload = vec![0];
    put_lenenc(&mut payload, affected_rows);
    put_lenenc(&mut payload, insert_id);
    payload.extend_from_slice(&status.to_le_bytes());
    payload.extend_from_slice(&[0, 0]);
    payload
}

/// Payload of the OK packet that says nothing but "autocommit".
pub fn plain_ok() -> Vec<u8> {
    ok(0, 0, STATUS_AUTOCOMMIT)
}

/// Payload of an ERR packet.
pub fn err(code: u16, sqlstate: &str, message: &str) -> Vec<u8> {
    let mut payload = vec![0xff];
    payload.extend_from_slice(&code.to_le_bytes());
    payload.push(b'#');
    payload.extend_from_slice(sqlstate.as_bytes());
    payload.extend_from_slice(message.as_bytes());
    payload
}

/// Payload of a classic EOF packet.
pub fn eof(status: u16) -> Vec<u8> {
    let mut payload = vec![0xfe, 0, 0];
    payload.extend_from_slice(&status.to_le_bytes());
    payload
}

/// Status bits of a classic EOF packet.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is none.
pub fn parse_eof(payload: &[u8]) -> io::Result<u16> {
    let mut reader = Reader::new(payload);
    if reader.byte()? != 0xfe || payload.len() > 8 {
        return Err(invalid(payload, "an EOF packet"));
    }
    reader.take(2)?;
    u16_of(&mut reader)
}

/// An error that shows what came in place of what was expected.
pub fn invalid(payload: &[u8], expected: &str) -> io::Error {
    let shown = &payload[..payload.len().min(200)];
    let text = format!("expected {expected}, got \"{}\"", shown.escape_ascii());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn u16_of(reader: &mut Reader<'_>) -> io::Result<u16> {
    let bytes = reader.take(2)?;
    Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
