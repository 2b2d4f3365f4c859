//! OK: the command is done; with DEPRECATE_EOF also the end of a result set.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html>.
//! Behind the text comes, with SESSION_TRACK, a list of changes of the session state.

use super::{SessionChanges, StatusFlags, is_eof};
use crate::{Capabilities, Reader, WireError, Writer, marker};

/// Whether `payload` starts like an OK packet and is long enough to be one. A binary row starts
/// 0x00 as well: ask only where an answer starts.
pub fn is_ok(payload: &[u8]) -> bool {
    payload.first() == Some(&marker::OK) && payload.len() >= 7
}

/// The fields that every OK packet has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OkHead {
    pub affected_rows: u64,
    pub insert_id: u64,
    pub status: StatusFlags,
    pub warnings: u16,
}

impl OkHead {
    /// Reads a payload, whatever its first byte.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        r.u8()?; // int<1>
        Self::read(&mut r)
    }

    /// Reads the fields behind the first byte.
    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let affected_rows = r.lenenc_int()?; // int<lenenc>
        let insert_id = r.lenenc_int()?; // int<lenenc>
        let status = StatusFlags::from_bits_retain(r.u16()?); // int<2>
        let warnings = r.u16()?; // int<2>
        Ok(Self { affected_rows, insert_id, status, warnings })
    }
}

/// An OK packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OkPacket<'p> {
    /// Rows changed (or found, with FOUND_ROWS).
    pub affected_rows: u64,
    /// Last AUTO_INCREMENT value, or 0.
    pub insert_id: u64,
    /// State of the connection, and what is special about this answer.
    pub status: StatusFlags,
    /// Number of warnings.
    pub warnings: u16,
    /// Text for humans.
    pub info: &'p [u8],
    /// Changes of the session state, undecoded; only with SESSION_TRACK and SESSION_STATE_CHANGED.
    pub session_state: Option<&'p [u8]>,
}

impl<'p> OkPacket<'p> {
    /// Reads a payload. `caps` are those of the client's login: SESSION_TRACK changes the tail,
    /// DEPRECATE_EOF allows the first byte 0xfe.
    pub fn parse(payload: &'p [u8], caps: Capabilities) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        match r.u8()? {
            marker::OK => {}
            marker::EOF if caps.contains(Capabilities::DEPRECATE_EOF) => {}
            found => return Err(WireError::Marker { packet: "an OK packet", found }),
        }
        let OkHead { affected_rows, insert_id, status, warnings } = OkHead::read(&mut r)?;
        let mut ok = Self { affected_rows, insert_id, status, warnings, ..Self::default() };
        if !caps.contains(Capabilities::SESSION_TRACK) {
            ok.info = r.rest(); // string<EOF>
        } else if !r.is_empty() {
            // Left out as a whole when there is neither text nor change.
            ok.info = r.lenenc_bytes()?; // string<lenenc>
            if status.contains(StatusFlags::SESSION_STATE_CHANGED) {
                ok.session_state = Some(r.lenenc_bytes()?); // string<lenenc>
            }
        }
        Ok(ok)
    }

    /// The payload for a client with these capabilities. Session changes are sent only if `caps`
    /// allow them; SESSION_STATE_CHANGED is then set or cleared to agree.
    pub fn encode(&self, caps: Capabilities) -> Vec<u8> {
        self.encode_as(marker::OK, caps)
    }

    /// The payload as the end of a result set for a client with DEPRECATE_EOF: the first byte is
    /// 0xfe.
    pub fn encode_as_eof(&self, caps: Capabilities) -> Vec<u8> {
        self.encode_as(marker::EOF, caps)
    }

    fn encode_as(&self, first: u8, caps: Capabilities) -> Vec<u8> {
        let track = caps.contains(Capabilities::SESSION_TRACK);
        let session_state = self.session_state.filter(|_| track);
        // To a client that tracks, the flag announces the tail; to others it means nothing.
        let status = match session_state {
            Some(_) => self.status | StatusFlags::SESSION_STATE_CHANGED,
            None if track => self.status & !StatusFlags::SESSION_STATE_CHANGED,
            None => self.status,
        };
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.u8(first);
        w.lenenc(self.affected_rows);
        w.lenenc(self.insert_id);
        w.u16(status.bits());
        w.u16(self.warnings);
        if !track {
            w.bytes(self.info);
        } else if !self.info.is_empty() || session_state.is_some() {
            w.lenenc_bytes(self.info);
        }
        if let Some(state) = session_state {
            w.lenenc_bytes(state);
        }
        out
    }

    /// The new default database, if this packet tells one; the last one if it tells several.
    pub fn schema_change(&self) -> Result<Option<Vec<u8>>, WireError> {
        let mut changes = SessionChanges::default();
        changes.add(self.session_state.unwrap_or_default())?;
        Ok(changes.schema)
    }
}

