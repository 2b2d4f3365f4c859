//! The prepared statements of a connection: what their commands, which have a number only, are about.
//!
//! Sources: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html>,
//! <https://mariadb.com/kb/en/com_stmt_execute/> (the number that means the statement prepared last).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Param, Params, PreparedStatement, StmtReset, StmtSendLongData};
use crate::reply::PrepareOk;
use crate::{Capabilities, Command, Reader, WireError};

/// What MariaDB's clients send for "the statement that was prepared last".
pub const LAST: u32 = u32::MAX;

/// Texts of statements and values that were sent ahead, of one connection, by the id of the statement.
///
/// Feed it each command of the client, and the answers to preparations. It holds [`Statements::LIMIT`] bytes at most: of
/// too many texts those with the lowest ids, which are the oldest, are forgotten, and values that are too long are not kept.
#[derive(Debug, Clone, Default)]
pub struct Statements {
    known: BTreeMap<u32, Known>,
    last: Option<u32>,
    held: usize,
}

#[derive(Debug, Clone)]
struct Known {
    text: Arc<[u8]>,
    statement: PreparedStatement,
    /// Values that were sent ahead; `None`: they were too long.
    ahead: Option<BTreeMap<u16, Vec<u8>>>,
}

/// A parameter, and what was sent ahead in place of its value.
pub type Given<'p> = (Param<'p>, Option<&'p [u8]>);

/// An execution of a prepared statement: what the packet does not say.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Id of the statement.
    pub statement_id: u32,
    /// The text that was prepared.
    pub text: Arc<[u8]>,
    statement: PreparedStatement,
    ahead: Option<BTreeMap<u16, Vec<u8>>>,
}

impl Statements {
    /// Most bytes of texts and values.
    pub const LIMIT: usize = 8 << 20;
    /// What a statement takes besides its text.
    const OVERHEAD: usize = 200;

    /// The preparation of `text` got an answer that begins with this payload; an ERR prepares nothing.
    pub fn prepared(&mut self, text: &[u8], answer: &[u8], capabilities: Capabilities) {
        let Ok(ok) = PrepareOk::parse(answer) else { return };
        let id = ok.statement_id;
        self.close(id);
        self.last = Some(id);
        if text.len() > Self::LIMIT / 2 {
            return;
        }
        self.held += text.len() + Self::OVERHEAD;
        let statement = PreparedStatement::new(&ok, capabilities);
        self.known.insert(id, Known { text: text.into(), statement, ahead: Some(BTreeMap::new()) });
        while self.held > Self::LIMIT
            && let Some(oldest) = self.known.keys().copied().find(|known| *known != id)
        {
            self.close(oldest);
        }
    }

    /// A command of the client; `Some` if it executes a known statement.
    pub fn command(&mut self, payload: &[u8]) -> Option<Execution> {
        match Command(*payload.first()?) {
            Command::STMT_EXECUTE | Command::STMT_BULK_EXECUTE => self.execute(payload),
            Command::STMT_SEND_LONG_DATA => {
                self.send_ahead(payload);
                None
            }
            Command::STMT_RESET => {
                if let Ok(reset) = StmtReset::parse(payload) {
                    self.take_ahead(self.resolved(reset.statement_id));
                }
                None
            }
            Command::STMT_CLOSE => {
                if let Some(id) = statement_id(payload) {
                    self.close(self.resolved(id));
                }
                None
            }
            Command::CHANGE_USER | Command::RESET_CONNECTION => {
                *self = Self::default();
                None
            }
            _ => None,
        }
    }

    /// What is known of a further command like one that was executed, without taking note of it.
    pub fn look(&self, payload: &[u8]) -> Option<Execution> {
        let is_execution = matches!(
            Command(*payload.first()?),
            Command::STMT_EXECUTE | Command::STMT_BULK_EXECUTE
        );
        let id = self.resolved(statement_id(payload).filter(|_| is_execution)?);
        let Known { text, statement, ahead } = self.known.get(&id)?.clone();
        Some(Execution { statement_id: id, text, statement, ahead })
    }

    fn execute(&mut self, payload: &[u8]) -> Option<Execution> {
        let id = self.resolved(statement_id(payload)?);
        let (text, statement) = {
            let known = self.known.get_mut(&id)?;
            let before = known.statement.clone();
            if payload.first() == Some(&Command::STMT_EXECUTE.0) {
                // One that cannot be read leaves the types unknown.
                _ = known.statement.execute(payload);
            }
            (Arc::clone(&known.text), before)
        };
        Some(Execution { statement_id: id, text, statement, ahead: self.take_ahead(id) })
    }

