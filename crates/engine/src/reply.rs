//! An answer that the proxy makes itself, encoded and ready to be queued for the client.

use wire::reply::{ErrPacket, OkPacket, StatusFlags};
use wire::{Capabilities, marker};

use crate::Hook;
use crate::error_code::{ER_UNKNOWN_ERROR, ErrorCode};

/// Payloads to send, in order. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    packets: Vec<Vec<u8>>,
}

impl Reply {
    /// These payloads; `None` if there is none, since a client would wait for ever.
    pub fn from_packets(packets: Vec<Vec<u8>>) -> Option<Self> {
        (!packets.is_empty()).then_some(Self { packets })
    }

    /// OK with nothing affected; `status` is that of the connection.
    pub fn ok(status: StatusFlags) -> Self {
        let ok = OkPacket { status, ..OkPacket::default() };
        Self { packets: vec![ok.encode(Capabilities::empty())] }
    }

    /// An ERR with an SQL state.
    pub fn error(code: ErrorCode, message: &str) -> Self {
        let err = ErrPacket {
            code: code.number,
            sqlstate: Some(code.sqlstate),
            message: message.as_bytes(),
        };
        Self { packets: vec![err.encode()] }
    }

    /// An ERR of the proxy itself: [`ER_UNKNOWN_ERROR`], `pyproxy: message`.
    pub fn proxy_error(message: &str) -> Self {
        Self::error(ER_UNKNOWN_ERROR, &format!("pyproxy: {message}"))
    }

    /// An ERR without SQL state, for a client that has not seen a handshake.
    pub fn error_before_handshake(code: ErrorCode, message: &str) -> Self {
        let err = ErrPacket { code: code.number, sqlstate: None, message: message.as_bytes() };
        Self { packets: vec![err.encode()] }
    }

    /// The payloads.
    pub fn packets(&self) -> &[Vec<u8>] {
        &self.packets
    }

    /// First byte of the first packet.
    pub fn first_byte(&self) -> Option<u8> {
        self.packets.first()?.first().copied()
    }

    /// Whether it is an ERR.
    pub fn is_error(&self) -> bool {
        self.first_byte() == Some(marker::ERR)
    }

    /// Whether it is nothing but a request for a file of the client.
    pub fn is_file_request(&self) -> bool {
        self.packets.len() == 1 && self.first_byte() == Some(marker::LOCAL_INFILE)
    }
}

/// What a client is told when a hook failed; the details are in the log only.
pub fn hook_failed(hook: Hook) -> String {
    format!("{} failed, see the proxy log", hook.name())
}
