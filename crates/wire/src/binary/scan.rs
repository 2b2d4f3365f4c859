//! Takes the text form of dates and times apart.

/// A position in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'t> {
    rest: &'t [u8],
}

impl<'t> Scan<'t> {
    pub(super) const fn new(text: &'t [u8]) -> Self {
        Self { rest: text }
    }

    /// Takes one of `bytes`.
    pub(super) fn one_of(&mut self, bytes: &[u8]) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        if !bytes.contains(first) {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// Takes all digits that follow and returns them with their number, which is 1 to 9.
    fn digits(&mut self) -> Option<(u32, u32)> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        let value = digits.iter().fold(0_u32, |n, &d| n * 10 + u32::from(d - b'0'));
        Some((value, u32::try_from(count).ok()?))
    }

    /// Takes a number of exactly `count` digits.
    pub(super) fn number(&mut self, count: u32) -> Option<u32> {
        self.digits().filter(|&(_, found)| found == count).map(|(value, _)| value)
    }

    /// Takes a number of two digits, at most `max`.
    pub(super) fn two_digits(&mut self, max: u8) -> Option<u8> {
        let value = self.number(2)?;
        u8::try_from(value).ok().filter(|&value| value <= max)
    }

    /// Takes a number of any length up to 9 digits.
    pub(super) fn any_number(&mut self) -> Option<u32> {
        self.digits().map(|(value, _)| value)
    }

    /// Takes what is left: nothing, or a point and up to six digits. Returns microseconds.
    pub(super) fn fraction_to_end(&mut self) -> Option<u32> {
        if self.rest.is_empty() {
            return Some(0);
        }
        self.one_of(b".")?;
        let (value, count) = self.digits()?;
        let zeros = 6_u32.checked_sub(count)?;
        self.is_empty().then(|| value * 10_u32.pow(zeros))
    }

    /// Whether everything was taken.
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_exact_length() {
        assert_eq!(Scan::new(b"0042-").number(4), Some(42));
        assert_eq!(Scan::new(b"042-").number(4), None);
        assert_eq!(Scan::new(b"").number(1), None);
        assert_eq!(Scan::new(b"999999999").any_number(), Some(999_999_999));
        assert_eq!(Scan::new(b"1000000000").any_number(), None);
        assert_eq!(Scan::new(b"60").two_digits(59), None);
    }

    #[test]
    fn fractions_are_microseconds() {
        for (text, micros) in [
            (&b""[..], Some(0)),
            (b".5", Some(500_000)),
            (b".000001", Some(1)),
            (b".0000001", None),
            (b".", None),
            (b".5x", None),
            (b"5", None),
        ] {
            assert_eq!(Scan::new(text).fraction_to_end(), micros, "{text:?}");
        }
    }
}
