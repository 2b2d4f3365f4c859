//! `network_queue`: a list of GString chunks with the number of unread bytes and the read part of the first chunk.
//!
//! Facts: `docs/internals/packets.md#queues`. Plugins change `chunks` with GLib's own functions and leave `len` alone,
//! so only the chunks count; `len` is kept for the rule that flushes a long result.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use chassis_sys::network_queue;
use glib_sys::GString;

use crate::exports::export;
use crate::glib;

/// A queue of a socket, for as long as the socket is borrowed (INV-2).
pub struct Queue<'s> {
    raw: NonNull<network_queue>,
    socket: PhantomData<&'s ()>,
}

impl<'s> Queue<'s> {
    /// # Safety
    /// `raw` is a live queue that only this thread uses during `'s`.
    pub unsafe fn from_raw(raw: *mut network_queue) -> Self {
        Self { raw: NonNull::new(raw).expect("a socket has all its queues"), socket: PhantomData }
    }

    fn raw(&self) -> &network_queue {
        // SAFETY: INV-2.
        unsafe { self.raw.as_ref() }
    }

    /// Whether there is no chunk.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Number of chunks.
    pub fn count(&self) -> u32 {
        // SAFETY: INV-2.
        unsafe { (*self.raw().chunks).length }
    }

    /// The host's account of the unread bytes; plugins that pop chunks leave it too high.
    pub fn len(&self) -> usize {
        self.raw().len
    }

    /// How many bytes of the first chunk are read or sent already.
    pub fn offset(&self) -> usize {
        self.raw().offset
    }

    /// The chunks, whole, first to last.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        // SAFETY: INV-2: the list and its GStrings live as long as the borrow of this queue.
        let mut node = unsafe { (*self.raw().chunks).head };
        std::iter::from_fn(move || {
            // SAFETY: as above.
            let current = unsafe { node.as_ref() }?;
            node = current.next;
            // SAFETY: as above.
            Some(unsafe { glib::bytes(current.data.cast()) })
        })
    }

    /// The first chunk.
    pub fn first(&self) -> Option<&[u8]> {
        self.chunks().next()
    }

    /// The last chunk.
    pub fn last(&self) -> Option<&[u8]> {
        // SAFETY: INV-2.
        let chunk = unsafe { glib_sys::g_queue_peek_tail(self.raw().chunks) }.cast::<GString>();
        // SAFETY: INV-2.
        (!chunk.is_null()).then(|| unsafe { glib::bytes(chunk) })
    }

    /// Appends a copy of `bytes` as one chunk.
    pub fn push(&mut self, bytes: &[u8]) {
        self.push_string(glib::new_string(bytes));
    }

    /// Appends a chunk and owns it from now on.
    fn push_string(&mut self, chunk: *mut GString) {
        // SAFETY: INV-2; a chunk is a live GString that the caller gives away.
        unsafe {
            glib_sys::g_queue_push_tail(self.raw().chunks, chunk.cast());
            (*self.raw.as_ptr()).len += (*chunk).len;
        }
    }

    /// Takes the first chunk out.
    pub fn pop_chunk(&mut self) -> Option<Chunk> {
        // SAFETY: INV-2.
        let chunk = unsafe { glib_sys::g_queue_pop_head(self.raw().chunks) };
        NonNull::new(chunk.cast::<GString>()).map(Chunk)
    }

    /// Copies `len` unread bytes to `out`; false when there are fewer.
    pub fn peek(&self, len: usize, out: &mut Vec<u8>) -> bool {
        let (mut skip, mut rest) = (self.offset(), len);
        for chunk in self.chunks() {
            let unread = chunk.get(skip..).unwrap_or_default();
            let take = unread.len().min(rest);
            out.extend_from_slice(&unread[..take]);
            rest -= take;
            skip = 0;
            if rest == 0 {
                return true;
            }
        }
        rest == 0
    }

    /// Accounts for `len` bytes as read or sent, and frees the chunks that are done. Not more than there are.
    pub fn consume(&mut self, len: usize) {
        // SAFETY: INV-2.
        let raw = unsafe { self.raw.as_mut() };
        raw.len = raw.len.saturating_sub(len);
        raw.offset += len;
        while let Some(done) = self.first().map(<[u8]>::len).filter(|&done| done <= self.offset()) {
            self.pop_chunk();
            // SAFETY: INV-2.
            unsafe { (*self.raw.as_ptr()).offset -= done };
        }
    }
}