    fn send_ahead(&mut self, payload: &[u8]) {
        let Ok(piece) = StmtSendLongData::parse(payload) else { return };
        let id = self.resolved(piece.statement_id);
        let Some(known) = self.known.get_mut(&id) else { return };
        known.statement.send_long_data(piece.param);
        let Some(ahead) = &mut known.ahead else { return };
        if self.held + piece.data.len() > Self::LIMIT {
            self.held -= ahead.values().map(Vec::len).sum::<usize>();
            known.ahead = None;
        } else {
            self.held += piece.data.len();
            ahead.entry(piece.param).or_default().extend_from_slice(piece.data);
        }
    }

    /// What was sent ahead for a statement, which is of no use any more.
    fn take_ahead(&mut self, id: u32) -> Option<BTreeMap<u16, Vec<u8>>> {
        let known = self.known.get_mut(&id)?;
        known.statement.reset();
        let ahead = known.ahead.replace(BTreeMap::new());
        self.held -= ahead.iter().flatten().map(|(_, data)| data.len()).sum::<usize>();
        ahead
    }

    fn close(&mut self, id: u32) {
        self.take_ahead(id);
        if let Some(known) = self.known.remove(&id) {
            self.held -= known.text.len() + Self::OVERHEAD;
        }
    }

    fn resolved(&self, id: u32) -> u32 {
        if id == LAST { self.last.unwrap_or(id) } else { id }
    }
}

impl Execution {
    /// The values that `payload` executes the statement with. `None` if they are not known: an
    /// execution in bulk has many.
    pub fn params<'p>(&'p self, payload: &'p [u8]) -> Result<Option<Vec<Given<'p>>>, WireError> {
        if payload.first() != Some(&Command::STMT_EXECUTE.0) {
            return Ok(None);
        }
        let Some(ahead) = &self.ahead else { return Ok(None) };
        let Params::Typed(params) = self.statement.clone().execute(payload)?.params else {
            return Ok(None);
        };
        let sent = |index: u16| ahead.get(&index).map(Vec::as_slice);
        let all = (0..=u16::MAX).zip(params).map(|(index, param)| (param, sent(index)));
        Ok(Some(all.collect()))
    }
}

