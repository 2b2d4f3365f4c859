//! The prepared statements of a client whose commands run on more than one server connection: they are its own, with numbers of
//! its own, and prepared where they run.
//!
//! Off unless a script tracks sessions ([`Shared::track_sessions`](crate::Shared::track_sessions)): else the numbers are the server's.

mod context;
mod known;
mod limit;
mod numbers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wire::statement::{LAST, Statements};

pub(crate) use context::{Context, Login};

use crate::SessionState;
use crate::observed::PreparedQueries;

/// No server gives a statement this number.
pub(crate) const NO_STATEMENT: u32 = 0;

/// All of one client's session.
#[derive(Debug, Default)]
pub struct ClientStatements {
    prepared: BTreeMap<u32, ClientStatement>,
    /// The number that was given last.
    given: u32,
    /// What [`LAST`] means.
    last: Option<u32>,
    /// What they take, in bytes.
    kept: usize,
    /// Their texts and values, for a script that is asked about commands.
    pub(crate) known: Statements,
    /// The same, as far as they are counted.
    pub(crate) counted: PreparedQueries,
}

/// A statement that the client prepared.
#[derive(Debug)]
pub(crate) struct ClientStatement {
    /// What was prepared.
    pub text: Arc<[u8]>,
    /// What its names and its syntax mean.
    pub context: Arc<Context>,
    /// How many parameters it has.
    pub params: u16,
    /// Their types, as the client bound them last.
    pub types: Option<Arc<[u8]>>,
}

impl ClientStatement {
    fn kept(&self) -> usize {
        limit::OVERHEAD + self.text.len() + self.types.as_ref().map_or(0, |types| types.len())
    }
}

impl ClientStatements {
    /// The statement of this number.
    pub(crate) fn get(&self, number: u32) -> Option<&ClientStatement> {
        self.prepared.get(&number)
    }

    fn add(&mut self, text: Arc<[u8]>, params: u16, state: &SessionState, database: &[u8]) -> u32 {
        let context = Context::of(state, database);
        let newest = self.prepared.last_key_value().map(|(_, statement)| &statement.context);
        let context = match newest.filter(|newest| ***newest == context) {
            Some(newest) => Arc::clone(newest),
            None => Arc::new(context),
        };
        loop {
            self.given = self.given.wrapping_add(1);
            let is_usable = !matches!(self.given, NO_STATEMENT | LAST);
            if is_usable && !self.prepared.contains_key(&self.given) {
                break;
            }
        }
        self.last = Some(self.given);
        let statement = ClientStatement { text, context, params, types: None };
        self.kept += statement.kept();
        self.prepared.insert(self.given, statement);
        self.given
    }

    fn close(&mut self, number: u32) {
        if let Some(statement) = self.prepared.remove(&number) {
            self.kept -= statement.kept();
        }
    }

    fn resolved(&self, number: u32) -> u32 {
        if number == LAST { self.last.unwrap_or(NO_STATEMENT) } else { number }
    }
}

/// Those of the client that are prepared on one server connection.
#[derive(Debug, Default)]
pub(crate) struct ServerStatements(BTreeMap<u32, ServerStatement>);

#[derive(Debug)]
struct ServerStatement {
    /// The server's number.
    id: u32,
    /// The types of its parameters that the server knows.
    types: Option<Arc<[u8]>>,
}

impl ServerStatements {
    /// Whether it is there; for a command that is `answered`, in a way that it can be run.
    pub fn has(&self, number: u32, answered: bool) -> bool {
        self.0.get(&number).is_some_and(|it| !answered || it.id != NO_STATEMENT)
    }

    /// The client's statement has this number on the server; [`NO_STATEMENT`]: it cannot be prepared.
    pub fn add(&mut self, number: u32, id: u32) {
        self.0.insert(number, ServerStatement { id, types: None });
    }

    /// The server's numbers of what its client has closed elsewhere.
    pub fn take_closed(&mut self, of: &ClientStatements) -> Vec<u32> {
        let is_closed = |number: &u32| !of.prepared.contains_key(number);
        let closed: BTreeSet<u32> = self.0.keys().copied().filter(is_closed).collect();
        let ids = closed.iter().filter_map(|number| self.0.remove(number)).map(|it| it.id);
        ids.filter(|id| *id != NO_STATEMENT).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(statements: &mut ClientStatements, database: &[u8]) -> u32 {
        statements.add(Arc::from(&b"DO 1"[..]), 0, &SessionState::default(), database)
    }

    #[test]
    fn numbers_are_not_given_twice_while_they_are_used() {
        let mut statements = ClientStatements::default();
        assert_eq!([add(&mut statements, b""), add(&mut statements, b"")], [1, 2]);
        statements.given = LAST - 1;
        assert_eq!(add(&mut statements, b""), 3);
        assert_eq!(statements.resolved(LAST), 3);
        assert_eq!(statements.resolved(7), 7);
        assert_eq!(ClientStatements::default().resolved(LAST), NO_STATEMENT);
    }

    #[test]
    fn what_is_closed_takes_nothing() {
        let mut statements = ClientStatements::default();
        let numbers = [&b"a"[..], b"b"].map(|database| add(&mut statements, database));
        assert_eq!(statements.kept, 2 * (limit::OVERHEAD + b"DO 1".len()));
        for number in [numbers[0], numbers[0], numbers[1], 7] {
            statements.close(number);
        }
        assert_eq!(statements.kept, 0);
    }

    #[test]
    fn statements_share_what_they_were_prepared_in() {
        let mut statements = ClientStatements::default();
        let numbers = [&b"a"[..], b"a", b"b"].map(|database| add(&mut statements, database));
        let [first, second, third] =
            numbers.map(|number| &statements.get(number).expect("there").context);
        assert!(Arc::ptr_eq(first, second));
        assert_ne!(second, third);
    }

    #[test]
    fn what_is_closed_elsewhere_is_left_on_the_server() {
        let mut statements = ClientStatements::default();
        let number = add(&mut statements, b"");
        let mut server = ServerStatements::default();
        server.add(number, 70);
        server.add(number + 1, 71);
        assert_eq!(server.take_closed(&statements), [71]);
        assert!(server.has(number, true) && !server.has(number + 1, false));
    }
}
