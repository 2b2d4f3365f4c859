//! One framed packet (4-byte header and payload) in a GString: what the host's queues are made of.

use std::ptr::NonNull;

use glib_sys::GString;
use wire::MAX_PAYLOAD;
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

    /// Frames the payload of one packet.
    pub fn from_payload(payload: &[u8], id: u8) -> Self {
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let capacity = payload.len().saturating_add(HEADER_LEN);
        // SAFETY: g_string_sized_new never returns NULL, and appending copies `len` bytes from a valid pointer.
        unsafe {
            let raw = glib_sys::g_string_sized_new(capacity);
            for piece in [&Header { len, id }.encode()[..], payload] {
                let len = isize::try_from(piece.len()).unwrap_or(isize::MAX);
                glib_sys::g_string_append_len(raw, piece.as_ptr().cast(), len);
            }
            Self(NonNull::new(raw).expect("g_string_sized_new aborts rather than return NULL"))
        }
    }

    /// Frames a payload of any length, the first packet with this sequence id; gives that of the last, too.
    pub fn framed(payload: &[u8], id: u8) -> (Self, u8) {
        if payload.len() < MAX_PAYLOAD {
            return (Self::from_payload(payload, id), id);
        }
        let mut framed = Vec::with_capacity(payload.len() + 4 * HEADER_LEN);
        let next_id = wire::packet::frame(payload, id, &mut framed);
        (Self::from_bytes(&framed), next_id.wrapping_sub(1))
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
    fn bytes_mut(&mut self) -> &mut [u8] {
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

    /// Changes the sequence id.
    pub fn set_id(&mut self, id: u8) {
        if let Some(place) = self.bytes_mut().get_mut(3) {
            *place = id;
        }
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

    /// Gives the packets ids from `id` on; returns that of the last.
    pub fn renumber(&mut self, id: u8) -> u8 {
        let mut last = id;
        self.first.set_id(id);
        for packet in &mut self.rest {
            last = last.wrapping_add(1);
            packet.set_id(last);
        }
        last
    }

    /// Header and payload of all packets in one chunk.
    pub fn concat(&self) -> Packet {
        let mut bytes = Vec::with_capacity(self.iter().map(|packet| packet.bytes().len()).sum());
        for packet in self.iter() {
            bytes.extend_from_slice(packet.bytes());
        }
        Packet::from_bytes(&bytes)
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
        packet.set_id(7);
        assert_eq!(packet.bytes(), b"\x02\0\0\x07ab");
    }

    #[test]
    fn a_payload_is_framed() {
        assert_eq!(Packet::from_payload(b"ab", 9).bytes(), b"\x02\0\0\x09ab");
        assert_eq!(Packet::framed(b"", 3).0.bytes(), b"\0\0\0\x03");
        let (long, last) = Packet::framed(&vec![1; MAX_PAYLOAD], 255);
        assert_eq!((long.bytes().len(), last), (MAX_PAYLOAD + 2 * HEADER_LEN, 0));
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
    fn a_long_command_is_one_chunk() {
        let first = Packet::from_bytes(b"\x01\0\0\0a");
        let mut command = CommandPackets { first, rest: Vec::new() };
        assert_eq!(command.renumber(4), 4);
        command.rest.push(Packet::from_bytes(b"\x01\0\0\x09b"));
        assert_eq!(command.renumber(0), 1);
        assert_eq!(command.concat().bytes(), b"\x01\0\0\0a\x01\0\0\x01b");
    }
}
