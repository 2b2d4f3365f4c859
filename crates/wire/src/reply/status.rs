//! Status flags of OK, EOF and handshake.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html#a1d854e841086925be1883e4d7b4e8cad>.

use bitflags::bitflags;

bitflags! {
    /// A `status` field. Bits without a name stay as they are.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct StatusFlags: u16 {
        /// A transaction is open.
        const IN_TRANS = 0x0001;
        /// Autocommit is on.
        const AUTOCOMMIT = 0x0002;
        /// Another result of the same command follows.
        const MORE_RESULTS_EXISTS = 0x0008;
        /// No good index was used.
        const NO_GOOD_INDEX_USED = 0x0010;
        /// No index was used.
        const NO_INDEX_USED = 0x0020;
        /// A cursor is open; rows come with COM_STMT_FETCH.
        const CURSOR_EXISTS = 0x0040;
        /// COM_STMT_FETCH reached the last row.
        const LAST_ROW_SENT = 0x0080;
        /// A database was dropped.
        const DB_DROPPED = 0x0100;
        /// Backslash is no escape character.
        const NO_BACKSLASH_ESCAPES = 0x0200;
        /// Prepared again: the columns changed.
        const METADATA_CHANGED = 0x0400;
        /// The query was slow.
        const QUERY_WAS_SLOW = 0x0800;
        /// The result set holds the OUT parameters of a procedure.
        const PS_OUT_PARAMS = 0x1000;
        /// The open transaction is read-only.
        const IN_TRANS_READONLY = 0x2000;
        /// The OK packet tells changes of the session state.
        const SESSION_STATE_CHANGED = 0x4000;
        /// Double quotes enclose names (MariaDB).
        const ANSI_QUOTES = 0x8000;

        // 0x0004 means nothing today; a server may send any bit.
        const _ = !0;
    }
}

impl StatusFlags {
    /// The flags that say what state a connection is in. They hold until the next report. All others are about
    /// one result.
    pub const OF_CONNECTION: Self = Self::AUTOCOMMIT
        .union(Self::OF_TRANSACTION)
        .union(Self::NO_BACKSLASH_ESCAPES)
        .union(Self::ANSI_QUOTES);

    /// Those of them that end with the transaction.
    pub const OF_TRANSACTION: Self = Self::IN_TRANS.union(Self::IN_TRANS_READONLY);
}
