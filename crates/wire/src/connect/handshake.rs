//! The server's greeting, protocol 10.
//!
//! Sources:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html>,
//! <https://mariadb.com/docs/server/reference/clientserver-protocol/1-connecting/connection#initial-handshake-packet>.
//! Any version text is accepted: `11.4.2-MariaDB` and `5.7` are as good as `8.0.36`.

use super::{clear, set};
use crate::reply::StatusFlags;
use crate::{Capabilities, Reader, WireError, Writer};

const PROTOCOL: u8 = 10;
/// Length of the scramble's first part.
const PART_1: usize = 8;
/// Reserved bytes in front of MariaDB's extended capabilities, which are reserved themselves
/// elsewhere.
const RESERVED: usize = 6;
/// Shortest second part: 12 bytes of scramble and a NUL.
const PART_2_MIN: usize = 13;

/// A handshake packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// Always 10.
    pub protocol_version: u8,
    /// Version text as announced.
    pub server_version: Vec<u8>,
    /// Connection id.
    pub thread_id: u32,
    /// Auth data, both parts as on the wire: usually 20 bytes and a NUL. See
    /// [`scramble20`](Self::scramble20).
    pub scramble: Vec<u8>,
    /// Everything the server offers, MariaDB's extended set included.
    pub capabilities: Capabilities,
    /// Low byte of the server's collation id.
    pub charset: u8,
    /// State of the new connection.
    pub status: StatusFlags,
    /// Default authentication method; only with PLUGIN_AUTH.
    pub auth_plugin: Option<Vec<u8>>,
}

