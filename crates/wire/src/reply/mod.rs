//! The generic answers of a server: OK, ERR, EOF, and the first packet of a prepared statement.
//!
//! Overview:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_response_packets.html>.

mod eof;
mod err;
mod ok;
mod own_reports;
mod prepare_ok;
mod session_changes;
mod status;

pub use eof::{EofPacket, is_eof};
pub use err::{ErrPacket, is_err};
pub use ok::{OkPacket, is_ok, set_status_flag};
pub use own_reports::{OwnReports, Told, Transactions};
pub use prepare_ok::PrepareOk;
pub use session_changes::SessionChanges;
pub use status::StatusFlags;

pub(crate) use ok::OkHead;
