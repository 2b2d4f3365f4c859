//! What a client's statements may take: `pyproxy-max-kept-bytes`. A server counts what is open in it (`max_prepared_stmt_count`), and
//! here it forgets statements when others use its connection.

use wire::Command;
use wire::statement::BoundTypes;

use crate::Reply;
use crate::error_code::ER_MAX_PREPARED_STMT_COUNT_REACHED;
use crate::turn::Turn;

/// What a statement takes beside its text and types, in bytes, about.
pub(super) const OVERHEAD: usize = 256;

impl Turn<'_> {
    /// The ERR to a command that would have more kept of the client's statements than may be.
    pub fn objection_to_statement(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let limit = self.shared.max_kept_bytes;
        let left = limit.saturating_sub(self.session.statements.kept);
        if self.needs(packet) <= left {
            return None;
        }
        let message = format!(
            "pyproxy: the prepared statements of this connection are larger than pyproxy-max-kept-bytes={limit}"
        );
        log::warn!("{}: {message}", self.name());
        let reply = Reply::error(ER_MAX_PREPARED_STMT_COUNT_REACHED, &message);
        reply.packets().first().cloned()
    }

    /// How many bytes more are kept behind this command, at most.
    fn needs(&self, packet: &[u8]) -> usize {
        match packet.first().copied().map(Command) {
            Some(Command::STMT_PREPARE) => packet.len() + OVERHEAD,
            Some(Command::STMT_EXECUTE | Command::STMT_BULK_EXECUTE) => {
                self.new_types(packet).unwrap_or_default()
            }
            _ => 0,
        }
    }

    /// How long the types are in an execution.
    fn new_types(&self, packet: &[u8]) -> Option<usize> {
        let statement = self.session.statements.get(self.statement_of(packet)?)?;
        let capabilities = self.session.server.as_ref()?.capabilities();
        // The server refuses what cannot be read, and nothing is kept of it.
        let place = BoundTypes::find(packet, capabilities, statement.params).ok()??;
        Some(place.bytes(packet)?.len())
    }
}
