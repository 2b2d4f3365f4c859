//! Command bytes: the first byte of what a client sends after login.
//!
//! Sources: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html>,
//! MariaDB's `enum_server_command` for 0xfa and up.

/// A command byte, known or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Command(pub u8);

macro_rules! commands {
    ($($name:ident = $value:literal $text:literal),* $(,)?) => {
        impl Command {
            $(#[doc = concat!("`", $text, "`")] pub const $name: Self = Self($value);)*

            /// Those that have a name, by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The protocol's name of the command, such as `COM_QUERY`; `None` for a byte without
            /// one.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    SLEEP = 0x00 "COM_SLEEP",
    QUIT = 0x01 "COM_QUIT",
    INIT_DB = 0x02 "COM_INIT_DB",
    QUERY = 0x03 "COM_QUERY",
    FIELD_LIST = 0x04 "COM_FIELD_LIST",
    CREATE_DB = 0x05 "COM_CREATE_DB",
    DROP_DB = 0x06 "COM_DROP_DB",
    REFRESH = 0x07 "COM_REFRESH",
    SHUTDOWN = 0x08 "COM_SHUTDOWN",
    STATISTICS = 0x09 "COM_STATISTICS",
    PROCESS_INFO = 0x0a "COM_PROCESS_INFO",
    CONNECT = 0x0b "COM_CONNECT",
    PROCESS_KILL = 0x0c "COM_PROCESS_KILL",
    DEBUG = 0x0d "COM_DEBUG",
    PING = 0x0e "COM_PING",
    TIME = 0x0f "COM_TIME",
    DELAYED_INSERT = 0x10 "COM_DELAYED_INSERT",
    CHANGE_USER = 0x11 "COM_CHANGE_USER",
    BINLOG_DUMP = 0x12 "COM_BINLOG_DUMP",
    TABLE_DUMP = 0x13 "COM_TABLE_DUMP",
    CONNECT_OUT = 0x14 "COM_CONNECT_OUT",
    REGISTER_SLAVE = 0x15 "COM_REGISTER_SLAVE",
    STMT_PREPARE = 0x16 "COM_STMT_PREPARE",
    STMT_EXECUTE = 0x17 "COM_STMT_EXECUTE",
    STMT_SEND_LONG_DATA = 0x18 "COM_STMT_SEND_LONG_DATA",
    STMT_CLOSE = 0x19 "COM_STMT_CLOSE",
    STMT_RESET = 0x1a "COM_STMT_RESET",
    SET_OPTION = 0x1b "COM_SET_OPTION",
    STMT_FETCH = 0x1c "COM_STMT_FETCH",
    DAEMON = 0x1d "COM_DAEMON",
    BINLOG_DUMP_GTID = 0x1e "COM_BINLOG_DUMP_GTID",
    RESET_CONNECTION = 0x1f "COM_RESET_CONNECTION",
    CLONE = 0x20 "COM_CLONE",
    SUBSCRIBE_GROUP_REPLICATION_STREAM = 0x21 "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM",
    STMT_BULK_EXECUTE = 0xfa "COM_STMT_BULK_EXECUTE",
    MULTI = 0xfe "COM_MULTI",
}

impl Command {
    /// The protocol's name as a word for people: `query` for `COM_QUERY`, `other` for a byte without a name.
    pub fn word(self) -> String {
        self.name().map_or_else(
            || "other".to_owned(),
            |name| name.trim_start_matches("COM_").to_ascii_lowercase(),
        )
    }

    /// Whether the server answers. COM_QUIT counts as unanswered: the server closes the connection,
    /// and only old ones send an OK first.
    pub const fn has_reply(self) -> bool {
        !matches!(self, Self::QUIT | Self::STMT_SEND_LONG_DATA | Self::STMT_CLOSE)
    }
}

impl From<u8> for Command {
    fn from(byte: u8) -> Self {
        Self(byte)
    }
}

impl From<Command> for u8 {
    fn from(command: Command) -> Self {
        command.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_protocol() {
        assert_eq!(Command::from(3).name(), Some("COM_QUERY"));
        assert_eq!(Command::from(0x1f).name(), Some("COM_RESET_CONNECTION"));
        assert_eq!(Command::from(0xfa), Command::STMT_BULK_EXECUTE);
        assert_eq!(Command::from(0x99).name(), None);
    }

    #[test]
    fn words() {
        assert_eq!([Command::STMT_EXECUTE.word(), Command(0xf0).word()], ["stmt_execute", "other"]);
    }

    #[test]
    fn three_commands_have_no_reply() {
        let silent: Vec<u8> = (0..=255).filter(|&byte| !Command(byte).has_reply()).collect();
        assert_eq!(silent, [0x01, 0x18, 0x19]);
    }
}
