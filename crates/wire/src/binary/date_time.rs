//! DATETIME and TIMESTAMP in the binary protocol.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>,
//! "MYSQL_TYPE_DATETIME".

use std::fmt;

use super::Date;
use super::scan::Scan;
use crate::{Reader, WireError, Writer};

/// A point in time as sent; nothing says that it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DateTime {
    /// The date.
    pub date: Date,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
    /// Microseconds, below 1 000 000.
    pub micros: u32,
}

impl DateTime {
    /// Reads length and value. The length is 0, 4, 7 or 11: what is left out is 0.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let len = r.u8()?; // int<1>
        let mut body = Reader::new(r.bytes(len.into())?);
        if ![0, 4, 7, 11].contains(&len) {
            return Err(WireError::ValueLength { value: "datetime", len });
        }
        let mut value = Self::default();
        if len >= 4 {
            value.date = Date::read_parts(&mut body)?;
        }
        if len >= 7 {
            value.hour = body.u8()?; // int<1>
            value.minute = body.u8()?; // int<1>
            value.second = body.u8()?; // int<1>
        }
        if len == 11 {
            value.micros = body.u32()?; // int<4>
        }
        Ok(value)
    }

    /// Writes length and value in the shortest form.
    pub fn write(self, w: &mut Writer<'_>) {
        let midnight = [self.hour, self.minute, self.second] == [0; 3];
        let len = match self.micros {
            0 if self == Self::default() => 0,
            0 if midnight => 4,
            0 => 7,
            _ => 11,
        };
        w.u8(len);
        if len >= 4 {
            self.date.write_parts(w);
        }
        if len >= 7 {
            w.bytes(&[self.hour, self.minute, self.second]);
        }
        if len == 11 {
            w.u32(self.micros);
        }
    }

    /// Reads `YYYY-MM-DD hh:mm:ss[.f]`, as a cell of the text protocol has it, with up to six
    /// digits of fraction. A `T` in place of the blank and a date alone are taken too. `None` for
    /// anything else.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(text);
        let date = Date::scan(&mut scan)?;
        if scan.is_empty() {
            return Some(Self { date, ..Self::default() });
        }
        scan.one_of(b" T")?;
        let hour = scan.two_digits(23)?;
        scan.one_of(b":")?;
        let minute = scan.two_digits(59)?;
        scan.one_of(b":")?;
        let second = scan.two_digits(59)?;
        let micros = scan.fraction_to_end()?;
        Some(Self { date, hour, minute, second, micros })
    }
}

/// `YYYY-MM-DD hh:mm:ss`, with six digits of fraction unless it is 0
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}:{:02}", self.date, self.hour, self.minute, self.second)?;
        if self.micros == 0 { Ok(()) } else { write!(f, ".{:06}", self.micros) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: Date = Date { year: 2010, month: 10, day: 17 };
    const MIDNIGHT: DateTime = DateTime { date: DATE, hour: 0, minute: 0, second: 0, micros: 0 };
    const EVENING: DateTime = DateTime { hour: 19, minute: 27, second: 30, ..MIDNIGHT };
    const EXACT: DateTime = DateTime { micros: 123_456, ..EVENING };

    #[test]
    fn golden_both_ways() {
        for (golden, value) in [
            (&b"\0"[..], DateTime::default()),
            (b"\x04\xda\x07\x0a\x11", MIDNIGHT),
            (b"\x07\xda\x07\x0a\x11\x13\x1b\x1e", EVENING),
            (b"\x0b\xda\x07\x0a\x11\x13\x1b\x1e\x40\xe2\x01\x00", EXACT),
        ] {
            assert_eq!(DateTime::read(&mut Reader::new(golden)), Ok(value));
            let mut out = Vec::new();
            value.write(&mut Writer::new(&mut out));
            assert_eq!(out, golden);
            for end in 0..golden.len() {
                assert!(DateTime::read(&mut Reader::new(&golden[..end])).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for len in (1..=20).filter(|len| ![4, 7, 11].contains(len)) {
            let payload = [&[len][..], &[1; 20]].concat();
            let error = WireError::ValueLength { value: "datetime", len };
            assert_eq!(DateTime::read(&mut Reader::new(&payload)), Err(error));
        }
    }

    #[test]
    fn text_both_ways() {
        for (text, value) in [
            ("0000-00-00 00:00:00", DateTime::default()),
            ("2010-10-17 00:00:00", MIDNIGHT),
            ("2010-10-17 19:27:30", EVENING),
            ("2010-10-17 19:27:30.123456", EXACT),
        ] {
            assert_eq!(value.to_string(), text);
            assert_eq!(DateTime::from_text(text.as_bytes()), Some(value));
        }
        assert_eq!(DateTime::from_text(b"2010-10-17"), Some(MIDNIGHT));
        assert_eq!(DateTime::from_text(b"2010-10-17T19:27:30.0"), Some(EVENING));
        for bad in [
            "",
            "2010-10-17 ",
            "2010-10-17 24:00:00",
            "2010-10-17 00:60:00",
            "2010-10-17 19:27:30Z",
        ] {
            assert_eq!(DateTime::from_text(bad.as_bytes()), None, "{bad}");
        }
    }
}
