//! Integers and strings of the protocol: little-endian, NUL-ended, length-encoded.

use std::io;

/// Appends a length-encoded integer.
pub fn put_lenenc(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_le_bytes();
    match value {
        0..=250 => out.push(bytes[0]),
        251..=0xffff => {
            out.push(0xfc);
            out.extend_from_slice(&bytes[..2]);
        }
        0x1_0000..=0xff_ffff => {
            out.push(0xfd);
            out.extend_from_slice(&bytes[..3]);
        }
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&bytes);
        }
    }
}

/// Appends a length-encoded string.
pub fn put_lenenc_bytes(out: &mut Vec<u8>, text: &[u8]) {
    put_lenenc(out, u64::try_from(text.len()).expect("a length fits u64"));
    out.extend_from_slice(text);
}

/// Appends a NUL-ended string.
pub fn put_cstr(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    out.push(0);
}

/// Reads from the front of a payload; every read is checked.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte of `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] if fewer are left; so do all other reads.
    pub fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        if self.0.len() < count {
            return Err(short());
        }
        let (head, tail) = self.0.split_at(count);
        self.0 = tail;
        Ok(head)
    }

    /// Takes a little-endian integer of `width` bytes (at most 8).
    ///
    /// # Errors
    /// See [`Reader::take`].
    pub fn int(&mut self, width: usize) -> io::Result<u64> {
        let mut value = [0; 8];
        value[..width].copy_from_slice(self.take(width)?);
        Ok(u64::from_le_bytes(value))
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// See [`Reader::take`].
    pub fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Takes a NUL-ended string, without the NUL.
    ///
    /// # Errors
    /// See [`Reader::take`].
    pub fn cstr(&mut self) -> io::Result<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(short)?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }

    /// Takes a length-encoded integer; `None` for the NULL mark of a text row.
    ///
    /// # Errors
    /// See [`Reader::take`].
    pub fn lenenc(&mut self) -> io::Result<Option<u64>> {
        Ok(Some(match self.byte()? {
            0xfb => return Ok(None),
            0xfc => self.int(2)?,
            0xfd => self.int(3)?,
            0xfe => self.int(8)?,
            small => u64::from(small),
        }))
    }

    /// Takes a length-encoded string; `None` for NULL.
    ///
    /// # Errors
    /// See [`Reader::take`].
    pub fn lenenc_bytes(&mut self) -> io::Result<Option<&'a [u8]>> {
        match self.lenenc()? {
            None => Ok(None),
            Some(length) => self.take(usize::try_from(length).map_err(|_| short())?).map(Some),
        }
    }
}

fn short() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "packet ends too early")
}
