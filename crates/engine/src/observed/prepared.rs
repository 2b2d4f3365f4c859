//! The prepared statements of a connection, as far as they are counted: their executions have a number only.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqltok::exact::Rules;
use wire::Command;
use wire::reply::PrepareOk;
use wire::statement::{LAST, statement_id};

use super::queries::with_fingerprint;
use crate::Text;
use crate::turn::Turn;

/// A statement that was prepared.
#[derive(Debug)]
pub struct PreparedQuery {
    pub digest: u64,
    pub fingerprint: Box<[u8]>,
    pub text: Text,
}

/// Those of one connection, by number. Of too many the oldest are forgotten: their executions are not counted.
#[derive(Debug, Default)]
pub struct PreparedQueries {
    known: BTreeMap<u32, Arc<PreparedQuery>>,
    last: Option<u32>,
    held: usize,
}

impl PreparedQueries {
    /// Most bytes of texts.
    const LIMIT: usize = 4 << 20;
    /// What one takes besides its texts.
    const OVERHEAD: usize = 200;

    fn add(&mut self, number: u32, query: PreparedQuery) {
        self.close(number);
        self.last = Some(number);
        self.held += Self::size(&query);
        self.known.insert(number, Arc::new(query));
        while self.held > Self::LIMIT
            && let Some(oldest) = self.known.keys().copied().find(|known| *known != number)
        {
            self.close(oldest);
        }
    }

    fn size(query: &PreparedQuery) -> usize {
        Self::OVERHEAD + query.fingerprint.len() + query.text.start.len()
    }

    fn close(&mut self, number: u32) {
        if let Some(query) = self.known.remove(&number) {
            self.held -= Self::size(&query);
        }
    }

    fn resolved(&self, number: u32) -> u32 {
        if number == LAST { self.last.unwrap_or(number) } else { number }
    }

    /// A command of the client: what it executes, if that is known.
    fn command(&mut self, payload: &[u8]) -> Option<Arc<PreparedQuery>> {
        match Command(*payload.first()?) {
            Command::STMT_EXECUTE | Command::STMT_BULK_EXECUTE | Command::STMT_FETCH => {
                self.known.get(&self.resolved(statement_id(payload)?)).map(Arc::clone)
            }
            Command::STMT_CLOSE => {
                self.close(self.resolved(statement_id(payload)?));
                None
            }
            Command::CHANGE_USER | Command::RESET_CONNECTION => {
                *self = Self::default();
                None
            }
            _ => None,
        }
    }
}

impl Turn<'_> {
    /// Takes note of a command of the client; what it executes, if that is known.
    pub(super) fn prepared_query(&mut self, payload: &[u8]) -> Option<Arc<PreparedQuery>> {
        self.prepared_queries()?.command(payload)
    }

    /// The client's preparation of `text` is answered with this.
    pub fn note_prepared_query(&mut self, text: &[u8], answer: &[u8]) {
        let Ok(ok) = PrepareOk::parse(answer) else { return };
        let rules = Rules { ansi_quotes: false, ..self.rules() };
        let mut start = Text::default();
        start.set(text);
        let query = with_fingerprint(&start, rules, |digest, fingerprint| PreparedQuery {
            digest,
            fingerprint: fingerprint.into(),
            text: start.cut(),
        });
        if let Some(queries) = self.prepared_queries() {
            queries.add(ok.statement_id, query);
        }
    }

    /// They go where the numbers are from.
    fn prepared_queries(&mut self) -> Option<&mut PreparedQueries> {
        if self.shared.tracks_sessions() {
            return Some(&mut self.session.statements.counted);
        }
        self.session.server.as_mut().map(|server| &mut server.prepared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &[u8]) -> PreparedQuery {
        let mut start = Text::default();
        start.set(text);
        PreparedQuery { digest: 7, fingerprint: text.into(), text: start }
    }

    fn command(command: Command, number: u32) -> Vec<u8> {
        let mut payload = vec![command.0];
        payload.extend(number.to_le_bytes());
        payload.extend([0; 5]);
        payload
    }

    #[test]
    fn numbers_are_known_until_they_are_closed() {
        let mut queries = PreparedQueries::default();
        queries.add(1, query(b"a"));
        queries.add(2, query(b"b"));
        let found = |queries: &mut PreparedQueries, number| {
            let found = queries.command(&command(Command::STMT_EXECUTE, number));
            found.map(|query| query.text.start.clone())
        };
        assert_eq!(found(&mut queries, 1).as_deref(), Some(&b"a"[..]));
        assert_eq!(found(&mut queries, LAST).as_deref(), Some(&b"b"[..]));
        assert!(queries.command(&command(Command::STMT_CLOSE, 1)).is_none());
        assert_eq!(found(&mut queries, 1), None);
        queries.command(&[Command::RESET_CONNECTION.0]);
        assert_eq!((found(&mut queries, 2), queries.held), (None, 0));
    }

    #[test]
    fn memory_is_bounded() {
        let mut queries = PreparedQueries::default();
        for number in 1..100_000 {
            queries.add(number, query(&[b'x'; 1000]));
        }
        assert!(queries.held <= PreparedQueries::LIMIT);
        assert!(queries.command(&command(Command::STMT_EXECUTE, 99_999)).is_some());
        assert!(queries.command(&command(Command::STMT_EXECUTE, 1)).is_none());
    }
}
