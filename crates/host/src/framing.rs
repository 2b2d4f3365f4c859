//! Putting packets into a socket's queues with the right numbers.
//!
//! Facts: `docs/internals/packets.md#functions`, `docs/internals/packets.md#sequence-ids`.

use std::ffi::{c_char, c_int};

use chassis_sys::{network_queue, network_socket};
use glib_sys::GString;

use crate::exports::export;
use crate::packet::{self, HEADER_LEN, Numbering};
use crate::queue::{self, Queue};
use crate::socket::Sock;
use crate::{glib, log};

impl Sock<'_> {
    /// Queues an answer to the peer and ends the exchange.
    pub fn answer(&mut self, payload: &[u8]) {
        let queue = self.tail().send_queue;
        self.append(queue, payload);
        self.reset_numbering();
    }

    /// Frames `payload` into `queue`.
    fn append(&mut self, queue: *mut network_queue, payload: &[u8]) {
        for part in packet::split(payload) {
            let id = self.number(Numbering::next);
            let header = packet::header(part.len(), id).expect("split() keeps the limit");
            // SAFETY: INV-2: a queue the plugin passed, or one of this socket.
            unsafe { Queue::from_raw(queue) }.push(&[&header, part].concat());
        }
    }

    /// Moves the first received packet of `from` to the send queue of this socket.
    pub fn forward_first(&mut self, from: &Sock<'_>) {
        if let Some(chunk) = from.received().pop_chunk() {
            let mut bytes = chunk.bytes().to_vec();
            let own = packet::sequence_id(&bytes).unwrap_or_default();
            let id = self.number(|numbering| numbering.adopt(own));
            if let Some(byte) = bytes.get_mut(HEADER_LEN - 1) {
                *byte = id;
            }
            self.to_send().push(&bytes);
        }
    }
}

export! {
    /// Takes a framed packet and repairs its number. -1, packet not taken: the queue is not this socket's.
    fn network_mysqld_queue_append_raw(
        socket: *mut network_socket,
        queue: *mut network_queue,
        packet: *mut GString,
    ) -> c_int as fn_network_mysqld_queue_append_raw {
        // SAFETY: a live socket that this thread drives and a GString that the caller gives away (ABI).
        unsafe {
            let mut socket = Sock::from_raw(socket);
            if queue != socket.tail().send_queue && queue != socket.tail().recv_queue {
                log::critical("network_mysqld_queue_append_raw: the queue doesn't belong to the socket");
                return -1;
            }
            let bytes = glib::bytes(packet);
            assert!(
                packet::payload_len(bytes).is_some_and(|len| len + HEADER_LEN == bytes.len()),
                "network_mysqld_queue_append_raw: a packet of {} bytes with the header {:02x?}",
                bytes.len(),
                &bytes[..bytes.len().min(HEADER_LEN)]
            );
            let own = bytes[HEADER_LEN - 1];
            let id = socket.number(|numbering| numbering.adopt(own));
            (*packet).str.add(HEADER_LEN - 1).cast::<u8>().write(id);
            queue::network_queue_append(queue, packet)
        }
    }

    /// Copies a payload, frames it, splits it, numbers the packets.
    fn network_mysqld_queue_append(
        socket: *mut network_socket,
        queue: *mut network_queue,
        data: *const c_char,
        len: usize,
    ) -> c_int as fn_network_mysqld_queue_append {
        // SAFETY: a live socket and queue that this thread drives; `data` has `len` bytes (ABI).
        unsafe {
            let payload = if len == 0 { &[] } else { std::slice::from_raw_parts(data.cast(), len) };
            Sock::from_raw(socket).append(queue, payload);
        }
        0
    }

    /// The next packet starts a new exchange.
    fn network_mysqld_queue_reset(socket: *mut network_socket) -> c_int as fn_network_mysqld_queue_reset {
        // SAFETY: a live socket that this thread drives (ABI).
        unsafe { Sock::from_raw(socket) }.reset_numbering();
        0
    }

    /// The next packet queued on `dst` gets the id of the one last received on `src`.
    fn network_mysqld_queue_sync(dst: *mut network_socket, src: *mut network_socket) -> c_int {
        // SAFETY: two live sockets that this thread drives (ABI).
        let (mut dst, src) = unsafe { (Sock::from_raw(dst), Sock::from_raw(src)) };
        let src = src.numbering();
        assert!(!src.reset, "network_mysqld_queue_sync: the numbering of the source is reset");
        dst.tail_mut().last_packet_id = src.last.wrapping_sub(1);
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::tests::with_socket;

    #[test]
    fn appended_payloads_are_framed_and_numbered_until_the_reset() {
        with_socket(|socket, _| {
            let queue = socket.tail().send_queue;
            socket.append(queue, b"ab");
            socket.append(queue, b"");
            socket.reset_numbering();
            socket.append(queue, b"c");
            let chunks: Vec<_> = socket.to_send().chunks().map(<[u8]>::to_vec).collect();
            assert_eq!(chunks, [&[2, 0, 0, 0, b'a', b'b'][..], &[0, 0, 0, 1], &[1, 0, 0, 0, b'c']]);
        });
    }

    #[test]
    fn raw_packets_are_renumbered_and_foreign_queues_refused() {
        with_socket(|socket, raw| {
            let queue = socket.tail().send_queue;
            // SAFETY: live objects of this test.
            unsafe {
                assert_eq!(
                    network_mysqld_queue_append_raw(raw, queue, glib::new_string(&[0, 0, 0, 7])),
                    0
                );
                assert_eq!(
                    network_mysqld_queue_append_raw(raw, queue, glib::new_string(&[0, 0, 0, 1])),
                    0
                );
                let foreign = queue::network_queue_new();
                let packet = glib::new_string(&[0, 0, 0, 0]);
                assert_eq!(network_mysqld_queue_append_raw(raw, foreign, packet), -1);
                glib::free_string(packet);
                queue::network_queue_free(foreign);
            }
            let ids: Vec<_> = socket.to_send().chunks().map(|chunk| chunk[3]).collect();
            assert_eq!(ids, [7, 8]);
        });
    }
}
