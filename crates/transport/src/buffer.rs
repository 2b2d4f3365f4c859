//! Bytes on their way, in memory that a thread reuses: what is empty holds none.
//!
//! Ten thousand idle connections have no buffers at all; the few that are busy at one moment take theirs from their
//! thread's store and give them back.

use std::cell::RefCell;
use std::fmt;

/// What a new buffer can take without growing, and what is read from a socket at a time.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Memory that grew beyond this is given back to the system.
const KEPT_CAPACITY: usize = 2 * CHUNK;

/// How many vectors a thread keeps: one for each step of a byte's way through all layers, and some more.
const KEPT_VECTORS: usize = 6;

thread_local! {
    static STORE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty vector with room for [`CHUNK`] bytes.
fn take() -> Vec<u8> {
    let kept = STORE.try_with(|store| store.try_borrow_mut().ok().and_then(|mut all| all.pop()));
    kept.ok().flatten().unwrap_or_else(|| Vec::with_capacity(CHUNK))
}

fn give_back(mut bytes: Vec<u8>) {
    if bytes.capacity() < CHUNK || bytes.capacity() > KEPT_CAPACITY {
        return;
    }
    bytes.clear();
    // At the end of a thread there is no store any more, and the memory is just freed.
    let _ = STORE.try_with(|store| {
        if let Ok(mut all) = store.try_borrow_mut()
            && all.len() < KEPT_VECTORS
        {
            all.push(bytes);
        }
    });
}

/// A queue of bytes.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Where the queue begins: what is before it was consumed.
    start: usize,
}

impl Buffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.len() == self.start
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Removes the first `count` bytes, or all.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.bytes.len());
        if self.is_empty() {
            self.start = 0;
            give_back(std::mem::take(&mut self.bytes));
        }
    }

    /// Moves as many bytes as there are and fit to `to`.
    pub(crate) fn take_into(&mut self, to: &mut [u8]) -> usize {
        let count = copy(self.as_slice(), to);
        self.consume(count);
        count
    }

    /// The vector behind the queue, to append to.
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = take();
        } else if self.start > CHUNK && self.start > self.len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        &mut self.bytes
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.tail().extend_from_slice(bytes);
        }
    }

    /// Puts bytes before all others.
    pub(crate) fn prepend(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let start = self.start;
        self.tail();
        self.bytes.drain(..start.min(self.start));
        self.start = 0;
        self.bytes.splice(..0, bytes.iter().copied());
    }
}

impl fmt::Debug for Buffer {
    /// Only how much there is: it may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.bytes));
    }
}

/// Copies as much as both sides allow, and tells how much.
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_order() {
        let mut buffer = Buffer::default();
        buffer.append(b"cdef");
        buffer.prepend(b"ab");
        let mut to = [0; 3];
        assert_eq!(buffer.take_into(&mut to), 3);
        assert_eq!(&to, b"abc");
        buffer.prepend(b"x");
        buffer.append(b"y");
        assert_eq!(buffer.as_slice(), b"xdefy");
        buffer.consume(100);
        assert!(buffer.is_empty());
    }

    #[test]
    fn an_empty_buffer_holds_no_memory() {
        let mut buffer = Buffer::default();
        buffer.append(&[7; 100]);
        buffer.consume(100);
        assert_eq!(buffer.bytes.capacity(), 0);
        let kept = STORE.with(|store| store.borrow().len());
        assert!(kept > 0, "the thread keeps it");
        buffer.append(b"again");
        assert_eq!(STORE.with(|store| store.borrow().len()), kept - 1);
    }

    #[test]
    fn a_long_queue_does_not_grow_by_what_was_consumed() {
        let mut buffer = Buffer::default();
        for _ in 0..1000 {
            buffer.append(&[1; 1000]);
            buffer.append(&[2; 1000]);
            buffer.consume(1999);
        }
        assert_eq!(buffer.len(), 1000);
        assert!(buffer.bytes.capacity() <= 8 * CHUNK, "{}", buffer.bytes.capacity());
    }
}
