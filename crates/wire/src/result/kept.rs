//! The packets of an answer that is kept as a whole, each copied once into few large pieces of memory.
//!
//! Millions of small allocations would cost their headers, and leave the heap in holes that do not go back to the system.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::MAX_PAYLOAD;

/// Packets of an answer, in order, without their headers.
#[derive(Default, Clone)]
pub struct KeptPackets {
    chunks: Vec<Chunk>,
    places: Vec<Place>,
    bytes: usize,
}

/// The memory that all kept packets of the process take, in bytes.
static MEMORY: AtomicUsize = AtomicUsize::new(0);

/// The memory that all kept packets of the process take now, in bytes.
pub fn memory() -> usize {
    MEMORY.load(Ordering::Relaxed)
}

/// A piece of memory, which is counted. It never grows.
struct Chunk(Vec<u8>);

impl Chunk {
    fn with_room(room: usize) -> Self {
        let chunk = Self(Vec::with_capacity(room));
        MEMORY.fetch_add(chunk.0.capacity(), Ordering::Relaxed);
        chunk
    }

    fn room(&self) -> usize {
        self.0.capacity() - self.0.len()
    }
}

impl Clone for Chunk {
    fn clone(&self) -> Self {
        let mut clone = Self::with_room(self.0.capacity());
        clone.0.extend_from_slice(&self.0);
        clone
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        MEMORY.fetch_sub(self.0.capacity(), Ordering::Relaxed);
    }
}

/// Where a payload lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    chunk: u32,
    start: u32,
    len: u32,
}

impl KeptPackets {
    /// Length of the first chunk, in bytes: enough for the usual small result.
    const SMALL: usize = 1 << 10;
    /// Length of all further chunks but those for larger packets.
    const LARGE: usize = 1 << 20;

    /// Keeps the payload of one packet. More than a packet can hold is left out.
    pub fn push(&mut self, payload: &[u8]) {
        let payload = payload.get(..MAX_PAYLOAD).unwrap_or(payload);
        let fits = |chunk: &Chunk| chunk.room() >= payload.len();
        if !self.chunks.last().is_some_and(fits) {
            // Each chunk doubles what there is, up to a size that the system gives and takes back as a piece.
            let room = self.chunks.iter().map(|chunk| chunk.0.capacity()).sum::<usize>();
            let room = room.clamp(Self::SMALL, Self::LARGE).max(payload.len());
            self.chunks.push(Chunk::with_room(room));
        }
        let last = self.chunks.len() - 1;
        if let Some(Chunk(chunk)) = self.chunks.last_mut() {
            let start = chunk.len();
            chunk.extend_from_slice(payload);
            let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            self.places.push(Place {
                chunk: narrow(last),
                start: narrow(start),
                len: narrow(payload.len()),
            });
        }
        self.bytes += payload.len() + size_of::<Place>();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The memory that they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first payload.
    pub fn first(&self) -> Option<&[u8]> {
        self.get(0)
    }

    /// The payload of packet `n`.
    #[inline]
    pub fn get(&self, n: usize) -> Option<&[u8]> {
        self.at(*self.places.get(n)?)
    }

    /// All payloads from packet `first` on.
    pub fn from(&self, first: usize) -> impl Iterator<Item = &[u8]> {
        self.places.iter().skip(first).filter_map(|place| self.at(*place))
    }

    /// All payloads.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.from(0)
    }

    #[inline]
    fn at(&self, place: Place) -> Option<&[u8]> {
        let wide = |n: u32| usize::try_from(n).ok();
        let start = wide(place.start)?;
        self.chunks.get(wide(place.chunk)?)?.0.get(start..start.checked_add(wide(place.len)?)?)
    }
}

impl<P: AsRef<[u8]>> FromIterator<P> for KeptPackets {
    fn from_iter<I: IntoIterator<Item = P>>(payloads: I) -> Self {
        let mut kept = Self::default();
        payloads.into_iter().for_each(|payload| kept.push(payload.as_ref()));
        kept
    }
}

impl fmt::Debug for KeptPackets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptPackets")
            .field("packets", &self.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_in_order() {
        let payloads: Vec<Vec<u8>> =
            (0..5000_usize).map(|n| vec![n.to_le_bytes()[0]; n % 700]).collect();
        let kept: KeptPackets = payloads.iter().collect();
        assert_eq!(kept.len(), payloads.len());
        assert!(kept.iter().eq(payloads.iter().map(Vec::as_slice)));
        assert_eq!(kept.get(4321), payloads.get(4321).map(Vec::as_slice));
        assert!(kept.from(4990).eq(payloads[4990..].iter().map(Vec::as_slice)));
        assert_eq!((kept.get(5000), kept.first()), (None, Some(&[][..])));
    }

    #[test]
    fn memory_is_taken_in_few_pieces() {
        let mut kept = KeptPackets::default();
        assert!(kept.is_empty() && kept.chunks.is_empty());
        kept.push(b"\x01");
        assert_eq!(kept.chunks[0].0.capacity(), KeptPackets::SMALL);
        kept.push(&vec![0; 3 << 20]);
        for _ in 0..100_000 {
            kept.push(&[7; 50]);
        }
        assert_eq!(kept.bytes(), 1 + (3 << 20) + 100_000 * 50 + 100_002 * 12);
        assert!(kept.chunks.len() < 10, "{}", kept.chunks.len());
    }
}
