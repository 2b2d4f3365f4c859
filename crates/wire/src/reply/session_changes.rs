//! What an OK packet reports of the session's state, with SESSION_TRACK.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo>.

use crate::{Reader, WireError, Writer};

/// Kinds of reports.
const SYSTEM_VARIABLES: u8 = 0;
const SCHEMA: u8 = 1;
const STATE_CHANGE: u8 = 2;
const GTIDS: u8 = 3;
const TRANSACTION_CHARACTERISTICS: u8 = 4;
const TRANSACTION_STATE: u8 = 5;

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

/// Which reports a client would get that has its server for itself: it did not ask for those that the proxy asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnReports {
    /// `session_track_system_variables`: names with commas between them, or `*`.
    pub variables: Vec<u8>,
    /// `session_track_schema`
    pub schema: bool,
    /// `session_track_state_change`
    pub state: bool,
    /// `session_track_gtids`
    pub gtids: bool,
    /// `session_track_transaction_info` is not OFF.
    pub transaction: bool,
    /// It is `CHARACTERISTICS`.
    pub characteristics: bool,
}

impl OwnReports {
    /// What is left of the reports of one packet. Reports that cannot be read are left out.
    pub fn of(&self, reports: &[u8]) -> Vec<u8> {
        let mut own = Vec::new();
        // What is behind a report that cannot be read cannot be read either.
        _ = self.copy(reports, &mut own);
        own
    }

    fn copy(&self, reports: &[u8], own: &mut Vec<u8>) -> Result<(), WireError> {
        let mut r = Reader::new(reports);
        while !r.is_empty() {
            let kind = r.u8()?; // int<1>
            let data = r.lenenc_bytes()?; // string<lenenc>
            let is_own = match kind {
                SYSTEM_VARIABLES => {
                    self.copy_variables(data, own)?;
                    false
                }
                SCHEMA => self.schema,
                STATE_CHANGE => self.state,
                GTIDS => self.gtids,
                TRANSACTION_CHARACTERISTICS => self.characteristics,
                TRANSACTION_STATE => self.transaction,
                _ => false,
            };
            if is_own {
                write(own, kind, data);
            }
        }
        Ok(())
    }

    fn copy_variables(&self, data: &[u8], own: &mut Vec<u8>) -> Result<(), WireError> {
        let mut r = Reader::new(data);
        while !r.is_empty() {
            let name = r.lenenc_bytes()?;
            let value = r.lenenc_bytes()?;
            if self.names(name) {
                let mut pair = Vec::new();
                let mut w = Writer::new(&mut pair);
                w.lenenc_bytes(name);
                w.lenenc_bytes(value);
                write(own, SYSTEM_VARIABLES, &pair);
            }
        }
        Ok(())
    }

    fn names(&self, variable: &[u8]) -> bool {
        self.variables
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|name| name == b"*" || name.eq_ignore_ascii_case(variable))
    }
}

fn write(reports: &mut Vec<u8>, kind: u8, data: &[u8]) {
    let mut w = Writer::new(reports);
    w.u8(kind);
    w.lenenc_bytes(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What MySQL reports behind `SET sql_mode = ''` in a transaction, and what it may report besides.
    fn reports() -> Vec<u8> {
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

    #[test]
    fn a_client_gets_what_it_asked_for() {
        assert_eq!(OwnReports::default().of(&reports()), b"");
        let own = OwnReports {
            variables: b"autocommit, TIME_ZONE".to_vec(),
            schema: true,
            ..OwnReports::default()
        };
        let mut expected = Vec::new();
        write(&mut expected, SYSTEM_VARIABLES, b"\x09time_zone\x03UTC");
        write(&mut expected, SYSTEM_VARIABLES, b"\x0aautocommit\x03OFF");
        write(&mut expected, SCHEMA, b"\x04shop");
        assert_eq!(own.of(&reports()), expected);
        let all = OwnReports {
            variables: b"*".to_vec(),
            schema: true,
            state: true,
            gtids: true,
            transaction: true,
            characteristics: true,
        };
        let (mut whole, mut own) = (SessionChanges::default(), SessionChanges::default());
        whole.add(&reports()).unwrap();
        own.add(&all.of(&reports())).unwrap();
        assert_eq!(own, whole);
        assert_eq!(all.of(b"\x01\x09\x04t"), b"");
    }
}
