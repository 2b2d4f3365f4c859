//! Writing frames, as servers do, and a little more careful: a frame has whole packets, because mysql-connector-python
//! hangs when a packet spans more than two frames, or a header two.

use std::io::{self, IoSlice};

use super::Compression;
use super::codec;
use super::header::{self, Header, MAX_DATA};
use crate::buffer::{Buffer, CHUNK};
use crate::channel::Channel;

/// Data below this are stored: as servers do (`MIN_COMPRESS_LENGTH`).
const MIN_COMPRESSED: usize = 50;

/// Packets are put together to frames of about this size. Also the first frame of a packet that does not fit in one: as
/// servers do (`net_buffer_length`).
const FRAME: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Writing {
    algorithm: Compression,
    /// Packets that are in no frame yet. The last may be incomplete.
    packets: Buffer,
    /// Bytes of `packets` that are whole packets.
    whole: usize,
    /// What was written of the header of the last packet, and what is missing of it.
    cut: Cut,
    /// Frames that the layer below has still to take.
    frames: Buffer,
}

/// Where in a packet the written bytes end.
#[derive(Debug)]
enum Cut {
    Header { bytes: [u8; 4], count: usize },
    Payload { left: usize },
}

impl Cut {
    const START: Self = Self::Header { bytes: [0; 4], count: 0 };
}

impl Writing {
    pub(super) fn new(algorithm: Compression) -> Self {
        Self {
            algorithm,
            packets: Buffer::default(),
            whole: 0,
            cut: Cut::START,
            frames: Buffer::default(),
        }
    }

    pub(super) fn wants_to_write(&self) -> bool {
        self.whole > 0 || !self.frames.is_empty()
    }

    pub(super) fn write(
        &mut self,
        channel: &mut Channel,
        sequence: &mut u8,
        parts: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        self.send(channel)?;
        let mut count = 0;
        for part in parts {
            let mut rest: &[u8] = part;
            while !rest.is_empty() && self.frames.len() < CHUNK {
                let taken = self.take(rest, sequence);
                count += taken;
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
        match self.send(channel) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    pub(super) fn flush(&mut self, channel: &mut Channel, sequence: &mut u8) -> io::Result<()> {
        self.end_frame(sequence);
        self.send(channel)
    }

    fn send(&mut self, channel: &mut Channel) -> io::Result<()> {
        while !self.frames.is_empty() {
            let count = channel.write(&[IoSlice::new(self.frames.as_slice())])?;
            self.frames.consume(count);
        }
        Ok(())
    }

    /// Takes the next bytes, up to the end of a header or of a payload.
    fn take(&mut self, bytes: &[u8], sequence: &mut u8) -> usize {
        let (taken, left) = match &mut self.cut {
            Cut::Header { bytes: header, count } => {
                let taken =
                    crate::buffer::copy(bytes, header.get_mut(*count..).unwrap_or_default());
                *count += taken;
                if *count < header.len() {
                    (taken, None)
                } else {
                    let [a, b, c, _] = *header;
                    (taken, Some(header::number(a, b, c)))
                }
            }
            Cut::Payload { left } => {
                let taken = bytes.len().min(*left);
                (taken, Some(*left - taken))
            }
        };
        let is_header = matches!(self.cut, Cut::Header { .. });
        self.packets.append(bytes.get(..taken).unwrap_or_default());
        match left {
            Some(0) => {
                self.cut = Cut::START;
                self.whole = self.packets.len();
                if self.whole >= FRAME {
                    self.end_frame(sequence);
                }
            }
            Some(left) => {
                self.cut = Cut::Payload { left };
                // A large packet begins a frame, so that it can be cut behind its header.
                if is_header && left >= FRAME {
                    self.end_frame(sequence);
                }
            }
            None => {}
        }
        taken
    }

    /// Makes frames of all whole packets.
    pub(super) fn end_frame(&mut self, sequence: &mut u8) {
        let mut left = std::mem::take(&mut self.whole);
        while left > 0 {
            let length = if left > MAX_DATA { FRAME } else { left };
            let data = self.packets.as_slice().get(..length).unwrap_or_default();
            append_frame(self.algorithm, data, *sequence, self.frames.tail());
            *sequence = sequence.wrapping_add(1);
            self.packets.consume(length);
            left -= length;
        }
    }
}

fn append_frame(algorithm: Compression, data: &[u8], sequence: u8, to: &mut Vec<u8>) {
    let start = to.len();
    let body = start + header::LEN;
    to.resize(body, 0);
    let is_compressed = data.len() >= MIN_COMPRESSED && codec::compress(algorithm, data, to);
    if !is_compressed {
        to.truncate(body);
        to.extend_from_slice(data);
    }
    let header = Header {
        length: to.len() - body,
        sequence,
        uncompressed: if is_compressed { data.len() } else { 0 },
    };
    if let Some(place) = to.get_mut(start..body) {
        place.copy_from_slice(&header.encode());
    }
}
