//! What an OK packet reports of the session's state, with SESSION_TRACK.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo>.

use crate::{Reader, WireError, Writer};

/// Kinds of reports.
pub(super) const SYSTEM_VARIABLES: u8 = 0;
pub(super) const SCHEMA: u8 = 1;
pub(super) const STATE_CHANGE: u8 = 2;
pub(super) const GTIDS: u8 = 3;
pub(super) const TRANSACTION_CHARACTERISTICS: u8 = 4;
pub(super) const TRANSACTION_STATE: u8 = 5;

/// What changed in a session, as one or several OK packets report it. Of what is reported again, the last report counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionChanges {
    /// System variables that were set, in the order in which they were reported first, with their values.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
    /// The default database; empty: there is none any more.
    pub schema: Option<Vec<u8>>,
    /// Something changed, whatever it is (`session_track_state_change`).
    pub state: bool,
    /// The ids of transactions (`session_track_gtids`), as text.
    pub gtids: Option<Vec<u8>>,
    /// The statements that make the characteristics of the next transaction; empty: it has none of its own.
    pub characteristics: Option<Vec<u8>>,
    /// Eight letters about the transaction, each `_` where the thing is not so; `________`: there is none.
    pub transaction: Option<Vec<u8>>,
}

impl SessionChanges {
    /// Adds what one packet reports: [`OkPacket::session_state`](super::OkPacket::session_state). What cannot be read is an
    /// error, and what was in front of it is added.
    pub fn add(&mut self, reports: &[u8]) -> Result<(), WireError> {
        let mut r = Reader::new(reports);
        while !r.is_empty() {
            let kind = r.u8()?; // int<1>
            let mut data = Reader::new(r.lenenc_bytes()?); // string<lenenc>
            match kind {
                SYSTEM_VARIABLES => {
                    while !data.is_empty() {
                        let name = data.lenenc_bytes()?;
                        let value = data.lenenc_bytes()?;
                        self.set(name, value);
                    }
                }
                SCHEMA => self.schema = Some(data.lenenc_bytes()?.to_vec()),
                STATE_CHANGE => self.state = true,
                GTIDS => {
                    data.u8()?; // int<1>, how they are written: as text
                    self.gtids = Some(data.lenenc_bytes()?.to_vec());
                }
                TRANSACTION_CHARACTERISTICS => {
                    self.characteristics = Some(data.lenenc_bytes()?.to_vec());
                }
                TRANSACTION_STATE => self.transaction = Some(data.lenenc_bytes()?.to_vec()),
                _ => {}
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &[u8], value: &[u8]) {
        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, last)) => *last = value.to_vec(),
            None => self.variables.push((name.to_vec(), value.to_vec())),
        }
    }
}

/// Adds a report.
pub(super) fn write(reports: &mut Vec<u8>, kind: u8, data: &[u8]) {
    let mut w = Writer::new(reports);
    w.u8(kind);
    w.lenenc_bytes(data);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What MySQL reports behind `SET sql_mode = ''` in a transaction, and what it may report besides.
    pub fn reports() -> Vec<u8> {
        let mut reports = Vec::new();
        write(&mut reports, SYSTEM_VARIABLES, b"\x08sql_mode\x00");
        write(&mut reports, SYSTEM_VARIABLES, b"\x09time_zone\x03UTC\x0aautocommit\x03OFF");
        write(&mut reports, SCHEMA, b"\x04shop");
        write(&mut reports, STATE_CHANGE, b"\x011");
        write(&mut reports, GTIDS, b"\x00\x055-1-9");
        write(&mut reports, TRANSACTION_CHARACTERISTICS, b"\x00");
        write(&mut reports, TRANSACTION_STATE, b"\x08T_______");
        write(&mut reports, 77, b"later");
        reports
    }

    #[test]
    fn every_kind_is_read_and_the_last_report_counts() {
        let mut changes = SessionChanges::default();
        changes.add(&reports()).unwrap();
        let mut more = Vec::new();
        write(&mut more, SYSTEM_VARIABLES, b"\x09time_zone\x06SYSTEM");
        write(&mut more, SCHEMA, b"\x00");
        changes.add(&more).unwrap();
        let pairs: [(&[u8], &[u8]); 3] =
            [(b"sql_mode", b""), (b"time_zone", b"SYSTEM"), (b"autocommit", b"OFF")];
        let expected = SessionChanges {
            variables: pairs.map(|(name, value)| (name.to_vec(), value.to_vec())).to_vec(),
            schema: Some(Vec::new()),
            state: true,
            gtids: Some(b"5-1-9".to_vec()),
            characteristics: Some(Vec::new()),
            transaction: Some(b"T_______".to_vec()),
        };
        assert_eq!(changes, expected);
    }

    #[test]
    fn what_is_cut_is_an_error() {
        let mut changes = SessionChanges::default();
        assert!(changes.add(b"\x01\x09\x04t").is_err());
        assert!(changes.add(b"\x01").is_err());
        assert!(changes.add(b"\x00\x02\x01a").is_err());
        assert_eq!(changes, SessionChanges::default());
        changes.add(b"\x02\x02\x011\x03").unwrap_err();
        assert!(changes.state);
    }
}
