//! Everything that answers one COM_QUERY in the classic dialect.

use std::io;

use super::RawClient;
use crate::proto::bytes::Reader;
use crate::proto::caps::STATUS_MORE_RESULTS;
use crate::proto::ok_err::{ErrPacket, OkPacket, invalid, parse_eof, parse_err, parse_ok};
use crate::proto::packet::{MAX_PAYLOAD, Packet};

/// A row: one value per column, `None` for NULL.
pub type Row = Vec<Option<Vec<u8>>>;

/// One of the results of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A statement without result set.
    Ok(OkPacket),
    /// An error; always the last.
    Err(ErrPacket),
    /// A result set.
    Rows {
        /// Column names.
        columns: Vec<String>,
        /// All rows.
        rows: Vec<Row>,
        /// Status bits of the closing EOF.
        status: u16,
    },
    /// The server asks for this file; what follows is the caller's to speak.
    LocalInfile(String),
}

/// All results of one command, and the packets they came in.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The results, in order.
    pub outcomes: Vec<Outcome>,
    /// The packets as received.
    pub packets: Vec<Packet>,
}

impl Answer {
    /// Reads an answer; ids must follow each other from `first_id` on.
    ///
    /// # Errors
    /// Those of the stream, or bytes that are no classic answer.
    pub fn read(client: &mut RawClient, first_id: u8) -> io::Result<Self> {
        let mut source = Source { client, next_id: first_id, packets: Vec::new() };
        let mut outcomes = Vec::new();
        loop {
            let outcome = source.outcome()?;
            let status = match &outcome {
                Outcome::Ok(ok) => ok.status,
                Outcome::Rows { status, .. } => *status,
                Outcome::Err(_) | Outcome::LocalInfile(_) => 0,
            };
            outcomes.push(outcome);
            if status & STATUS_MORE_RESULTS == 0 {
                return Ok(Self { outcomes, packets: source.packets });
            }
        }
    }

    /// The only result.
    ///
    /// # Panics
    /// If there are several.
    pub fn single(&self) -> &Outcome {
        assert_eq!(self.outcomes.len(), 1, "one result expected: {:?}", self.outcomes);
        &self.outcomes[0]
    }

    /// The rows of the only result, as text; NULL is `"NULL"`.
    ///
    /// # Panics
    /// If it is no result set.
    pub fn text(&self) -> Vec<Vec<String>> {
        match self.single() {
            Outcome::Rows { rows, .. } => rows.iter().map(text_row).collect(),
            other => panic!("rows expected, got {other:?}"),
        }
    }

    /// The only value of the only result, as text.
    ///
    /// # Panics
    /// If there is not exactly one.
    pub fn value(&self) -> String {
        let rows = self.text();
        assert!(rows.len() == 1 && rows[0].len() == 1, "one value expected: {rows:?}");
        rows[0][0].clone()
    }

    /// The OK packet that is the only result.
    ///
    /// # Panics
    /// If it is something else.
    pub fn ok(&self) -> OkPacket {
        match self.single() {
            Outcome::Ok(ok) => *ok,
            other => panic!("OK expected, got {other:?}"),
        }
    }

    /// The ERR packet that is the only result.
    ///
    /// # Panics
    /// If it is something else.
    pub fn err(&self) -> &ErrPacket {
        match self.single() {
            Outcome::Err(error) => error,
            other => panic!("ERR expected, got {other:?}"),
        }
    }

    /// Payload bytes of all packets, for a comparison of two ways to the same server.
    pub fn payloads(&self) -> Vec<&[u8]> {
        self.packets.iter().map(|packet| packet.payload.as_slice()).collect()
    }
}

fn text_row(row: &Row) -> Vec<String> {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    row.iter().map(|cell| cell.as_ref().map_or_else(|| "NULL".into(), text)).collect()
}

struct Source<'a> {
    client: &'a mut RawClient,
    next_id: u8,
    packets: Vec<Packet>,
}

impl Source<'_> {
    fn packet(&mut self) -> io::Result<Packet> {
        let packet = self.client.read_packet()?;
        if self.packets.is_empty() && packet.is_err() && packet.id == 0 {
            // It was said before the command was read, and the connection ends.
            let error = parse_err(&packet.payload)?;
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, error.message));
        }
        assert_eq!(packet.id, self.next_id, "id of {packet:?}");
        self.next_id = self.next_id.wrapping_add(1);
        self.packets.push(packet.clone());
        Ok(packet)
    }

    /// A message with its continuation packets joined.
    fn message(&mut self) -> io::Result<Packet> {
        let mut message = self.packet()?;
        let mut last = message.payload.len();
        while last == MAX_PAYLOAD {
            let next = self.packet()?;
            last = next.payload.len();
            message.payload.extend_from_slice(&next.payload);
        }
        Ok(message)
    }

    fn outcome(&mut self) -> io::Result<Outcome> {
        let first = self.packet()?;
        match first.kind() {
            Some(0x00) => Ok(Outcome::Ok(parse_ok(&first.payload)?)),
            Some(0xff) => Ok(Outcome::Err(parse_err(&first.payload)?)),
            Some(0xfb) => {
                Ok(Outcome::LocalInfile(String::from_utf8_lossy(&first.payload[1..]).into_owned()))
            }
            Some(0xfe) | None => Err(invalid(&first.payload, "the start of an answer")),
            Some(_) => self.rows(&first),
        }
    }

    fn rows(&mut self, first: &Packet) -> io::Result<Outcome> {
        let count = Reader::new(&first.payload).lenenc()?;
        let mut columns = Vec::new();
        for _ in 0..count.ok_or_else(|| invalid(&first.payload, "a column count"))? {
            columns.push(column_name(&self.packet()?)?);
        }
        parse_eof(&self.packet()?.payload)?;
        let mut rows = Vec::new();
        loop {
            let packet = self.message()?;
            if packet.is_eof() {
                return Ok(Outcome::Rows { columns, rows, status: parse_eof(&packet.payload)? });
            }
            if packet.is_err() {
                return Ok(Outcome::Err(parse_err(&packet.payload)?));
            }
            let mut reader = Reader::new(&packet.payload);
            let mut row = Vec::with_capacity(columns.len());
            for _ in &columns {
                row.push(reader.lenenc_bytes()?.map(<[u8]>::to_vec));
            }
            rows.push(row);
        }
    }
}

fn column_name(packet: &Packet) -> io::Result<String> {
    let mut reader = Reader::new(&packet.payload);
    for _ in 0..4 {
        reader.lenenc_bytes()?;
    }
    let name = reader.lenenc_bytes()?.unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}
