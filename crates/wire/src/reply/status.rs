//! Status flags of OK, EOF and handshake.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html#a1d854e841086925be1883e4d7b4e8cad>.

/// Names of the bits of a `status` field.
#[derive(Debug, Clone, Copy)]
pub enum StatusFlags {}

impl StatusFlags {
    /// A transaction is open.
    pub const IN_TRANS: u16 = 0x0001;
    /// Autocommit is on.
    pub const AUTOCOMMIT: u16 = 0x0002;
    /// Another result of the same command follows.
    pub const MORE_RESULTS_EXISTS: u16 = 0x0008;
    /// No good index was used.
    pub const NO_GOOD_INDEX_USED: u16 = 0x0010;
    /// No index was used.
    pub const NO_INDEX_USED: u16 = 0x0020;
    /// A cursor is open; rows come with COM_STMT_FETCH.
    pub const CURSOR_EXISTS: u16 = 0x0040;
    /// COM_STMT_FETCH reached the last row.
    pub const LAST_ROW_SENT: u16 = 0x0080;
    /// A database was dropped.
    pub const DB_DROPPED: u16 = 0x0100;
    /// Backslash is no escape character.
    pub const NO_BACKSLASH_ESCAPES: u16 = 0x0200;
    /// Prepared again: the columns changed.
    pub const METADATA_CHANGED: u16 = 0x0400;
    /// The query was slow.
    pub const QUERY_WAS_SLOW: u16 = 0x0800;
    /// The result set holds the OUT parameters of a procedure.
    pub const PS_OUT_PARAMS: u16 = 0x1000;
    /// The open transaction is read-only.
    pub const IN_TRANS_READONLY: u16 = 0x2000;
    /// The OK packet tells changes of the session state.
    pub const SESSION_STATE_CHANGED: u16 = 0x4000;
    /// Double quotes enclose names (MariaDB).
    pub const ANSI_QUOTES: u16 = 0x8000;

    /// The flags that say what state a connection is in. They hold until the next report. All others are about
    /// one result.
    pub const OF_CONNECTION: u16 = Self::IN_TRANS
        | Self::AUTOCOMMIT
        | Self::NO_BACKSLASH_ESCAPES
        | Self::IN_TRANS_READONLY
        | Self::ANSI_QUOTES;
}
