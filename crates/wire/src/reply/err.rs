//! ERR: the command failed.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html>.
//! Before login a server may send the form without SQLSTATE (protocol before 4.1).

use crate::{Reader, WireError, Writer, marker};

const STATE_SIGN: u8 = b'#';

/// Whether `payload` starts like an ERR packet.
pub fn is_err(payload: &[u8]) -> bool {
    payload.first() == Some(&marker::ERR)
}

/// An ERR packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrPacket<'p> {
    /// Error number.
    pub code: u16,
    /// SQLSTATE; `None` is the form of the protocol before 4.1.
    pub sqlstate: Option<[u8; 5]>,
    /// Text for humans, in the connection's character set.
    pub message: &'p [u8],
}

impl<'p> ErrPacket<'p> {
    /// Reads a payload of either form.
    pub fn parse(payload: &'p [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        match r.u8()? {
            marker::ERR => {}
            found => return Err(WireError::Marker { packet: "an ERR packet", found }),
        }
        let code = r.u16()?; // int<2>
        let sqlstate = if r.peek_rest().first() == Some(&STATE_SIGN) {
            r.u8()?; // string[1]
            Some(r.array()?) // string[5]
        } else {
            None
        };
        Ok(Self { code, sqlstate, message: r.rest() }) // string<EOF>
    }

    /// The payload; without `sqlstate` in the form before 4.1.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.message.len().saturating_add(9));
        let mut w = Writer::new(&mut out);
        w.u8(marker::ERR);
        w.u16(self.code);
        if let Some(state) = self.sqlstate {
            w.u8(STATE_SIGN);
            w.bytes(&state);
        }
        w.bytes(self.message);
        out
    }

    /// Whether `payload` is one of MariaDB's progress reports: an ERR of code 0xffff that is
    /// followed by a count. A true error of that number has its SQLSTATE there.
    pub(crate) fn is_progress(payload: &[u8]) -> bool {
        matches!(payload, [marker::ERR, 0xff, 0xff, next, ..] if *next != STATE_SIGN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_both_ways() {
        let err = ErrPacket { code: 1045, sqlstate: Some(*b"28000"), message: b"denied" };
        assert_eq!(ErrPacket::parse(b"\xff\x15\x04#28000denied"), Ok(err));
        assert_eq!(err.encode(), b"\xff\x15\x04#28000denied");
    }

    #[test]
    fn the_form_before_41() {
        let err = ErrPacket { code: 1040, sqlstate: None, message: b"Too many connections" };
        assert_eq!(ErrPacket::parse(b"\xff\x10\x04Too many connections"), Ok(err));
        assert_eq!(err.encode(), b"\xff\x10\x04Too many connections");
    }

    #[test]
    fn refuses_other_and_cut_packets() {
        assert!(ErrPacket::parse(b"\xff\x15").is_err());
        assert!(ErrPacket::parse(b"\xff\x15\x04#2800").is_err());
        assert!(ErrPacket::parse(b"\x00\0\0").is_err());
    }

    #[test]
    fn progress_reports_are_told_from_errors() {
        assert!(ErrPacket::is_progress(b"\xff\xff\xff\x01\x01\x02\x10\x27\x00\x04copy"));
        assert!(!ErrPacket::is_progress(b"\xff\xff\xff#HY000text"));
        assert!(!ErrPacket::is_progress(b"\xff\xff\xff"));
        assert!(!ErrPacket::is_progress(b"\xff\x15\x04#28000denied"));
    }
}