/// A chunk taken out of a queue; freed when dropped.
pub struct Chunk(NonNull<GString>);

impl Chunk {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the chunk is owned.
        unsafe { glib::bytes(self.0.as_ptr()) }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: the chunk is owned.
        unsafe { glib::free_string(self.0.as_ptr()) };
    }
}

/// Appends `bytes` to `dest`, or to a new GString when that is NULL.
unsafe fn deliver(bytes: &[u8], dest: *mut GString) -> *mut GString {
    if dest.is_null() {
        return glib::new_string(bytes);
    }
    // SAFETY: a live GString of the caller (ABI).
    unsafe { glib::append(dest, bytes) };
    dest
}

export! {
    /// An empty queue.
    fn network_queue_new() -> *mut network_queue {
        let queue: *mut network_queue = glib::alloc_zeroed();
        // SAFETY: fresh memory of a queue.
        unsafe { (*queue).chunks = glib_sys::g_queue_new() };
        queue
    }

    /// Frees the queue with all chunks.
    fn network_queue_free(queue: *mut network_queue) {
        if queue.is_null() {
            return;
        }
        // SAFETY: a live queue that the caller gives up (ABI).
        unsafe {
            let mut chunks = Queue::from_raw(queue);
            while chunks.pop_chunk().is_some() {}
            glib_sys::g_queue_free((*queue).chunks);
            glib::free(queue);
        }
    }

    /// Takes the chunk, no checks.
    fn network_queue_append(queue: *mut network_queue, chunk: *mut GString) -> c_int
    as fn_network_queue_append {
        // SAFETY: a live queue and a GString that the caller gives away (ABI).
        unsafe { Queue::from_raw(queue) }.push_string(chunk);
        0
    }

    /// Removes bytes; appended to `dest`, or to a new GString. NULL if there are fewer.
    fn network_queue_pop_string(queue: *mut network_queue, len: usize, dest: *mut GString) -> *mut GString {
        // SAFETY: a live queue (ABI).
        let mut queue = unsafe { Queue::from_raw(queue) };
        let mut bytes = Vec::with_capacity(len);
        if !queue.peek(len, &mut bytes) {
            return ptr::null_mut();
        }
        queue.consume(len);
        // SAFETY: NULL or a live GString (ABI).
        unsafe { deliver(&bytes, dest) }
    }

    /// Copies bytes without removing them.
    fn network_queue_peek_string(queue: *mut network_queue, len: usize, dest: *mut GString) -> *mut GString {
        // SAFETY: a live queue (ABI).
        let queue = unsafe { Queue::from_raw(queue) };
        let mut bytes = Vec::with_capacity(len);
        if !queue.peek(len, &mut bytes) {
            return ptr::null_mut();
        }
        // SAFETY: NULL or a live GString (ABI).
        unsafe { deliver(&bytes, dest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `test` on a fresh queue and frees it.
    fn with_queue(test: impl FnOnce(&mut Queue<'_>)) {
        // SAFETY: the queue lives until it is freed here; only this thread knows it.
        unsafe {
            let raw = network_queue_new();
            test(&mut Queue::from_raw(raw));
            network_queue_free(raw);
        }
    }

    #[test]
    fn bytes_are_peeked_and_consumed_across_chunks() {
        with_queue(|queue| {
            queue.push(b"abc");
            queue.push(b"defg");
            let mut out = Vec::new();
            assert!(queue.peek(5, &mut out));
            assert_eq!(out, b"abcde");
            queue.consume(4);
            assert_eq!((queue.len(), queue.offset(), queue.count()), (3, 1, 1));
            out.clear();
            assert!(!queue.peek(4, &mut out));
            queue.consume(3);
            assert!(queue.is_empty());
            assert_eq!((queue.len(), queue.offset()), (0, 0));
        });
    }

    #[test]
    fn first_and_last_are_whole_chunks() {
        with_queue(|queue| {
            assert!(queue.first().is_none() && queue.last().is_none());
            queue.push(b"one");
            queue.push(b"two");
            queue.consume(1);
            assert_eq!(queue.first(), Some(&b"one"[..]));
            assert_eq!(queue.last(), Some(&b"two"[..]));
            assert_eq!(
                queue.pop_chunk().map(|chunk| chunk.bytes().to_vec()),
                Some(b"one".to_vec())
            );
        });
    }
}