impl Handshake {
    /// Reads a payload.
    ///
    /// Lenient where servers differ: the packet may end behind the first part of the scramble or
    /// behind the lower capabilities, the length of the auth data may be any number, the method may
    /// lack its NUL.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        let protocol_version = r.u8()?; // int<1>
        if protocol_version != PROTOCOL {
            return Err(WireError::ProtocolVersion(protocol_version));
        }
        let server_version = r.nul()?.to_vec(); // string<NUL>
        let thread_id = r.u32()?; // int<4>
        let mut handshake = Self {
            protocol_version,
            server_version,
            thread_id,
            scramble: r.bytes(PART_1)?.to_vec(), // string[8]
            capabilities: Capabilities::empty(),
            charset: 0,
            status: StatusFlags::empty(),
            auth_plugin: None,
        };
        if r.is_empty() {
            return Ok(handshake);
        }
        r.u8()?; // int<1>, filler
        if r.is_empty() {
            return Ok(handshake);
        }
        let low = r.u16()?; // int<2>
        handshake.capabilities = Capabilities::from_words(low.into(), 0);
        if r.is_empty() {
            return Ok(handshake);
        }
        handshake.charset = r.u8()?; // int<1>
        handshake.status = StatusFlags::from_bits_retain(r.u16()?); // int<2>
        let high = r.u16()?; // int<2>
        let scramble_len = r.u8()?; // int<1>, filler without PLUGIN_AUTH
        r.bytes(RESERVED)?; // string[6]
        let extended = r.u32()?; // int<4>, filler unless MariaDB
        handshake.capabilities =
            Capabilities::from_words(u32::from(low) | u32::from(high) << 16, extended);
        let with_plugin = handshake.capabilities.contains(Capabilities::PLUGIN_AUTH);
        if handshake.has_part_2() {
            let scramble_len = if with_plugin { scramble_len } else { 0 };
            handshake.scramble.extend_from_slice(part_2(&mut r, scramble_len)?);
        }
        if with_plugin {
            handshake.auth_plugin = Some(r.nul_or_rest().to_vec()); // string<NUL>
        }
        Ok(handshake)
    }

    /// The payload, in the full form of today.
    ///
    /// Capabilities decide which fields are sent. A scramble is filled up with NULs to the shortest
    /// length the protocol has, which is 21 bytes, and cut at the longest: 255 bytes with
    /// PLUGIN_AUTH, 21 without. Refuses a version or method with a NUL inside.
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        super::check_nul_free("server version", &self.server_version)?;
        let plugin = self.auth_plugin.as_deref().unwrap_or_default();
        super::check_nul_free("method name", plugin)?;
        let with_plugin = self.capabilities.contains(Capabilities::PLUGIN_AUTH);
        let ([a, b, c, d], extended) = self.capabilities.to_words();

        let mut scramble = self.scramble.clone();
        let longest = if with_plugin { u8::MAX.into() } else { PART_1 + PART_2_MIN };
        scramble.resize(scramble.len().clamp(PART_1 + PART_2_MIN, longest), 0);
        let scramble_len = u8::try_from(scramble.len()).unwrap_or(u8::MAX);
        let (part_1, part_2) = scramble.split_at(PART_1);

        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.u8(PROTOCOL);
        w.nul(&self.server_version);
        w.u32(self.thread_id);
        w.bytes(part_1);
        w.u8(0);
        w.bytes(&[a, b]);
        w.u8(self.charset);
        w.u16(self.status.bits());
        w.bytes(&[c, d]);
        w.u8(if with_plugin { scramble_len } else { 0 });
        w.zeros(RESERVED);
        w.bytes(&extended);
        if self.has_part_2() {
            w.bytes(part_2);
        }
        if with_plugin {
            w.nul(plugin);
        }
        Ok(out)
    }

    /// The scramble without the NUL that ends it on the wire: at most 20 bytes.
    pub fn scramble20(&self) -> &[u8] {
        self.scramble.get(..20).unwrap_or(&self.scramble)
    }

    /// The version as one number, `major * 10000 + minor * 100 + patch`, of the text as announced:
    /// MariaDB's `5.5.5-10.11.2-MariaDB` gives 50505. A missing patch counts 0; without major and
    /// minor there is none.
    pub fn version_id(&self) -> Option<u32> {
        let mut rest = self.server_version.as_slice();
        let major = leading_number(&mut rest)?;
        rest = rest.strip_prefix(b".")?;
        let minor = leading_number(&mut rest)?;
        let patch =
            rest.strip_prefix(b".").and_then(|mut rest| leading_number(&mut rest)).unwrap_or(0);
        major.checked_mul(10_000)?.checked_add(minor.checked_mul(100)?)?.checked_add(patch)
    }

    /// Clears `unsupported` bits in a raw payload; every other byte stays as it is.
    ///
    /// MariaDB's extended bits are cleared only where they are capabilities, that is when
    /// LONG_PASSWORD is clear. Refuses bits that decide the layout of this packet (PLUGIN_AUTH,
    /// SECURE_CONNECTION) and LONG_PASSWORD, and payloads that [`parse`](Self::parse) refuses.
    pub fn mask(payload: &mut [u8], unsupported: Capabilities) -> Result<(), WireError> {
        let layout = unsupported
            & (Capabilities::LONG_PASSWORD
                | Capabilities::PLUGIN_AUTH
                | Capabilities::SECURE_CONNECTION);
        if layout != Capabilities::empty() {
            return Err(WireError::LayoutBits(layout.bits()));
        }
        let handshake = Self::parse(payload)?;
        let ([a, b, c, d], extended) = unsupported.to_words();
        let (low, high) = handshake.places();
        // A short form has fewer words to clear: a word that is not there is no error.
        clear(payload, low, [a, b]);
        clear(payload, high, [c, d]);
        if !handshake.capabilities.contains(Capabilities::LONG_PASSWORD) {
            clear(payload, high + 2 + 1 + RESERVED, extended);
        }
        Ok(())
    }

    /// Sets SSL, COMPRESS and ZSTD_COMPRESSION as far as `offered` has them: what a proxy offers of its own. Every other
    /// bit and byte stays as it is. A short form without a place for them offers nothing. Refuses payloads that
    /// [`parse`](Self::parse) refuses.
    pub fn offer(payload: &mut [u8], offered: Capabilities) -> Result<(), WireError> {
        let (low, high) = Self::parse(payload)?.places();
        let ([a, b, c, d], _) = offered.intersection(Capabilities::TRANSPORT).to_words();
        set(payload, low, [a, b]);
        set(payload, high, [c, d]);
        Ok(())
    }

    /// Where the two classic capability words stand in a payload.
    fn places(&self) -> (usize, usize) {
        // protocol, version, NUL, thread id, first part, filler
        let low = 1 + self.server_version.len() + 1 + 4 + PART_1 + 1;
        (low, low + 2 + 1 + 2)
    }

    fn has_part_2(&self) -> bool {
        self.capabilities.intersects(Capabilities::SECURE_CONNECTION | Capabilities::PLUGIN_AUTH)
    }
}

/// The second part of the scramble: as long as announced, but at least 13 bytes, or 12 at the end
/// of a packet. An announced length that the packet cannot hold falls back to 13.
fn part_2<'p>(r: &mut Reader<'p>, scramble_len: u8) -> Result<&'p [u8], WireError> {
    let announced = usize::from(scramble_len).saturating_sub(PART_1).max(PART_2_MIN);
    let len = match r.remaining() {
        left if left >= announced => announced,
        left if left == PART_2_MIN - 1 => left,
        _ => PART_2_MIN,
    };
    r.bytes(len)
}

/// Takes the decimal digits at the start of `text`; `None` if there are none or the number is too
/// large.
fn leading_number(text: &mut &[u8]) -> Option<u32> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(digits)?;
    *text = rest;
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
