//! The columns of the cursors that are open on a connection.
//!
//! The rows that COM_STMT_FETCH brings come without column definitions: they have those of the
//! execution that opened the cursor. Sources:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_fetch.html>,
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html>.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{CURSOR_FLAGS, StmtClose, StmtExecute, StmtFetch, StmtReset};
use crate::reply::StatusFlags;
use crate::result::Part;
use crate::{Command, WireError};

/// Payloads of column definitions, in order.
pub type Definitions = Arc<Vec<Vec<u8>>>;

/// Most columns a result set can have; a server that sends more is not followed.
const MOST_COLUMNS: usize = 0xffff;

/// Remembers the columns of open cursors, by the id of their statement.
///
/// Feed it the commands of the connection and, where [`Cursors::command`] asks for it, the packets
/// of the answer. Nothing is allocated unless an execution asks for a cursor.
#[derive(Debug, Clone, Default)]
pub struct Cursors {
    open: BTreeMap<u32, Definitions>,
    /// The statement that is being executed with a cursor, and its columns so far.
    opening: Option<(u32, Vec<Vec<u8>>)>,
}

impl Cursors {
    /// A command is sent. Gives whether its answer may open a cursor, and has to be fed.
    pub fn command(&mut self, payload: &[u8]) -> bool {
        self.opening = None;
        let Some(&command) = payload.first() else { return false };
        match Command(command) {
            Command::STMT_EXECUTE => {
                let Ok((id, flags)) = StmtExecute::cursor(payload) else { return false };
                self.open.remove(&id);
                if flags & CURSOR_FLAGS != 0 {
                    self.opening = Some((id, Vec::new()));
                }
            }
            Command::STMT_CLOSE => {
                self.forget(StmtClose::parse(payload).map(|close| close.statement_id));
            }
            Command::STMT_RESET => {
                self.forget(StmtReset::parse(payload).map(|reset| reset.statement_id));
            }
            Command::CHANGE_USER | Command::RESET_CONNECTION => self.open.clear(),
            _ => {}
        }
        self.opening.is_some()
    }

    /// Without an id the server, too, does not know which statement is meant.
    fn forget(&mut self, id: Result<u32, WireError>) {
        if let Ok(id) = id {
            self.open.remove(&id);
        }
    }

    /// A packet of the answer, and what it is.
    pub fn answer(&mut self, part: Part, payload: &[u8]) {
        let Some((_, columns)) = &mut self.opening else { return };
        match part {
            Part::ColumnCount => columns.clear(),
            Part::Column if columns.len() < MOST_COLUMNS => columns.push(payload.to_vec()),
            Part::Column => self.opening = None,
            _ => {}
        }
    }

    /// The answer is complete; `status` is that of its last packet.
    pub fn done(&mut self, status: StatusFlags) {
        if let Some((id, columns)) = self.opening.take()
            && status.contains(StatusFlags::CURSOR_EXISTS)
        {
            self.open.insert(id, Arc::new(columns));
        }
    }

    /// The columns of the rows that this COM_STMT_FETCH brings; `None` for any other command, and
    /// for a cursor that was not seen being opened.
    pub fn columns(&self, fetch: &[u8]) -> Option<&Definitions> {
        let fetch = StmtFetch::parse(fetch).ok()?;
        self.open.get(&fetch.statement_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXECUTE: &[u8] = b"\x17\x07\0\0\0\x01\x01\0\0\0";
    const FETCH: &[u8] = b"\x1c\x07\0\0\0\x02\0\0\0";

    fn open(cursors: &mut Cursors, columns: &[&[u8]]) {
        assert!(cursors.command(EXECUTE));
        cursors.answer(Part::ColumnCount, &[2]);
        for column in columns {
            cursors.answer(Part::Column, column);
        }
        cursors.answer(Part::ColumnsEnd, b"\xfe\0\0\x42\0");
        cursors.done(StatusFlags::CURSOR_EXISTS | StatusFlags::AUTOCOMMIT);
    }

    #[test]
    fn a_fetch_has_the_columns_of_the_last_execution() {
        let mut cursors = Cursors::default();
        assert_eq!(cursors.columns(FETCH), None);
        open(&mut cursors, &[b"a", b"b"]);
        assert!(!cursors.command(FETCH));
        assert_eq!(**cursors.columns(FETCH).unwrap(), [b"a", b"b"]);
        open(&mut cursors, &[b"c"]);
        assert_eq!(**cursors.columns(FETCH).unwrap(), [b"c"]);
        assert_eq!(cursors.columns(b"\x1c\x08\0\0\0\x02\0\0\0"), None, "another statement");
        assert_eq!(cursors.columns(EXECUTE), None);
    }

    #[test]
    fn what_ends_a_cursor_ends_its_columns() {
        let ends: [&[u8]; 5] = [
            b"\x19\x07\0\0\0",
            b"\x1a\x07\0\0\0",
            b"\x17\x07\0\0\0\0\x01\0\0\0",
            b"\x1f",
            b"\x11u\0\0\0",
        ];
        for end in ends {
            let mut cursors = Cursors::default();
            open(&mut cursors, &[b"a"]);
            assert!(!cursors.command(end));
            assert_eq!(cursors.columns(FETCH), None, "{}", end.escape_ascii());
        }
    }

    #[test]
    fn an_execution_without_cursor_opens_none() {
        let mut cursors = Cursors::default();
        let counted = b"\x17\x07\0\0\0\x08\x01\0\0\0\0";
        assert!(!cursors.command(counted), "the flag of a number of parameters asks for none");
        assert!(cursors.command(EXECUTE));
        cursors.answer(Part::Column, b"a");
        cursors.done(StatusFlags::AUTOCOMMIT);
        assert_eq!(cursors.columns(FETCH), None);
        // An answer to something else is not collected.
        assert!(!cursors.command(b"\x03SELECT 1"));
        cursors.answer(Part::Column, b"a");
        cursors.done(StatusFlags::CURSOR_EXISTS);
        assert_eq!(cursors.columns(FETCH), None);
        assert!(!cursors.command(b""));
        assert!(!cursors.command(b"\x17\x07"));
    }

    #[test]
    fn more_columns_than_there_can_be_are_not_collected() {
        let mut cursors = Cursors::default();
        cursors.command(EXECUTE);
        for _ in 0..=MOST_COLUMNS {
            cursors.answer(Part::Column, b"");
        }
        cursors.done(StatusFlags::CURSOR_EXISTS);
        assert_eq!(cursors.columns(FETCH), None);
    }
}