/// Sets or clears a status flag in the payload of an OK, or of the OK or EOF behind rows. What is too short to have a status
/// stays as it is.
pub fn set_status_flag(payload: &mut [u8], flag: StatusFlags, value: bool) {
    let Some(at) = status_at(payload) else { return };
    let Some(bytes) = payload.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<2>) else { return };
    let mut status = StatusFlags::from_bits_retain(u16::from_le_bytes(*bytes));
    status.set(flag, value);
    *bytes = status.bits().to_le_bytes();
}

/// Where the status lies.
fn status_at(payload: &[u8]) -> Option<usize> {
    if is_eof(payload) {
        // Behind the warnings; of the OK in place of an EOF, behind two numbers that are 0.
        return Some(3);
    }
    let mut reader = Reader::new(payload.get(1..)?);
    reader.lenenc_int().ok()?;
    reader.lenenc_int().ok()?;
    Some(payload.len() - reader.rest().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Capabilities = Capabilities::empty();
    const TRACK: Capabilities = Capabilities::SESSION_TRACK;

    #[test]
    fn golden_both_ways() {
        let bytes = b"\x00\xfc\x00\x01\xfd\x00\x00\x01\x02\x00\x03\x00Rows matched: 1";
        let ok = OkPacket::parse(bytes, PLAIN).unwrap();
        assert_eq!((ok.affected_rows, ok.insert_id), (256, 65536));
        assert_eq!((ok.status.bits(), ok.warnings, ok.info), (2, 3, &b"Rows matched: 1"[..]));
        assert_eq!(ok.encode(PLAIN), bytes);
    }

    #[test]
    fn a_status_flag_is_set_and_cleared_in_each_form() {
        const MORE: StatusFlags = StatusFlags::MORE_RESULTS_EXISTS;
        let status = StatusFlags::AUTOCOMMIT;
        let ok = OkPacket { affected_rows: 300, insert_id: 70_000, status, ..OkPacket::default() };
        let eof = crate::reply::EofPacket { warnings: 3, status };
        for plain in [ok.encode(PLAIN), ok.encode_as_eof(PLAIN), eof.encode()] {
            let mut payload = plain.clone();
            set_status_flag(&mut payload, MORE, true);
            let changed: Vec<_> = plain.iter().zip(&payload).filter(|(a, b)| a != b).collect();
            assert_eq!(changed, [(&2, &10)]);
            set_status_flag(&mut payload, MORE, false);
            assert_eq!(payload, plain);
        }
        for short in [&b""[..], b"\0", b"\0\0\0", b"\xfe\0\0", b"\0\xfc\0"] {
            let mut payload = short.to_vec();
            set_status_flag(&mut payload, MORE, true);
            assert_eq!(payload, short);
        }
    }

    #[test]
    fn use_tells_the_schema() {
        // The answer to `USE test` of a server with session tracking.
        let bytes = b"\x00\x00\x00\x02\x40\x00\x00\x00\x07\x01\x05\x04test";
        let ok = OkPacket::parse(bytes, TRACK).unwrap();
        assert_eq!(ok.schema_change(), Ok(Some(b"test".to_vec())));
        assert_eq!(ok.encode(TRACK), bytes);
        assert_eq!(ok.encode(PLAIN), b"\x00\x00\x00\x02\x40\x00\x00");
    }

    #[test]
    fn other_session_changes_are_skipped() {
        let bytes =
            b"\x00\x00\x00\x02\x40\x00\x00\x00\x14\x00\x0f\x0aautocommit\x03OFF\x02\x01\x31";
        let ok = OkPacket::parse(bytes, TRACK).unwrap();
        assert_eq!(ok.schema_change(), Ok(None));
        let broken = OkPacket { session_state: Some(b"\x01\x09\x04t"), ..ok };
        assert!(broken.schema_change().is_err());
    }

    #[test]
    fn the_tail_may_be_left_out() {
        let bytes = b"\x00\x01\x00\x02\x00\x00\x00";
        for caps in [PLAIN, TRACK] {
            let ok = OkPacket::parse(bytes, caps).unwrap();
            assert_eq!((ok.info, ok.session_state), (&b""[..], None));
            assert_eq!(ok.encode(caps), bytes);
        }
    }

    #[test]
    fn the_eof_form_needs_its_capability() {
        let bytes = b"\xfe\x00\x00\x22\x00\x01\x00";
        assert!(matches!(OkPacket::parse(bytes, PLAIN), Err(WireError::Marker { .. })));
        let ok = OkPacket::parse(bytes, Capabilities::DEPRECATE_EOF).unwrap();
        assert_eq!((ok.status.bits(), ok.warnings), (0x22, 1));
        assert_eq!(ok.encode_as_eof(Capabilities::DEPRECATE_EOF), bytes);
    }

    #[test]
    fn refuses_cut_and_marked_integers() {
        for bytes in
            [&b"\x00"[..], b"\x00\xfc\x01", b"\x00\xfb\0\x02\0\0\0", b"\x00\xff\0\x02\0\0\0"]
        {
            assert!(OkPacket::parse(bytes, PLAIN).is_err(), "{bytes:x?}");
        }
        assert!(is_ok(b"\x00\x00\x00\x02\x00\x00\x00"));
        assert!(!is_ok(b"\x00\x00\x00\x02\x00\x00"));
    }
}