/// The number of the statement that a command is about. All of them have it in the same place.
pub fn statement_id(payload: &[u8]) -> Option<u32> {
    let mut r = Reader::new(payload);
    let is_about_one = matches!(
        Command(r.u8().ok()?),
        Command::STMT_EXECUTE
            | Command::STMT_BULK_EXECUTE
            | Command::STMT_SEND_LONG_DATA
            | Command::STMT_CLOSE
            | Command::STMT_RESET
            | Command::STMT_FETCH
    );
    r.u32().ok().filter(|_| is_about_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::BinaryValue;

    const TEXT: &[u8] = b"SELECT ?";
    /// TINY 7, with its type.
    const BOUND: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0\x00\x01\x01\x00\x07";
    /// 8, without.
    const UNBOUND: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0\x00\x00\x08";
    const CLOSE: &[u8] = b"\x19\x01\0\0\0";

    fn prepare(statements: &mut Statements, id: u32, text: &[u8]) {
        let ok = PrepareOk { statement_id: id, columns: 1, params: 1, warnings: 0 };
        statements.prepared(text, &ok.encode(), Capabilities::empty());
    }

    fn one() -> Statements {
        let mut statements = Statements::default();
        prepare(&mut statements, 1, TEXT);
        statements
    }

    /// The only value, as text; `None` if it is not known.
    fn value(statements: &mut Statements, payload: &[u8]) -> Option<String> {
        let execution = statements.command(payload).expect("known");
        let (param, ahead) = *execution.params(payload).expect("well formed")?.first()?;
        Some(match (param.value, ahead) {
            (Some(BinaryValue::Int(number)), None) => number.to_string(),
            (None, Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn an_execution_has_text_and_values() {
        let mut statements = one();
        let execution = statements.command(BOUND).expect("known");
        assert_eq!((execution.statement_id, &*execution.text), (1, TEXT));
        assert_eq!(value(&mut statements, BOUND).as_deref(), Some("7"));
        assert_eq!(value(&mut statements, UNBOUND).as_deref(), Some("8"));
        assert!(statements.command(b"\x17\x02\0\0\0\0\x01\0\0\0").is_none());
    }

    #[test]
    fn types_that_never_came_leave_the_values_unknown() {
        assert_eq!(value(&mut one(), UNBOUND), None);
    }

    #[test]
    fn a_kept_execution_reads_its_values_later() {
        let mut statements = one();
        let first = statements.command(BOUND).expect("known");
        let second = statements.command(UNBOUND).expect("known");
        for (execution, payload, want) in [(first, BOUND, 7), (second, UNBOUND, 8)] {
            let params = execution.params(payload).unwrap().unwrap();
            assert_eq!(params[0].0.value, Some(BinaryValue::Int(want)));
        }
    }

    #[test]
    fn values_sent_ahead_are_for_one_execution() {
        let mut statements = one();
        for piece in [&b"\x18\x01\0\0\0\0\0ab"[..], b"\x18\x01\0\0\0\0\0c"] {
            assert!(statements.command(piece).is_none());
        }
        assert_eq!(value(&mut statements, BOUND).as_deref(), Some("abc"));
        assert_eq!(value(&mut statements, BOUND).as_deref(), Some("7"));
        statements.command(b"\x18\x01\0\0\0\0\0ab");
        statements.command(b"\x1a\x01\0\0\0");
        assert_eq!(value(&mut statements, BOUND).as_deref(), Some("7"));
        assert_eq!(statements.held, TEXT.len() + Statements::OVERHEAD);
    }

    #[test]
    fn a_look_changes_nothing() {
        let mut statements = one();
        statements.command(b"\x18\x01\0\0\0\0\0ab");
        let seen = statements.look(BOUND).expect("known");
        assert_eq!(seen.params(BOUND).unwrap().unwrap()[0].1, Some(&b"ab"[..]));
        assert!(statements.look(CLOSE).is_none());
        assert_eq!(value(&mut statements, BOUND).as_deref(), Some("ab"));
    }

    #[test]
    fn the_last_one_has_a_number_of_its_own() {
        let mut statements = one();
        prepare(&mut statements, 5, b"DO ?");
        let execution = statements.command(b"\x17\xff\xff\xff\xff\0\x01\0\0\0").expect("known");
        assert_eq!((execution.statement_id, &*execution.text), (5, &b"DO ?"[..]));
    }

    #[test]
    fn what_ends_a_statement_ends_what_is_known() {
        for end in [CLOSE, b"\x1f", b"\x11u\0\0\0"] {
            let mut statements = one();
            assert!(statements.command(end).is_none());
            assert!(statements.command(BOUND).is_none(), "{}", end.escape_ascii());
            assert_eq!(statements.held, 0);
        }
    }

    #[test]
    fn a_refused_preparation_is_none() {
        let mut statements = Statements::default();
        statements.prepared(TEXT, b"\xff\x28\x04#42000no", Capabilities::empty());
        statements.prepared(TEXT, b"", Capabilities::empty());
        assert!(statements.known.is_empty() && statements.last.is_none());
    }

    #[test]
    fn executions_in_bulk_have_a_text_and_no_values() {
        let bulk = b"\xfa\x01\0\0\0\x80\0\x01\0\0\x07";
        let execution = one().command(bulk).expect("known");
        assert_eq!(&*execution.text, TEXT);
        assert_eq!(execution.params(bulk), Ok(None));
    }

    #[test]
    fn the_oldest_are_forgotten_when_there_is_too_much() {
        let mut statements = Statements::default();
        let text = vec![b'x'; Statements::LIMIT / 4];
        for id in 1..=5 {
            prepare(&mut statements, id, &text);
            assert!(statements.held <= Statements::LIMIT);
        }
        assert_eq!(statements.known.keys().copied().collect::<Vec<_>>(), [3, 4, 5]);
        prepare(&mut statements, 6, &vec![b'x'; Statements::LIMIT]);
        assert!(!statements.known.contains_key(&6) && statements.last == Some(6));
        for _ in 0..2 {
            prepare(&mut statements, 7, TEXT);
        }
        assert_eq!(statements.known.len(), 4);
    }

    #[test]
    fn values_that_are_too_long_are_unknown_once() {
        let mut statements = one();
        let held = statements.held;
        let piece = [&b"\x18\x01\0\0\0\0\0"[..], &vec![b'x'; Statements::LIMIT / 2]].concat();
        for _ in 0..3 {
            statements.command(&piece);
            assert!(statements.held <= Statements::LIMIT);
        }
        assert_eq!((value(&mut statements, BOUND), statements.held), (None, held));
        assert_eq!(value(&mut statements, BOUND).as_deref(), Some("7"));
    }

    #[test]
    fn ids_are_where_commands_have_them() {
        for command in [0x17, 0x18, 0x19, 0x1a, 0x1c, 0xfa] {
            assert_eq!(statement_id(&[command, 5, 0, 0, 0, 9]), Some(5));
            assert_eq!(statement_id(&[command, 5, 0, 0]), None);
        }
        assert_eq!(statement_id(b"\x03SELECT 1"), None);
        assert_eq!(statement_id(b""), None);
    }
}
