//! What a client asks for: HandshakeResponse41 and COM_CHANGE_USER, as far as a login needs them.

use std::io;

use crate::proto::bytes::Reader;
use crate::proto::caps;

/// A wish to be somebody.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) user: String,
    pub(super) auth_data: Vec<u8>,
    /// The client's method; that of every client from before methods is `mysql_native_password`.
    pub(super) method: String,
    pub(super) capabilities: u32,
}

impl Request {
    pub(super) fn parse_login(payload: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(payload);
        let capabilities = u32::try_from(reader.int(4)?).expect("four bytes were read");
        // Longest packet, character set, filler.
        reader.take(4 + 1 + 23)?;
        let user = text(reader.cstr()?);
        let auth_data = if capabilities & caps::PLUGIN_AUTH_LENENC != 0 {
            reader.lenenc_bytes()?.unwrap_or_default().to_vec()
        } else {
            short_bytes(&mut reader)?
        };
        if capabilities & caps::CONNECT_WITH_DB != 0 {
            reader.cstr()?;
        }
        let method = method(&mut reader, capabilities)?;
        Ok(Self { user, auth_data, method, capabilities })
    }

    pub(super) fn parse_change_user(payload: &[u8], capabilities: u32) -> io::Result<Self> {
        let mut reader = Reader::new(payload);
        // The command.
        reader.byte()?;
        let user = text(reader.cstr()?);
        let auth_data = short_bytes(&mut reader)?;
        // Database and character set.
        reader.cstr()?;
        reader.take(2)?;
        let method = method(&mut reader, capabilities)?;
        Ok(Self { user, auth_data, method, capabilities })
    }
}

fn method(reader: &mut Reader<'_>, capabilities: u32) -> io::Result<String> {
    if capabilities & caps::PLUGIN_AUTH == 0 {
        return Ok("mysql_native_password".into());
    }
    Ok(text(reader.cstr()?))
}

/// Bytes behind one byte of length.
fn short_bytes(reader: &mut Reader<'_>) -> io::Result<Vec<u8>> {
    let length = reader.byte()?;
    Ok(reader.take(usize::from(length))?.to_vec())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
