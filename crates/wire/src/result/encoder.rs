//! Writes result sets, in the classic form or with DEPRECATE_EOF.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html>.

use super::{ColumnDefinition, encode_binary_row, encode_binary_row_from_text};
use crate::binary::{BinaryValue, ValueType};
use crate::reader::length;
use crate::reply::{EofPacket, ErrPacket, OkPacket, StatusFlags};
use crate::{Capabilities, WireError, Writer};

/// Appends the payload of a text row to `out`. `None` is NULL.
pub fn encode_text_row<'c>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = Option<&'c [u8]>>) {
    let mut w = Writer::new(out);
    for cell in cells {
        w.lenenc_cell(cell);
    }
}

/// Hands the payloads of one result set to a sink, one call per payload, in wire order.
///
/// A payload may be longer than one packet holds; the sink frames it with
/// [`frame`](crate::packet::frame). The result set must be closed by [`finish`](Self::finish) or
/// [`fail`](Self::fail).
#[derive(Debug)]
pub struct ResultSetEncoder<F> {
    sink: F,
    buffer: Vec<u8>,
    deprecate_eof: bool,
    caps: Capabilities,
}

impl<F: FnMut(&[u8])> ResultSetEncoder<F> {
    /// Sends column count and definitions. `caps` are those of the client's login, `status` goes
    /// into the EOF behind the definitions. At least one column is needed: a count of 0 would read
    /// as OK.
    pub fn begin(
        columns: &[ColumnDefinition<'_>],
        caps: Capabilities,
        status: StatusFlags,
        sink: F,
    ) -> Self {
        let deprecate_eof = caps.contains(Capabilities::DEPRECATE_EOF);
        let mut encoder = Self { sink, buffer: Vec::new(), deprecate_eof, caps };
        Writer::new(&mut encoder.buffer).lenenc(length(columns.len()));
        encoder.flush();
        for column in columns {
            column.encode(&mut encoder.buffer, caps);
            encoder.flush();
        }
        if !deprecate_eof {
            (encoder.sink)(&EofPacket { warnings: 0, status }.encode());
        }
        encoder
    }

    /// Sends no definitions: the rows that follow are those of a cursor, whose columns the client
    /// has.
    pub fn of_cursor(caps: Capabilities, sink: F) -> Self {
        let deprecate_eof = caps.contains(Capabilities::DEPRECATE_EOF);
        Self { sink, buffer: Vec::new(), deprecate_eof, caps }
    }

    /// Sends a text row with one cell per column.
    pub fn text_row<'c>(&mut self, cells: impl IntoIterator<Item = Option<&'c [u8]>>) {
        encode_text_row(&mut self.buffer, cells);
        self.flush();
    }

