//! zlib and zstd: one call, one step. Their states are large, so threads keep them, and connections have them only in the
//! middle of a frame.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Cursor};

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use zstd::bulk::Compressor;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::Compression;

/// The level of zlib that servers use.
const ZLIB_LEVEL: u32 = 6;

/// No window is larger than a frame: 16 MiB.
const ZSTD_WINDOW_LOG: u32 = 24;

thread_local! {
    static DEFLATE: RefCell<Option<Compress>> = const { RefCell::new(None) };
    static INFLATE: RefCell<Option<Decompress>> = const { RefCell::new(None) };
    static ZSTD: RefCell<Option<(i32, Compressor<'static>)>> = const { RefCell::new(None) };
    static UNZSTD: RefCell<Option<Decoder<'static>>> = const { RefCell::new(None) };
}

/// Appends `bytes`, compressed, to `to`. False if that is not shorter, and then `to` has some useless bytes more.
pub(super) fn compress(algorithm: Compression, bytes: &[u8], to: &mut Vec<u8>) -> bool {
    let before = to.len();
    let done = match algorithm {
        Compression::Zlib => deflate(bytes, to),
        Compression::Zstd { level } => zstd(i32::from(level), bytes, to).is_ok(),
    };
    done && to.len() - before < bytes.len()
}

fn deflate(bytes: &[u8], to: &mut Vec<u8>) -> bool {
    let mut state =
        DEFLATE.take().unwrap_or_else(|| Compress::new(flate2::Compression::new(ZLIB_LEVEL), true));
    to.reserve(bytes.len());
    let done = state.compress_vec(bytes, to, FlushCompress::Finish);
    state.reset();
    DEFLATE.set(Some(state));
    matches!(done, Ok(Status::StreamEnd))
}

fn zstd(level: i32, bytes: &[u8], to: &mut Vec<u8>) -> io::Result<()> {
    let mut state = match ZSTD.take() {
        Some((of, state)) if of == level => state,
        _ => Compressor::new(level)?,
    };
    let before = to.len();
    to.reserve(bytes.len());
    let mut end = Cursor::new(to);
    end.set_position(u64::try_from(before).unwrap_or(u64::MAX));
    state.compress_to_buffer(bytes, &mut end)?;
    ZSTD.set(Some((level, state)));
    Ok(())
}

/// What one step of decompression did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) used: usize,
    pub(super) made: usize,
    /// The compressed data are complete, and what they say of themselves is true.
    pub(super) is_end: bool,
}

/// The state of decompressing one frame. Goes back to the thread at its end.
pub(super) enum Decompressor {
    Zlib(Option<Decompress>),
    Zstd(Option<Decoder<'static>>),
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zlib(_) => "Zlib",
            Self::Zstd(_) => "Zstd",
        })
    }
}

impl Decompressor {
    pub(super) fn new(algorithm: Compression) -> io::Result<Self> {
        Ok(match algorithm {
            Compression::Zlib => {
                Self::Zlib(Some(INFLATE.take().unwrap_or_else(|| Decompress::new(true))))
            }
            Compression::Zstd { .. } => Self::Zstd(Some(match UNZSTD.take() {
                Some(state) => state,
                None => {
                    let mut state = Decoder::new()?;
                    state.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
                    state
                }
            })),
        })
    }

    /// Decompresses some of `from` into `to`.
    pub(super) fn step(&mut self, from: &[u8], to: &mut [u8]) -> io::Result<Step> {
        match self {
            Self::Zlib(Some(state)) => inflate(state, from, to),
            Self::Zstd(Some(state)) => unzstd(state, from, to),
            Self::Zlib(None) | Self::Zstd(None) => Ok(Step { used: 0, made: 0, is_end: false }),
        }
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        // At the end of a thread there is no store any more, and the state is just freed.
        match self {
            Self::Zlib(state) => {
                if let Some(mut state) = state.take() {
                    state.reset(true);
                    let _ = INFLATE.try_with(|kept| kept.replace(Some(state)));
                }
            }
            Self::Zstd(state) => {
                if let Some(mut state) = state.take()
                    && state.reinit().is_ok()
                {
                    let _ = UNZSTD.try_with(|kept| kept.replace(Some(state)));
                }
            }
        }
    }
}

fn inflate(state: &mut Decompress, from: &[u8], to: &mut [u8]) -> io::Result<Step> {
    let (in_before, out_before) = (state.total_in(), state.total_out());
    let status = state.decompress(from, to, FlushDecompress::None)?;
    let count = |after: u64, before: u64| usize::try_from(after - before).unwrap_or(usize::MAX);
    Ok(Step {
        used: count(state.total_in(), in_before),
        made: count(state.total_out(), out_before),
        is_end: status == Status::StreamEnd,
    })
}

fn unzstd(state: &mut Decoder<'static>, from: &[u8], to: &mut [u8]) -> io::Result<Step> {
    let mut input = InBuffer::around(from);
    let mut output = OutBuffer::around(to);
    let missing = state.run(&mut input, &mut output)?;
    Ok(Step { used: input.pos(), made: output.pos(), is_end: missing == 0 })
}
