//! Character sets, as far as they change where tokens begin and end: which bytes belong together, and which can be in a name.
//!
//! Source: `ismbchar` and the tables of character types in the `strings/` folders of MySQL and MariaDB; and what the servers
//! answered to each byte.

use super::Dialect;
use crate::bytes::{byte_at, rest};

/// The connection's character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Charset {
    /// utf8mb4, utf8mb3.
    #[default]
    Utf8,
    /// latin1, where a no-break space is a blank.
    Latin1,
    /// Another one of one byte, where a no-break space is a blank: latin2, greek, hebrew and so on. Each other byte above 0x7f can be in
    /// a name, which is more than servers take.
    NoBreakSpace,
    /// Any other one of one byte. Each byte above 0x7f can be in a name, which is more than servers take.
    Other,
    /// euckr, gb2312, ujis, eucjpms: characters of several bytes that look like nothing else. Names are not checked for halves of them.
    Euc,
    /// big5.
    Big5,
    /// gbk.
    Gbk,
    /// sjis and cp932.
    Sjis,
    /// gb18030, which MySQL has.
    Gb18030,
}

impl Charset {
    /// The character set of a collation, by its number as in a login.
    #[must_use]
    pub const fn of_collation(id: u16) -> Self {
        // MariaDB numbers collations without padding by 1024 more.
        match if id > 1024 { id - 1024 } else { id } {
            5 | 8 | 15 | 31 | 47 | 48 | 49 | 94 => Self::Latin1,
            2
            | 3
            | 9
            | 16
            | 20
            | 21
            | 25..=27
            | 30
            | 32
            | 34
            | 41
            | 42
            | 44
            | 64
            | 66
            | 69..=71
            | 77..=79
            | 92
            | 93
            | 99 => Self::NoBreakSpace,
            12 | 19 | 24 | 85 | 86 | 91 | 97 | 98 => Self::Euc,
            1 | 84 => Self::Big5,
            28 | 87 => Self::Gbk,
            13 | 88 | 95 | 96 => Self::Sjis,
            248..=250 => Self::Gb18030,
            33 | 45 | 46 | 76 | 83 | 192..=247 | 255..=323 => Self::Utf8,
            _ if id > 2048 => Self::Utf8,
            _ => Self::Other,
        }
    }

    /// The character set of this name, in any case.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "utf8" | "utf8mb3" | "utf8mb4" => Self::Utf8,
            "latin1" => Self::Latin1,
            "latin2" | "latin5" | "latin7" | "dec8" | "hebrew" | "greek" | "cp1250"
            | "armscii8" | "geostd8" => Self::NoBreakSpace,
            "euckr" | "gb2312" | "ujis" | "eucjpms" => Self::Euc,
            "big5" => Self::Big5,
            "gbk" => Self::Gbk,
            "sjis" | "cp932" => Self::Sjis,
            "gb18030" => Self::Gb18030,
            _ => Self::Other,
        }
    }

    /// How many bytes the character of several bytes at `at` has; `None` if there is none.
    ///
    /// Only for character sets where its bytes can be taken for something else; elsewhere a byte is as good as a character.
    pub(super) fn multi_byte(self, sql: &[u8], at: usize) -> Option<usize> {
        let first = byte_at(sql, at)?;
        if first.is_ascii() {
            return None;
        }
        let second = byte_at(sql, at + 1)?;
        let is_pair = match self {
            Self::Utf8 | Self::Latin1 | Self::NoBreakSpace | Self::Other | Self::Euc => false,
            Self::Big5 => {
                matches!(first, 0xa1..=0xf9) && matches!(second, 0x40..=0x7e | 0xa1..=0xfe)
            }
            Self::Gbk => {
                matches!(first, 0x81..=0xfe) && matches!(second, 0x40..=0x7e | 0x80..=0xfe)
            }
            Self::Sjis => {
                matches!(first, 0x81..=0x9f | 0xe0..=0xfc)
                    && matches!(second, 0x40..=0x7e | 0x80..=0xfc)
            }
            Self::Gb18030 => return gb18030(rest(sql, at)),
        };
        is_pair.then_some(2)
    }

    /// Whether a byte of a longer character can look like a quote, a backslash or a letter.
    pub(super) const fn has_ambiguous_bytes(self) -> bool {
        matches!(self, Self::Big5 | Self::Gbk | Self::Sjis | Self::Gb18030)
    }

    /// Whether a byte is a letter beyond ASCII where servers do not look for longer characters.
    pub(super) const fn is_letter(self, byte: u8) -> bool {
        match self {
            Self::Sjis | Self::Euc => false,
            Self::Gbk => matches!(byte, 0xa1..=0xfe),
            _ => !byte.is_ascii() && self.is_name(byte),
        }
    }

    /// Whether a byte separates tokens.
    pub(super) const fn is_blank(self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t'..=b'\r')
            || (byte == 0xa0 && matches!(self, Self::Latin1 | Self::NoBreakSpace))
    }

    /// Whether a byte can be in a name, or begin a character that can.
    pub(super) const fn is_name(self, byte: u8) -> bool {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' => true,
            0..=0x7f => false,
            _ => match self {
                Self::Utf8 => byte != 0xff,
                Self::Latin1 => matches!(
                    byte,
                    0x83 | 0x8a | 0x8c | 0x8e | 0x9a | 0x9c | 0x9e | 0x9f
                        | 0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..
                ),
                Self::NoBreakSpace => byte != 0xa0,
                Self::Other | Self::Euc => true,
                Self::Big5 => matches!(byte, 0xa1..=0xf9),
                Self::Gbk => matches!(byte, 0x81..=0xfe),
                Self::Sjis => matches!(byte, 0x81..=0x9f | 0xe0..=0xfc),
                Self::Gb18030 => byte != 0xff,
            },
        }
    }

    /// How many bytes the character at `at` of a name has; `None` if no name can go on with what is there.
    pub(super) fn name_char(
        self,
        sql: &[u8],
        at: usize,
        is_first: bool,
        dialect: Dialect,
    ) -> Option<usize> {
        let byte = byte_at(sql, at).filter(|&byte| self.is_name(byte))?;
        if byte.is_ascii() {
            return Some(1);
        }
        let (length, is_head) = match self {
            Self::Latin1 | Self::NoBreakSpace | Self::Other | Self::Euc => return Some(1),
            Self::Utf8 => (utf8(rest(sql, at)), matches!(byte, 0xc2..=0xf7)),
            Self::Gb18030 => (self.multi_byte(sql, at), byte != 0x80),
            _ => (self.multi_byte(sql, at), true),
        };
        // MySQL takes a byte that begins no character into a name, but no name begins with one that looks as if it did.
        length.or_else(|| (dialect.is_mysql() && !(is_first && is_head)).then_some(1))
    }
}

fn gb18030(text: &[u8]) -> Option<usize> {
    match text {
        [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, ..] => Some(2),
        [0x81..=0xfe, b'0'..=b'9', 0x81..=0xfe, b'0'..=b'9', ..] => Some(4),
        _ => None,
    }
}

/// The length of the character that is well-formed at the beginning.
fn utf8(text: &[u8]) -> Option<usize> {
    let length = match text.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    std::str::from_utf8(text.get(..length)?).ok().map(str::len)
}
