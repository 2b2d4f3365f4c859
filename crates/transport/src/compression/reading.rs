//! Reading frames. They are decompressed as they come, straight into the reader's memory: no frame is ever kept as a whole,
//! and a frame that announces 16 MiB costs nothing until they come.

use std::io;

use super::Compression;
use super::codec::Decompressor;
use super::header::{self, Header};
use crate::buffer::Buffer;
use crate::channel::Channel;

/// A frame that was begun.
#[derive(Debug)]
struct Frame {
    /// Bytes of its data that were not used yet.
    compressed_left: usize,
    /// Bytes that it has still to give.
    plain_left: usize,
    /// None: it is stored.
    state: Option<Decompressor>,
}

#[derive(Debug)]
pub(super) struct Reading {
    algorithm: Compression,
    input: Buffer,
    frame: Option<Frame>,
    /// The last read got all it had room for, so that the decompressor may have more.
    may_have_more: bool,
}

impl Reading {
    pub(super) fn new(algorithm: Compression, input: Buffer) -> Self {
        Self { algorithm, input, frame: None, may_have_more: false }
    }

    pub(super) fn has_buffered(&self) -> bool {
        match self.frame {
            None => self.input.len() >= header::LEN,
            Some(_) => !self.input.is_empty() || self.may_have_more,
        }
    }

    pub(super) fn is_between_frames(&self) -> bool {
        self.input.is_empty() && self.frame.is_none()
    }

    /// Reads of one frame. `sequence` becomes the one behind the frame's.
    ///
    /// No sequence is refused: it restarts when the peer begins a command, or answers the next one of several that were
    /// sent together, and only the peers know when that is.
    pub(super) fn read(
        &mut self,
        channel: &mut Channel,
        sequence: &mut u8,
        to: &mut [u8],
    ) -> io::Result<usize> {
        self.may_have_more = false;
        loop {
            let count = match &mut self.frame {
                None => match begin(&mut self.input) {
                    Some(header) => {
                        *sequence = header.sequence.wrapping_add(1);
                        self.frame = Some(Frame::new(self.algorithm, header)?);
                        continue;
                    }
                    None => 0,
                },
                Some(frame) => {
                    let count = frame.read(&mut self.input, to)?;
                    if frame.is_done() {
                        self.frame = None;
                        if count == 0 {
                            continue;
                        }
                    }
                    count
                }
            };
            if count > 0 {
                self.may_have_more = count == to.len() && self.frame.is_some();
                return Ok(count);
            }
            if channel.read_into(&mut self.input)? == 0 {
                return if self.is_between_frames() {
                    Ok(0)
                } else {
                    let text = "the stream ends in a compressed frame";
                    Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
                };
            }
        }
    }
}

/// Takes a header, if there is a whole one.
fn begin(input: &mut Buffer) -> Option<Header> {
    let bytes = *input.as_slice().first_chunk::<{ header::LEN }>()?;
    input.consume(header::LEN);
    Some(Header::decode(bytes))
}

impl Frame {
    fn new(algorithm: Compression, header: Header) -> io::Result<Self> {
        let is_stored = header.uncompressed == 0;
        Ok(Self {
            compressed_left: header.length,
            plain_left: if is_stored { header.length } else { header.uncompressed },
            state: if is_stored { None } else { Some(Decompressor::new(algorithm)?) },
        })
    }

    fn is_done(&self) -> bool {
        self.compressed_left == 0 && self.plain_left == 0 && self.state.is_none()
    }

    /// Gives as much as `to` has room for and `input` makes. 0: more input is needed, or the frame is done.
    fn read(&mut self, input: &mut Buffer, to: &mut [u8]) -> io::Result<usize> {
        if self.state.is_none() {
            let room = to.len().min(self.compressed_left);
            let count = input.take_into(to.get_mut(..room).unwrap_or_default());
            self.compressed_left -= count;
            self.plain_left -= count;
            return Ok(count);
        }
        let mut count = 0;
        while let Some(state) = &mut self.state {
            let from = input.as_slice();
            let from = from.get(..self.compressed_left).unwrap_or(from);
            let room = to.len().min(count + self.plain_left);
            let rest = to.get_mut(count..room).unwrap_or_default();
            // When all has come that was announced, one byte shows whether there is more than that.
            let mut excess = [0];
            let is_complete = self.plain_left == 0;
            let step = state
                .step(from, if is_complete { &mut excess } else { rest })
                .map_err(|error| broken(&error.to_string()))?;
            let has_input = !from.is_empty();
            input.consume(step.used);
            self.compressed_left -= step.used;
            if is_complete {
                if step.made > 0 {
                    return Err(broken("it is longer than announced"));
                }
            } else {
                count += step.made;
                self.plain_left -= step.made;
            }
            if step.is_end {
                if self.compressed_left > 0 || self.plain_left > 0 {
                    return Err(broken("its lengths are not those announced"));
                }
                self.state = None;
            } else if step.used == 0 && step.made == 0 {
                if self.compressed_left == 0 {
                    return Err(broken("it is shorter than announced"));
                }
                // There was input and room: only an endless loop could come of that.
                if has_input {
                    return Err(broken("it makes no progress"));
                }
                break;
            } else if count == to.len() && self.plain_left > 0 {
                break;
            }
        }
        Ok(count)
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a compressed frame is broken: {why}"))
}
