//! One framed packet (4-byte header and payload) in a GString: what the host's queues are made of.

use std::borrow::Cow;
use std::ptr::NonNull;

use glib_sys::GString;
use wire::packet::{HEADER_LEN, Header};

/// A packet that we own; freed with `g_string_free` when dropped.
#[derive(Debug)]
pub struct Packet(NonNull<GString>);

// SAFETY: a GString is plain heap memory without thread affinity, and we are its only owner.
unsafe impl Send for Packet {}

impl Packet {
    /// Copies a framed packet (or any bytes, where framing is the caller's business).
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let len = isize::try_from(bytes.len()).unwrap_or(isize::MAX);
        // SAFETY: the pointer is valid for `len` bytes; g_string_new_len copies them and never returns NULL.
        let raw = unsafe { glib_sys::g_string_new_len(bytes.as_ptr().cast(), len) };
        Self(NonNull::new(raw).expect("g_string_new_len aborts rather than return NULL"))
    }

    /// Frames the payload of one packet, with sequence id 0.
    pub fn from_payload(payload: &[u8]) -> Self {
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let capacity = payload.len().saturating_add(HEADER_LEN);
        // SAFETY: g_string_sized_new never returns NULL, and appending copies `len` bytes from a valid pointer.
        unsafe {
            let raw = glib_sys::g_string_sized_new(capacity);
            for piece in [&Header { len, id: 0 }.encode()[..], payload] {
                let len = isize::try_from(piece.len()).unwrap_or(isize::MAX);
                glib_sys::g_string_append_len(raw, piece.as_ptr().cast(), len);
            }
            Self(NonNull::new(raw).expect("g_string_sized_new aborts rather than return NULL"))
        }
    }

    /// # Safety
    /// `raw` is a live GString that nobody else owns or will use.
    pub unsafe fn from_raw(raw: *mut GString) -> Option<Self> {
        NonNull::new(raw).map(Self)
    }

    /// Gives the GString away, to a host function that takes it.
    pub fn into_raw(self) -> *mut GString {
        let raw = self.0.as_ptr();
        std::mem::forget(self);
        raw
    }

    /// Header and payload.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: we own the GString; its `str` is valid for `len` bytes.
        unsafe {
            let string = self.0.as_ref();
            std::slice::from_raw_parts(string.str.cast(), string.len)
        }
    }

    /// Header and payload, to change in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `self` is borrowed exclusively.
        unsafe {
            let string = self.0.as_mut();
            std::slice::from_raw_parts_mut(string.str.cast(), string.len)
        }
    }

    /// The payload; empty if there is no whole header.
    pub fn payload(&self) -> &[u8] {
        self.bytes().get(HEADER_LEN..).unwrap_or_default()
    }

    /// The payload, to change in place.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        self.bytes_mut().get_mut(HEADER_LEN..).unwrap_or_default()
    }

    /// The sequence id.
    pub fn id(&self) -> u8 {
        self.bytes().get(3).copied().unwrap_or_default()
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        // SAFETY: we own the GString and this is its last use.
        unsafe { glib_sys::g_string_free(self.0.as_ptr(), glib_sys::GTRUE) };
    }
}

/// Gives memory that was freed back to the system. Packets are small pieces of the heap, of which the allocator keeps what
/// is not at its very end.
pub fn release_memory() {
    // SAFETY: glibc's malloc_trim may be called at any time, on any thread.
    unsafe { libc::malloc_trim(0) };
}

/// The packets of one command: one, unless it is longer than a packet can be.
#[derive(Debug)]
pub struct CommandPackets {
    /// The packet that starts with the command byte.
    pub first: Packet,
    /// Its continuations. Empty (and not allocated) but for commands of 16 MiB and more.
    pub rest: Vec<Packet>,
}

impl CommandPackets {
    /// All packets, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Packet> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// The payload as one piece.
    pub fn payload(&self) -> Cow<'_, [u8]> {
        if self.rest.is_empty() {
            return Cow::Borrowed(self.first.payload());
        }
        Cow::Owned(self.iter().flat_map(|packet| packet.payload().iter().copied()).collect())
    }

    /// Header and payload of all packets in one chunk.
    pub fn concat(&self) -> Packet {
        let mut bytes = Vec::with_capacity(self.iter().map(|packet| packet.bytes().len()).sum());
        for packet in self.iter() {
            bytes.extend_from_slice(packet.bytes());
        }
        Packet::from_bytes(&bytes)
    }

    /// The sequence id of the last packet.
    pub fn last_id(&self) -> u8 {
        self.rest.last().unwrap_or(&self.first).id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_packet() {
        let mut packet = Packet::from_bytes(b"\x02\0\0\x05ab");
        assert_eq!(packet.id(), 5);
        assert_eq!(packet.payload(), b"ab");
        packet.payload_mut()[0] = 0;
        assert_eq!(packet.bytes(), b"\x02\0\0\x05\0b");
    }

    #[test]
    fn a_payload_is_framed() {
        assert_eq!(Packet::from_payload(b"ab").bytes(), b"\x02\0\0\0ab");
        assert_eq!(Packet::from_payload(b"").bytes(), b"\0\0\0\0");
    }

    #[test]
    fn a_cut_packet_has_no_payload() {
        let packet = Packet::from_bytes(b"\x02\0");
        assert_eq!((packet.id(), packet.payload()), (0, b"".as_slice()));
    }

    #[test]
    fn ownership_passes_through_raw() {
        let raw = Packet::from_bytes(b"abc").into_raw();
        // SAFETY: `raw` was just given away by `into_raw`.
        let back = unsafe { Packet::from_raw(raw) }.expect("not NULL");
        assert_eq!(back.bytes(), b"abc");
    }

    #[test]
    fn a_long_command_is_one_payload_and_one_chunk() {
        let first = Packet::from_bytes(b"\x01\0\0\0a");
        let mut command = CommandPackets { first, rest: Vec::new() };
        assert!(matches!(command.payload(), Cow::Borrowed(b"a")));
        command.rest.push(Packet::from_bytes(b"\x01\0\0\x01b"));
        assert_eq!(*command.payload(), *b"ab");
        assert_eq!(command.concat().bytes(), b"\x01\0\0\0a\x01\0\0\x01b");
        assert_eq!(command.last_id(), 1);
    }
}
