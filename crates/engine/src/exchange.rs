//! One command of the client, from its arrival to the last packet of its answer.

use std::sync::Arc;

use wire::Command;
use wire::connect::Login;

use crate::answer_due::AnswerDue;
use crate::{Injection, QueryId};

/// Where a command stands.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The client waits for its one answer. `None`: it has it, or expects none.
    pub due: Option<AnswerDue>,
    /// The queued query whose result is being read.
    pub injection: Option<Injection>,
    /// What the command changes if the server accepts it.
    pub effect: Change,
    /// Some packet of an answer was sent to the client.
    pub begun: bool,
    /// The file transfer.
    pub infile: Infile,
    /// Whose query it is that is being read.
    pub nested: Nested,
    /// The text of a COM_STMT_PREPARE whose answer is remembered, for the script or for who counts its executions.
    pub preparing: Option<Vec<u8>>,
    /// The text of a COM_STMT_PREPARE that is with the server, and gets a number of the client's own.
    pub numbers: Option<Arc<[u8]>>,
    /// The answer may open a cursor, whose columns are remembered for the script.
    pub opens_cursor: bool,
}

impl Exchange {
    /// A command arrived.
    pub fn of(command: Command) -> Self {
        // A packet for a client that expects none would be taken for the answer to its next command.
        let expects_one = command.has_reply() || command == Command::QUIT;
        Self { due: expects_one.then(AnswerDue::of_command), ..Self::default() }
    }

    /// Whether something in the packets of the answer is remembered.
    pub fn is_looked_at(&self) -> bool {
        self.opens_cursor || self.preparing.is_some() || self.numbers.is_some()
    }

    /// Whether the client has its answer, or expects none.
    pub fn is_answered(&self) -> bool {
        self.due.is_none()
    }
}

/// Whether a query of a waiting script is with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nested {
    /// No.
    #[default]
    No,
    /// This one, and the script wants its result.
    Wanted(QueryId),
    /// One whose result nobody wants any more.
    Dropped,
}

/// A LOAD DATA LOCAL transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Infile {
    /// None.
    #[default]
    No,
    /// The client sends the file to the server.
    ForServer,
    /// A script made the request: no server waits for the file.
    ForScript,
    /// The server asked a client that did not offer any: it gets an empty file, and the client an ERR.
    Refused,
}

/// What a command changes in what we know, once the server said OK.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Change {
    /// Nothing.
    #[default]
    None,
    /// COM_INIT_DB, or `USE` as text.
    DefaultDb(Vec<u8>),
    /// COM_CHANGE_USER, in the form of a login.
    Login(Box<Login>),
}