    /// Sends a binary row with one value per column. On an error nothing is sent.
    pub fn binary_row<'c>(
        &mut self,
        types: &[ValueType],
        cells: impl IntoIterator<Item = BinaryValue<'c>>,
    ) -> Result<(), WireError> {
        encode_binary_row(&mut self.buffer, types, cells)?;
        self.flush();
        Ok(())
    }

    /// Sends a binary row made from one text cell per column. On an error nothing is sent.
    pub fn binary_row_from_text<'c>(
        &mut self,
        types: &[ValueType],
        cells: impl IntoIterator<Item = Option<&'c [u8]>>,
    ) -> Result<(), WireError> {
        encode_binary_row_from_text(&mut self.buffer, types, cells)?;
        self.flush();
        Ok(())
    }

    /// Sends a row that is encoded already.
    pub fn raw_row(&mut self, payload: &[u8]) {
        (self.sink)(payload);
    }

    /// Sends the end of the rows.
    pub fn finish(mut self, status: StatusFlags, warnings: u16) {
        let payload = if self.deprecate_eof {
            OkPacket { status, warnings, ..OkPacket::default() }.encode_as_eof(self.caps)
        } else {
            EofPacket { warnings, status }.encode()
        };
        (self.sink)(&payload);
    }

    /// Ends the result set with an error in place of a row.
    pub fn fail(mut self, error: &ErrPacket<'_>) {
        (self.sink)(&error.encode());
    }

    fn flush(&mut self) {
        (self.sink)(&self.buffer);
        self.buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::ColumnType;

    fn encode(caps: Capabilities) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
        let sink = |payload: &[u8]| packets.push(payload.to_vec());
        let mut encoder = ResultSetEncoder::begin(&[column], caps, StatusFlags::AUTOCOMMIT, sink);
        encoder.text_row([Some(&b"x"[..])]);
        encoder.text_row([None]);
        encoder.finish(StatusFlags::AUTOCOMMIT, 1);
        packets
    }

    const DEFINITION: &[u8] =
        b"\x03def\0\0\0\x01a\0\x0c\x2d\x00\x00\x00\x00\x00\xfd\x00\x00\x00\x00\x00";

    #[test]
    fn classic_form() {
        let want: [&[u8]; 6] =
            [b"\x01", DEFINITION, b"\xfe\0\0\x02\0", b"\x01x", b"\xfb", b"\xfe\x01\0\x02\0"];
        assert_eq!(encode(Capabilities::empty()), want);
    }

    #[test]
    fn form_without_eof() {
        let want: [&[u8]; 5] = [b"\x01", DEFINITION, b"\x01x", b"\xfb", b"\xfe\0\0\x02\0\x01\0"];
        assert_eq!(encode(Capabilities::DEPRECATE_EOF), want);
    }

    #[test]
    fn binary_rows() {
        let mut packets = Vec::new();
        let column = ColumnDefinition::named(b"a", ColumnType::TINY);
        let types = [ValueType::of_column(&column)];
        let sink = |payload: &[u8]| packets.push(payload.to_vec());
        let mut encoder = ResultSetEncoder::begin(
            &[column],
            Capabilities::empty(),
            StatusFlags::AUTOCOMMIT,
            sink,
        );
        encoder.binary_row(&types, [BinaryValue::Int(-1)]).unwrap();
        encoder.binary_row(&types, [BinaryValue::Int(128)]).unwrap_err();
        encoder.binary_row_from_text(&types, [Some(&b"x"[..])]).unwrap_err();
        encoder.binary_row_from_text(&types, [Some(&b"7"[..])]).unwrap();
        encoder.binary_row_from_text(&types, [None]).unwrap();
        encoder.finish(StatusFlags::AUTOCOMMIT, 0);
        let want: [&[u8]; 4] = [b"\0\0\xff", b"\0\0\x07", b"\0\x04", b"\xfe\0\0\x02\0"];
        assert_eq!(packets[3..], want);
    }

    #[test]
    fn rows_of_a_cursor_have_no_definitions() {
        let mut packets = Vec::new();
        let sink = |payload: &[u8]| packets.push(payload.to_vec());
        let mut encoder = ResultSetEncoder::of_cursor(Capabilities::empty(), sink);
        let types = [ValueType::new(ColumnType::TINY)];
        encoder.binary_row(&types, [BinaryValue::Int(7)]).unwrap();
        encoder.finish(StatusFlags::AUTOCOMMIT | StatusFlags::LAST_ROW_SENT, 0);
        assert_eq!(packets, [&b"\0\0\x07"[..], b"\xfe\0\0\x82\0"]);
    }

    #[test]
    fn an_error_ends_the_rows() {
        let mut last = Vec::new();
        let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
        let sink = |payload: &[u8]| last = payload.to_vec();
        let encoder = ResultSetEncoder::begin(
            &[column],
            Capabilities::empty(),
            StatusFlags::AUTOCOMMIT,
            sink,
        );
        encoder.fail(&ErrPacket { code: 1105, sqlstate: Some(*b"HY000"), message: b"no" });
        assert_eq!(last, b"\xff\x51\x04#HY000no");
    }
}
