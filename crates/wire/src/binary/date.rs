//! DATE in the binary protocol.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>,
//! "MYSQL_TYPE_DATE".

use std::fmt;

use super::scan::Scan;
use crate::{Reader, WireError, Writer};

/// A date as sent; nothing says that it is in the calendar, and the parts may be 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Date {
    /// Year.
    pub year: u16,
    /// Month, 1 to 12, or 0.
    pub month: u8,
    /// Day of the month, 1 to 31, or 0.
    pub day: u8,
}

impl Date {
    /// Reads length and value. The length is 0 for a date of zeros, else 4; a time of day behind
    /// the date (length 7 or 11), which some clients send, is dropped, as the server drops it.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let len = r.u8()?; // int<1>
        let mut body = Reader::new(r.bytes(len.into())?);
        match len {
            0 => Ok(Self::default()),
            4 | 7 | 11 => Self::read_parts(&mut body),
            len => Err(WireError::ValueLength { value: "date", len }),
        }
    }

    /// Writes length and value in the shortest form.
    pub fn write(self, w: &mut Writer<'_>) {
        if self == Self::default() {
            w.u8(0);
            return;
        }
        w.u8(4);
        self.write_parts(w);
    }

    pub(super) fn read_parts(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let year = r.u16()?; // int<2>
        let month = r.u8()?; // int<1>
        let day = r.u8()?; // int<1>
        Ok(Self { year, month, day })
    }

    pub(super) fn write_parts(self, w: &mut Writer<'_>) {
        w.u16(self.year);
        w.u8(self.month);
        w.u8(self.day);
    }

    /// Reads `YYYY-MM-DD`, as a cell of the text protocol has it. `None` for anything else.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(text);
        let date = Self::scan(&mut scan)?;
        scan.is_empty().then_some(date)
    }

    pub(super) fn scan(scan: &mut Scan<'_>) -> Option<Self> {
        let year = u16::try_from(scan.number(4)?).ok()?;
        scan.one_of(b"-")?;
        let month = scan.two_digits(12)?;
        scan.one_of(b"-")?;
        let day = scan.two_digits(31)?;
        Some(Self { year, month, day })
    }
}

/// `YYYY-MM-DD`
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: Date = Date { year: 2010, month: 10, day: 17 };

    #[test]
    fn golden_both_ways() {
        for (golden, date) in [(&b"\x04\xda\x07\x0a\x11"[..], DATE), (b"\0", Date::default())] {
            assert_eq!(Date::read(&mut Reader::new(golden)), Ok(date));
            let mut out = Vec::new();
            date.write(&mut Writer::new(&mut out));
            assert_eq!(out, golden);
        }
    }

    #[test]
    fn a_time_of_day_is_dropped() {
        for golden in
            [&b"\x07\xda\x07\x0a\x11\x13\x1b\x1e"[..], b"\x0b\xda\x07\x0a\x11\0\0\0\0\0\0\0"]
        {
            let mut r = Reader::new(golden);
            assert_eq!(Date::read(&mut r), Ok(DATE));
            assert!(r.is_empty());
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for len in (1..=20).filter(|len| ![4, 7, 11].contains(len)) {
            let payload = [&[len][..], &[1; 20]].concat();
            let error = WireError::ValueLength { value: "date", len };
            assert_eq!(Date::read(&mut Reader::new(&payload)), Err(error));
        }
        assert!(Date::read(&mut Reader::new(b"\x04\xda\x07\x0a")).is_err());
    }

    #[test]
    fn text_both_ways() {
        assert_eq!(DATE.to_string(), "2010-10-17");
        assert_eq!(Date::from_text(b"2010-10-17"), Some(DATE));
        assert_eq!(Date::from_text(b"0000-00-00"), Some(Date::default()));
        for bad in
            ["", "2010-10", "10-10-17", "2010-13-01", "2010-01-32", "2010-10-17 ", "2010/10/17"]
        {
            assert_eq!(Date::from_text(bad.as_bytes()), None, "{bad}");
        }
    }
}
