//! The shape of the answer to each command: which packets may come, and what ends it.
//!
//! Sources: the page of each command below
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html>.

use crate::Command;

/// Shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// No packet at all.
    Silent,
    /// One packet, whatever it is.
    Single,
    /// OK, ERR, file request, or result sets.
    Query,
    /// Not documented: one packet if it looks like OK, ERR or EOF, else as a query.
    Unknown,
    /// Column definitions without a count, then EOF.
    FieldList,
    /// Prepared statement: counts, then definitions.
    Prepare,
    /// Binary rows without definitions, then EOF.
    Fetch,
    /// Rounds of authentication.
    Auth,
    /// Events until EOF or ERR.
    Stream,
}

impl Shape {
    /// The shape of the answer to `command`.
    pub(super) const fn of(command: Command) -> Self {
        match command {
            Command::STMT_SEND_LONG_DATA | Command::STMT_CLOSE => Self::Silent,
            Command::QUERY
            | Command::PROCESS_INFO
            | Command::STMT_EXECUTE
            | Command::STMT_BULK_EXECUTE => Self::Query,
            Command::FIELD_LIST => Self::FieldList,
            Command::STMT_PREPARE => Self::Prepare,
            Command::STMT_FETCH => Self::Fetch,
            Command::CHANGE_USER => Self::Auth,
            Command::BINLOG_DUMP | Command::BINLOG_DUMP_GTID => Self::Stream,
            Command::QUIT
            | Command::INIT_DB
            | Command::CREATE_DB
            | Command::DROP_DB
            | Command::REFRESH
            | Command::SHUTDOWN
            | Command::STATISTICS
            | Command::PROCESS_KILL
            | Command::DEBUG
            | Command::PING
            | Command::TIME
            | Command::REGISTER_SLAVE
            | Command::STMT_RESET
            | Command::SET_OPTION
            | Command::RESET_CONNECTION => Self::Single,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_commands_have_no_reply() {
        for byte in 0..=255 {
            let command = Command(byte);
            if Shape::of(command) == Shape::Silent {
                assert!(!command.has_reply(), "{byte:#04x}");
            }
        }
        // Old servers answer COM_QUIT before they close.
        assert_eq!(Shape::of(Command::QUIT), Shape::Single);
    }
}
