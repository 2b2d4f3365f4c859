//! Commands of prepared statements, as the client sends them.
//!
//! Overview:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html>. All
//! payloads include the command byte. The answer to a preparation is
//! [`PrepareOk`](crate::reply::PrepareOk), rows are [`BinaryRow`](crate::result::BinaryRow)s.

mod bound_types;
mod close;
mod cursors;
mod execute;
mod fetch;
mod long_data;
mod prepare;
mod prepared;
mod reset;
mod statements;

pub use bound_types::BoundTypes;
pub use close::StmtClose;
pub use cursors::{Cursors, Definitions};
pub use execute::{CURSOR_FLAGS, PARAMETER_COUNT_AVAILABLE, Param, Params, StmtExecute};
pub use fetch::StmtFetch;
pub use long_data::StmtSendLongData;
pub use prepare::StmtPrepare;
pub use prepared::PreparedStatement;
pub use reset::StmtReset;
pub use statements::{Execution, LAST, Statements, statement_id};

use crate::{Command, Reader, WireError};

/// Starts to read the payload of `command`, called `packet` in errors: takes the command byte.
fn open<'p>(
    payload: &'p [u8],
    command: Command,
    packet: &'static str,
) -> Result<Reader<'p>, WireError> {
    let mut r = Reader::new(payload);
    match r.u8()? {
        byte if byte == command.0 => Ok(r),
        found => Err(WireError::Marker { packet, found }),
    }
}
