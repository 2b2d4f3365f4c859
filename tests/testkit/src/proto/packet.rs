//! Framing: a 3-byte length, a sequence id, a payload.

use std::io::{self, Read, Write};

/// Largest payload of one packet; a longer message continues in the next packet.
pub const MAX_PAYLOAD: usize = 0xff_ffff;

/// One packet as it was on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    /// Sequence id.
    pub id: u8,
    /// Bytes after the header.
    pub payload: Vec<u8>,
}

impl Packet {
    /// First payload byte, if there is one: the kind of most server packets.
    pub fn kind(&self) -> Option<u8> {
        self.payload.first().copied()
    }

    /// Whether this is an ERR packet.
    pub fn is_err(&self) -> bool {
        self.kind() == Some(0xff)
    }

    /// Whether this is a classic EOF packet.
    pub fn is_eof(&self) -> bool {
        self.kind() == Some(0xfe) && self.payload.len() < 9
    }
}

impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.payload[..self.payload.len().min(80)];
        let length = self.payload.len();
        write!(f, "#{} {length} bytes \"{}\"", self.id, shown.escape_ascii())
    }
}

/// Reads one packet.
///
/// # Errors
/// Those of the stream; [`io::ErrorKind::UnexpectedEof`] when the peer closed.
pub fn read(stream: &mut impl Read) -> io::Result<Packet> {
    let mut header = [0; 4];
    stream.read_exact(&mut header)?;
    let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
    let mut payload = vec![0; usize::try_from(length).expect("24 bits fit usize")];
    stream.read_exact(&mut payload)?;
    Ok(Packet { id: header[3], payload })
}

/// The bytes of one packet.
///
/// # Panics
/// If `payload` is longer than [`MAX_PAYLOAD`].
pub fn frame(id: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() <= MAX_PAYLOAD, "{} bytes need several packets", payload.len());
    let length = u32::try_from(payload.len()).expect("24 bits fit u32").to_le_bytes();
    let mut bytes = Vec::with_capacity(payload.len() + 4);
    bytes.extend_from_slice(&length[..3]);
    bytes.push(id);
    bytes.extend_from_slice(payload);
    bytes
}

/// Writes a message of any size, split at [`MAX_PAYLOAD`], ids from `id` on; a message whose
/// length is a multiple of it ends with an empty packet. Returns the next id.
///
/// # Errors
/// Those of the stream.
pub fn write_message(stream: &mut impl Write, id: u8, payload: &[u8]) -> io::Result<u8> {
    let mut id = id;
    let mut rest = payload;
    loop {
        let (head, tail) = rest.split_at(rest.len().min(MAX_PAYLOAD));
        stream.write_all(&frame(id, head))?;
        id = id.wrapping_add(1);
        if head.len() < MAX_PAYLOAD {
            return Ok(id);
        }
        rest = tail;
    }
}
