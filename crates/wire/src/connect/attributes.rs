//! Connection attributes: `_client_name`, `_pid` and the like, as pairs of length-encoded strings.
//!
//! Source:
//! <https://dev.mysql.com/doc/refman/en/performance-schema-connection-attribute-tables.html>.

use crate::{Reader, WireError};

/// Walks over the pairs of an attribute block. Ends after the first malformed pair, which yields an
/// error.
#[derive(Debug, Clone)]
pub struct Attributes<'p> {
    rest: Reader<'p>,
}

impl<'p> Attributes<'p> {
    /// Starts at the first pair of `block`, which is the block without its own length.
    pub const fn new(block: &'p [u8]) -> Self {
        Self { rest: Reader::new(block) }
    }
}

impl<'p> Iterator for Attributes<'p> {
    /// Key and value.
    type Item = Result<(&'p [u8], &'p [u8]), WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let pair = self
            .rest
            .lenenc_bytes()
            .and_then(|key| self.rest.lenenc_bytes().map(|value| (key, value)));
        if pair.is_err() {
            self.rest.rest();
        }
        Some(pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_in_order() {
        let pairs: Result<Vec<_>, _> = Attributes::new(b"\x04_pid\x0242\x03_os\x00").collect();
        assert_eq!(pairs.unwrap(), [(&b"_pid"[..], &b"42"[..]), (&b"_os"[..], &b""[..])]);
    }

    #[test]
    fn a_malformed_pair_ends_the_walk() {
        let items: Vec<_> = Attributes::new(b"\x01a\x01b\x01c").collect();
        assert_eq!(items.len(), 2);
        assert!(items[0].is_ok() && items[1].is_err());
    }
}
