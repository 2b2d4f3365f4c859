//! MySQL's compressed protocol: frames with packets in them, over a socket or over TLS.
//!
//! A frame is a header of 7 bytes, length, sequence, length of the uncompressed bytes, and then the data: stored as they
//! are if the last number is 0. Frames know nothing of packets; what packets they are cut at is only a custom.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression.html>

mod codec;
mod header;
mod reading;
mod writing;

use std::io::{self, IoSlice};

use crate::buffer::Buffer;
use crate::channel::Channel;
use reading::Reading;
use writing::Writing;

/// How the data of frames are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// CLIENT_COMPRESS: zlib.
    Zlib,
    /// CLIENT_ZSTD_COMPRESSION_ALGORITHM.
    Zstd {
        /// The level that the client asked for: 1 to 22.
        level: u8,
    },
}

/// The compressed layer of one stream.
#[derive(Debug)]
pub(crate) struct Frames {
    reading: Reading,
    writing: Writing,
    /// The sequence of the next frame to be written.
    sequence: u8,
}

impl Frames {
    /// `input` is what was read of the frames already.
    pub(crate) fn new(algorithm: Compression, input: Buffer) -> Self {
        Self {
            reading: Reading::new(algorithm, input),
            writing: Writing::new(algorithm),
            sequence: 0,
        }
    }

    pub(crate) fn read(&mut self, channel: &mut Channel, to: &mut [u8]) -> io::Result<usize> {
        self.reading.read(channel, &mut self.sequence, to)
    }

    pub(crate) fn has_buffered(&self) -> bool {
        self.reading.has_buffered()
    }

    pub(crate) fn write(
        &mut self,
        channel: &mut Channel,
        parts: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        self.writing.write(channel, &mut self.sequence, parts)
    }

    pub(crate) fn flush(&mut self, channel: &mut Channel) -> io::Result<()> {
        self.writing.flush(channel, &mut self.sequence)
    }

    pub(crate) fn wants_to_write(&self) -> bool {
        self.writing.wants_to_write()
    }

    pub(crate) fn new_exchange(&mut self) {
        self.writing.end_frame(&mut self.sequence);
        self.sequence = 0;
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.reading.is_between_frames()
    }
}
