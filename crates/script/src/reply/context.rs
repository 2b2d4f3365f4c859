//! What an answer depends on, besides `proxy.response`.

use engine::{Hook, Session};
use wire::reply::StatusFlags;
use wire::{Capabilities, Command};

/// What the encoding depends on, besides the response: read from the session before any Python code runs.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// What the client and the proxy agreed on.
    pub capabilities: Capabilities,
    /// The client has not seen a handshake: an ERR has no SQL state then.
    pub before_handshake: bool,
    /// What the client expects of a result set.
    pub rows: RowForm,
    /// `server_status` of a response that has none.
    pub status: StatusFlags,
    /// Whether this is the last of several results; `None`: it is the only one.
    pub is_last: Option<bool>,
    /// The most bytes that the answer may take (`pyproxy-max-kept-bytes`).
    pub max_bytes: usize,
}

/// How a result set answers a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowForm {
    /// Columns and rows of text.
    Text,
    /// Columns and binary rows: COM_STMT_EXECUTE and COM_STMT_BULK_EXECUTE.
    Binary,
    /// Binary rows of a cursor, whose columns the client has: COM_STMT_FETCH.
    Cursor,
}

impl RowForm {
    /// That of the answer to this command.
    pub fn of(command: Option<u8>) -> Self {
        match command.map(Command) {
            Some(Command::STMT_EXECUTE | Command::STMT_BULK_EXECUTE) => Self::Binary,
            Some(Command::STMT_FETCH) => Self::Cursor,
            _ => Self::Text,
        }
    }
}

impl Context {
    /// For an answer of `hook`.
    pub fn of(session: &Session, max_bytes: usize, hook: Hook) -> Self {
        let in_command = matches!(hook, Hook::ReadQuery | Hook::ReadQueryResult);
        let command = session.command.filter(|_| in_command);
        Self {
            capabilities: session.client.capabilities(),
            before_handshake: matches!(hook, Hook::ConnectServer | Hook::ReadHandshake),
            rows: RowForm::of(command),
            status: session.status() | cursor_status(session, command, hook),
            is_last: None,
            max_bytes,
        }
    }
}

/// A client fetches until it is told that the last row was sent: as the server said of the result that is replaced, and
/// with the first answer if there is none.
fn cursor_status(session: &Session, command: Option<u8>, hook: Hook) -> StatusFlags {
    const END: StatusFlags = StatusFlags::CURSOR_EXISTS.union(StatusFlags::LAST_ROW_SENT);
    match (RowForm::of(command), hook) {
        (RowForm::Cursor, Hook::ReadQueryResult) => session.result_status & END,
        (RowForm::Cursor, _) => END,
        _ => StatusFlags::empty(),
    }
}
