//! What a peer sent, until it is dealt with: packets in the buffer that they were read into.

use wire::{HEADER_LEN, Header, MAX_PAYLOAD};

/// The length of a buffer, in bytes. One read takes as much.
pub const BUFFER: usize = 64 << 10;
/// Buffers that a thread keeps for its next connection.
const SPARE: usize = 16;

/// Buffers that are not in use. A connection has one only while it has something in it.
#[derive(Debug, Default)]
pub struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_else(|| vec![0; BUFFER])
    }

    fn give(&mut self, buffer: Vec<u8>) {
        if buffer.len() == BUFFER && self.0.len() < SPARE {
            self.0.push(buffer);
        }
    }
}

/// Bytes that were read and not dealt with yet.
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

/// A packet in an [`Input`], or a command of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Where its first header begins.
    pub start: usize,
    /// The end of its last part.
    pub end: usize,
    /// The sequence id of the first part.
    pub id: u8,
    /// It is continued: there are further parts.
    pub has_parts: bool,
}

impl Input {
    /// What is there, in bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The bytes of a frame with its headers.
    pub fn bytes(&self, from: usize, to: usize) -> &[u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// All that is there behind this place.
    pub fn behind(&self, at: usize) -> &[u8] {
        self.bytes(at, self.end)
    }

    /// All that is there.
    pub fn rest(&self) -> &[u8] {
        self.behind(self.start)
    }

    /// The header at `at`, if it is there.
    fn header(&self, at: usize) -> Option<Header> {
        Header::parse(self.bytes.get(at..self.end)?).ok()
    }

    /// The packet that comes next, if it is complete.
    #[inline]
    pub fn packet(&self) -> Option<Frame> {
        let header = self.header(self.start)?;
        let end = self.start + HEADER_LEN + length(header);
        let frame = Frame { start: self.start, end, id: header.id, has_parts: false };
        (end <= self.end).then_some(frame)
    }

    /// The command that comes next, if it is complete.
    pub fn command(&self) -> Option<Frame> {
        let first = self.packet()?;
        let mut last = first;
        while last.end - last.start == HEADER_LEN + MAX_PAYLOAD {
            let header = self.header(last.end)?;
            let end = last.end + HEADER_LEN + length(header);
            if end > self.end {
                return None;
            }
            last = Frame { start: last.end, end, ..last };
        }
        Some(Frame { end: last.end, has_parts: last.end != first.end, ..first })
    }

    /// The payloads of a frame's parts.
    pub fn payloads(&self, frame: Frame) -> impl Iterator<Item = &[u8]> {
        let mut at = frame.start;
        std::iter::from_fn(move || {
            if at >= frame.end {
                return None;
            }
            let start = at + HEADER_LEN;
            at = if frame.has_parts { start + length(self.header(at)?) } else { frame.end };
            self.bytes.get(start..at)
        })
    }

    /// Numbers the parts of a frame, from `id` on.
    #[inline]
    pub fn number(&mut self, frame: Frame, mut id: u8) {
        let mut at = frame.start;
        loop {
            if let Some(place) = self.bytes.get_mut(at + HEADER_LEN - 1) {
                *place = id;
            }
            if !frame.has_parts {
                return;
            }
            let Some(header) = self.header(at) else { return };
            at += HEADER_LEN + length(header);
            if at >= frame.end {
                return;
            }
            id = id.wrapping_add(1);
        }
    }

    /// A frame is dealt with.
    pub fn advance(&mut self, frame: Frame) {
        self.start = frame.end;
    }

    /// So many bytes of what is there are dealt with.
    pub fn skip(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// The length that the packet that comes next has by its header, if it is there.
    pub fn announced(&self) -> Option<usize> {
        self.header(self.start).map(length)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.start = self.end;
    }

    /// Where the next bytes go: at least one, and as many as fit. Takes a buffer if there is none. A packet that is longer
    /// than a buffer has it grow as it arrives.
    pub fn space(&mut self, buffers: &mut Buffers) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = buffers.take();
        }
        if self.start > 0 && self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// `count` bytes were put into the space.
    pub fn filled(&mut self, count: usize) {
        self.end = self.bytes.len().min(self.end + count);
    }

    /// Gives the buffer back if nothing is in it.
    pub fn release(&mut self, buffers: &mut Buffers) {
        if self.is_empty() && !self.bytes.is_empty() {
            buffers.give(std::mem::take(&mut self.bytes));
            (self.start, self.end) = (0, 0);
        }
    }
}

fn length(header: Header) -> usize {
    usize::try_from(header.len).unwrap_or(MAX_PAYLOAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(input: &mut Input, buffers: &mut Buffers, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let space = input.space(buffers);
            let count = space.len().min(rest.len());
            space[..count].copy_from_slice(&rest[..count]);
            input.filled(count);
            rest = &rest[count..];
        }
    }

    fn framed(payload: &[u8], id: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        wire::packet::frame(payload, id, &mut bytes);
        bytes
    }

    #[test]
    fn packets_come_out_as_they_went_in_whatever_the_pieces() {
        let payloads: Vec<Vec<u8>> = [0, 1, 5, 70_000, 3].iter().map(|len| vec![7; *len]).collect();
        let mut bytes = Vec::new();
        for (payload, id) in payloads.iter().zip(9..) {
            bytes.extend(framed(payload, id));
        }
        for piece in [1, 2, 3, 1000, BUFFER, bytes.len()] {
            let (mut input, mut buffers) = (Input::default(), Buffers::default());
            let mut seen = Vec::new();
            for bytes in bytes.chunks(piece) {
                fill(&mut input, &mut buffers, bytes);
                while let Some(frame) = input.packet() {
                    let parts: Vec<_> = input.payloads(frame).map(<[u8]>::to_vec).collect();
                    seen.push((frame.id, parts.concat()));
                    input.advance(frame);
                }
                input.release(&mut buffers);
            }
            let expected: Vec<_> = (9..).zip(payloads.iter().cloned()).collect();
            assert!(seen == expected, "pieces of {piece}");
            assert!(input.bytes.is_empty());
        }
    }

    #[test]
    fn a_command_has_all_its_parts() {
        let (mut input, mut buffers) = (Input::default(), Buffers::default());
        let payload = vec![3; MAX_PAYLOAD + 10];
        let bytes = framed(&payload, 0);
        fill(&mut input, &mut buffers, &bytes[..bytes.len() - 1]);
        assert!(input.packet().is_some() && input.command().is_none());
        fill(&mut input, &mut buffers, &bytes[bytes.len() - 1..]);
        let frame = input.command().expect("complete");
        assert!(frame.has_parts);
        input.number(frame, 255);
        let lengths: Vec<_> = input.payloads(frame).map(<[u8]>::len).collect();
        assert_eq!(lengths, [MAX_PAYLOAD, 10]);
        let all = input.bytes(frame.start, frame.end);
        let ids: Vec<_> = wire::packet::packets(all).map(|p| p.expect("whole").0.id).collect();
        assert_eq!(ids, [255, 0]);
    }

    #[test]
    fn a_buffer_that_grew_is_not_kept() {
        let (mut input, mut buffers) = (Input::default(), Buffers::default());
        fill(&mut input, &mut buffers, &framed(&vec![1; BUFFER], 0));
        assert!(input.packet().is_some());
        input.clear();
        input.release(&mut buffers);
        assert!(buffers.0.is_empty());
    }
}
