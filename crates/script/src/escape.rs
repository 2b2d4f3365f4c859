//! Text of others in the log: whoever chooses a user name, or a query that stands in an exception, must not write lines.

use std::fmt::Write;

/// The text in one line: control characters, and what else ends a line, are shown as in Python's literals.
pub fn one_line(text: &str) -> String {
    escape(text, |_| false)
}

/// The lines of an entry as they are, without other control characters: what moves the cursor of a terminal.
pub fn lines(text: &str) -> String {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

fn escape(text: &str, passes: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let is_harmful = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if !is_harmful || passes(c) {
            shown.push(c);
            continue;
        }
        let written = match c {
            '\n' => write!(shown, "\\n"),
            '\r' => write!(shown, "\\r"),
            '\t' => write!(shown, "\\t"),
            _ if u32::from(c) < 0x100 => write!(shown, "\\x{:02x}", u32::from(c)),
            _ => write!(shown, "\\u{:04x}", u32::from(c)),
        };
        written.expect("a String takes everything");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_line_or_moves_the_cursor() {
        let text = "é\\ \t\r\n\0\x1b[2J\x7f\u{85}\u{2028}";
        assert_eq!(one_line(text), "é\\ \\t\\r\\n\\x00\\x1b[2J\\x7f\\x85\\u2028");
        assert_eq!(lines(text), "é\\ \t\\r\n\\x00\\x1b[2J\\x7f\\x85\\u2028");
    }
}
