//! The server's handshake and its request to switch the authentication method, as a client reads them.

use std::io;

use crate::proto::bytes::Reader;
use crate::proto::ok_err::invalid;

/// A protocol 10 handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// Version text of the server.
    pub version: String,
    /// Connection id at the server.
    pub thread_id: u32,
    /// The scramble, without its closing NUL.
    pub scramble: Vec<u8>,
    /// Capability bits.
    pub capabilities: u32,
    /// The 10 bytes between the scramble's length and its second part; MariaDB puts its extended
    /// capabilities into the last four.
    pub filler: [u8; 10],
    /// Authentication method; empty if none was named.
    pub method: String,
    /// Whether a NUL follows the method.
    pub method_has_nul: bool,
}

impl Handshake {
    /// Decodes a payload.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] if it is no protocol 10 handshake.
    pub fn parse(payload: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(payload);
        if reader.byte()? != 10 {
            return Err(invalid(payload, "a protocol 10 handshake"));
        }
        let version = String::from_utf8_lossy(reader.cstr()?).into_owned();
        let thread_id = u32_of(reader.int(4)?);
        let mut scramble = reader.take(8)?.to_vec();
        reader.byte()?;
        let low = u32_of(reader.int(2)?);
        reader.take(3)?;
        let capabilities = low | u32_of(reader.int(2)?) << 16;
        let length = usize::from(reader.byte()?);
        let mut filler = [0; 10];
        filler.copy_from_slice(reader.take(10)?);
        let second = reader.take(length.saturating_sub(8).max(13).min(reader.rest().len()))?;
        scramble.extend_from_slice(second.strip_suffix(&[0]).unwrap_or(second));
        let rest = reader.rest();
        let method = rest.strip_suffix(&[0]).unwrap_or(rest);
        Ok(Self {
            version,
            thread_id,
            scramble,
            capabilities,
            filler,
            method: String::from_utf8_lossy(method).into_owned(),
            method_has_nul: rest.ends_with(&[0]),
        })
    }
}

/// Decodes an authentication switch request: method, data without its closing NUL.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is none.
pub fn parse_switch(payload: &[u8]) -> io::Result<(String, Vec<u8>)> {
    let mut reader = Reader::new(payload);
    if reader.byte()? != 0xfe {
        return Err(invalid(payload, "an authentication switch"));
    }
    let method = String::from_utf8_lossy(reader.cstr()?).into_owned();
    let data = reader.rest();
    Ok((method, data.strip_suffix(&[0]).unwrap_or(data).to_vec()))
}

fn u32_of(value: u64) -> u32 {
    u32::try_from(value).expect("at most four bytes were read")
}
