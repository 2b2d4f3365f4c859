//! TIME in the binary protocol: a duration with a sign.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>,
//! "MYSQL_TYPE_TIME".

use std::fmt;

use super::scan::Scan;
use crate::{Reader, WireError, Writer};

/// A duration as sent; servers send hours below 24 and put the rest into days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time {
    /// Whether the whole duration is negative.
    pub negative: bool,
    /// Days.
    pub days: u32,
    /// Hours, 0 to 23.
    pub hours: u8,
    /// Minutes, 0 to 59.
    pub minutes: u8,
    /// Seconds, 0 to 59.
    pub seconds: u8,
    /// Microseconds, below 1 000 000.
    pub micros: u32,
}

impl Time {
    /// Reads length and value. The length is 0, 8 or 12: what is left out is 0.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let len = r.u8()?; // int<1>
        let mut body = Reader::new(r.bytes(len.into())?);
        if len == 0 {
            return Ok(Self::default());
        }
        if len != 8 && len != 12 {
            return Err(WireError::ValueLength { value: "time", len });
        }
        let negative = body.u8()? != 0; // int<1>
        let days = body.u32()?; // int<4>
        let hours = body.u8()?; // int<1>
        let minutes = body.u8()?; // int<1>
        let seconds = body.u8()?; // int<1>
        let micros = if len == 12 { body.u32()? } else { 0 }; // int<4>
        Ok(Self { negative, days, hours, minutes, seconds, micros })
    }

    /// Writes length and value in the shortest form.
    pub fn write(self, w: &mut Writer<'_>) {
        if self == Self::default() {
            w.u8(0);
            return;
        }
        w.u8(if self.micros == 0 { 8 } else { 12 });
        w.u8(self.negative.into());
        w.u32(self.days);
        w.bytes(&[self.hours, self.minutes, self.seconds]);
        if self.micros != 0 {
            w.u32(self.micros);
        }
    }

    /// Reads `[-]h:mm:ss[.f]`, as a cell of the text protocol has it: hours may be above 23, the
    /// fraction has up to six digits. `None` for anything else.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(text);
        let negative = scan.one_of(b"-").is_some();
        let all_hours = scan.any_number()?;
        scan.one_of(b":")?;
        let minutes = scan.two_digits(59)?;
        scan.one_of(b":")?;
        let seconds = scan.two_digits(59)?;
        let micros = scan.fraction_to_end()?;
        let hours = u8::try_from(all_hours % 24).ok()?;
        Some(Self { negative, days: all_hours / 24, hours, minutes, seconds, micros })
    }
}

/// `[-]hh:mm:ss` with the days in the hours, and with six digits of fraction unless it is 0
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let hours = u64::from(self.days) * 24 + u64::from(self.hours);
        write!(f, "{sign}{hours:02}:{:02}:{:02}", self.minutes, self.seconds)?;
        if self.micros == 0 { Ok(()) } else { write!(f, ".{:06}", self.micros) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_AGO: Time =
        Time { negative: true, days: 120, hours: 19, minutes: 27, seconds: 30, micros: 0 };
    const EXACT: Time = Time { negative: false, days: 0, micros: 123_456, ..LONG_AGO };

    #[test]
    fn golden_both_ways() {
        for (golden, value) in [
            (&b"\0"[..], Time::default()),
            (b"\x08\x01\x78\0\0\0\x13\x1b\x1e", LONG_AGO),
            (b"\x0c\x00\0\0\0\0\x13\x1b\x1e\x40\xe2\x01\x00", EXACT),
        ] {
            assert_eq!(Time::read(&mut Reader::new(golden)), Ok(value));
            let mut out = Vec::new();
            value.write(&mut Writer::new(&mut out));
            assert_eq!(out, golden);
            for end in 0..golden.len() {
                assert!(Time::read(&mut Reader::new(&golden[..end])).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for len in (1..=20).filter(|len| ![8, 12].contains(len)) {
            let payload = [&[len][..], &[1; 20]].concat();
            let error = WireError::ValueLength { value: "time", len };
            assert_eq!(Time::read(&mut Reader::new(&payload)), Err(error));
        }
    }

    #[test]
    fn text_both_ways() {
        for (text, value) in
            [("00:00:00", Time::default()), ("-2899:27:30", LONG_AGO), ("19:27:30.123456", EXACT)]
        {
            assert_eq!(value.to_string(), text);
            assert_eq!(Time::from_text(text.as_bytes()), Some(value));
        }
        assert_eq!(Time::from_text(b"1:02:03").map(|t| t.hours), Some(1));
        for bad in ["", "-", "19:27", "19:60:00", "19:00:60", "1 19:27:30", "--1:00:00"] {
            assert_eq!(Time::from_text(bad.as_bytes()), None, "{bad}");
        }
        let endless = Time { days: u32::MAX, ..Time::default() };
        assert_eq!(endless.to_string(), "103079215080:00:00");
    }
}
