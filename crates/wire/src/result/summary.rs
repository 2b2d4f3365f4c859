//! What an answer amounted to.

use crate::reader::length;
use crate::reply::{EofPacket, OkHead, StatusFlags};
use crate::{HEADER_LEN, marker};

/// Counters of one answer, over all its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Changed rows, of the last OK packet; 0 after an ERR. `None` if a result set came.
    pub affected_rows: Option<u64>,
    /// AUTO_INCREMENT value, of the last OK packet; 0 after an ERR. `None` if a result set came.
    pub insert_id: Option<u64>,
    /// Number of warnings, of the last OK or EOF; 0 after an ERR.
    pub warnings: u16,
    /// Status of the last OK or EOF; an ERR has none and leaves it.
    pub status: StatusFlags,
    /// Rows of all result sets.
    pub row_count: u64,
    /// Length of all row packets including their headers, in bytes.
    pub bytes: u64,
    /// 0 for OK or a result set, 0xff if the answer ended in ERR, even behind rows or an earlier
    /// OK. `None` as long as neither came, which includes a pending file request.
    pub query_status: Option<u8>,
    /// Whether a result set came, with or without rows.
    pub has_resultset: bool,
}

/// The numbers behind a [`Summary`], as they grow.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    affected_rows: u64,
    insert_id: u64,
    rows: u64,
    bytes: u64,
    pub(super) warnings: u16,
    pub(super) status: StatusFlags,
    /// Some packet had a status.
    pub(super) has_status: bool,
    pub(super) query_status: Option<u8>,
    pub(super) has_resultset: bool,
}

impl Counters {
    pub(super) const ZERO: Self = Self {
        affected_rows: 0,
        insert_id: 0,
        rows: 0,
        bytes: 0,
        warnings: 0,
        status: StatusFlags::empty(),
        has_status: false,
        query_status: None,
        has_resultset: false,
    };

    pub(super) const fn summary(&self) -> Summary {
        // COM_STMT_FETCH has rows before anything tells that it is a result set.
        let has_resultset = self.has_resultset || self.rows > 0;
        let known = !has_resultset && self.query_status.is_some();
        Summary {
            affected_rows: if known { Some(self.affected_rows) } else { None },
            insert_id: if known { Some(self.insert_id) } else { None },
            warnings: self.warnings,
            status: self.status,
            row_count: self.rows,
            bytes: self.bytes,
            query_status: self.query_status,
            has_resultset,
        }
    }

    /// The first, usually only, packet of a row.
    #[inline]
    pub(super) fn row(&mut self, payload: &[u8]) {
        self.rows = self.rows.saturating_add(1);
        self.row_part(payload);
    }

    /// A further packet of the same row.
    #[inline]
    pub(super) fn row_part(&mut self, payload: &[u8]) {
        let packet = length(payload.len()).saturating_add(length(HEADER_LEN));
        self.bytes = self.bytes.saturating_add(packet);
    }

    pub(super) const fn ok(&mut self, head: OkHead) {
        self.affected_rows = head.affected_rows;
        self.insert_id = head.insert_id;
        self.status = head.status;
        self.has_status = true;
        self.warnings = head.warnings;
    }

    /// Status and warnings of an EOF, or of the OK in its place. One that is too short has neither.
    pub(super) fn end(&mut self, payload: &[u8], deprecate_eof: bool) {
        let head = if deprecate_eof { OkHead::parse(payload).ok() } else { None };
        let end = match head {
            Some(ok) => Some((ok.status, ok.warnings)),
            None => EofPacket::parse(payload).ok().map(|eof| (eof.status, eof.warnings)),
        };
        self.has_status |= end.is_some();
        (self.status, self.warnings) = end.unwrap_or_default();
    }

    pub(super) const fn error(&mut self) {
        self.affected_rows = 0;
        self.insert_id = 0;
        self.warnings = 0;
        self.query_status = Some(marker::ERR);
    }
}
