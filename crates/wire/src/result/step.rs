//! What the tracker says about a packet: what to do next, and what the packet was.

use crate::connect::AuthReply;

/// What to do after a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// More packets of the server follow.
    More,
    /// The answer is complete.
    Done,
    /// The server asks for a file: complete for this phase. The client sends the file; what the
    /// server then says goes to [`ResultTracker::feed`](crate::result::ResultTracker::feed) again.
    LocalInfile,
    /// A round of COM_CHANGE_USER. The client speaks next, or, after `FastSuccess`, the server.
    Auth(AuthReply),
    /// A binlog event: forward it at once, more follow.
    Stream,
}

/// What the last packet was: for finding one's way in a buffered answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// An OK packet, or the counts of a prepared statement.
    Ok,
    /// An ERR packet.
    Err,
    /// The number of columns of a result set.
    ColumnCount,
    /// A definition of a column or parameter.
    Column,
    /// The EOF behind definitions.
    ColumnsEnd,
    /// A row, or a continuation of one.
    Row,
    /// The end of the rows.
    RowsEnd,
    /// Anything else; also before the first packet.
    Other,
}
