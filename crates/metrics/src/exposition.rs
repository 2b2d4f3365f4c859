//! The text that Prometheus reads: OpenMetrics 1.0 (<https://prometheus.io/docs/specs/om/open_metrics_spec/>), and the older text
//! format 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>) for who does not ask for it.
//!
//! Values of labels may be anything that a client made up: what could end one is escaped.

use std::fmt::Write;

use crate::{BOUNDS, Distribution};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// The text format 0.0.4.
    Text,
}

impl Format {
    /// What an `Accept` header asks for.
    pub fn accepted(header: &str) -> Self {
        let names =
            |item: &str| item.split(';').next().is_some_and(|name| name.trim() == OPENMETRICS);
        if header.split(',').any(names) { Self::OpenMetrics } else { Self::Text }
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

const OPENMETRICS: &str = "application/openmetrics-text";

/// What a family of numbers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows. Its samples have `_total` behind the name.
    Counter,
    /// It goes up and down.
    Gauge,
    /// A distribution of times.
    Histogram,
    /// Labels with something to know, and always 1. Its sample has `_info` behind the name.
    Info,
}

/// A text in the making.
#[derive(Debug)]
pub struct Exposition {
    text: String,
    format: Format,
}

/// The samples of one family.
#[derive(Debug)]
pub struct Samples<'e> {
    text: &'e mut String,
    name: &'static str,
    suffix: &'static str,
}

impl Exposition {
    /// An empty one.
    pub fn new(format: Format) -> Self {
        Self { text: String::new(), format }
    }

    /// Begins a family. `name` is the one without `_total` and `_info`; a unit is the last part of it.
    pub fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Samples<'_> {
        let (suffix, word) = match (kind, self.format) {
            (Kind::Counter, _) => ("_total", "counter"),
            (Kind::Gauge, _) => ("", "gauge"),
            (Kind::Histogram, _) => ("", "histogram"),
            (Kind::Info, Format::OpenMetrics) => ("_info", "info"),
            (Kind::Info, Format::Text) => ("_info", "gauge"),
        };
        // The older format knows no suffixes that are not part of the name.
        let end = if self.format == Format::Text { suffix } else { "" };
        let text = &mut self.text;
        write_all(text, format_args!("# TYPE {name}{end} {word}\n"));
        let unit = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(unit));
        if let Some(unit) = unit.filter(|_| self.format == Format::OpenMetrics) {
            write_all(text, format_args!("# UNIT {name} {unit}\n"));
        }
        write_all(text, format_args!("# HELP {name}{end} "));
        escape(help, text, self.format == Format::OpenMetrics);
        text.push('\n');
        Samples { text, name, suffix }
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// Labels: names, which are ours, and values.
type Labels<'l> = &'l [(&'l str, &'l str)];

impl Samples<'_> {
    /// A number.
    pub fn number(&mut self, labels: Labels<'_>, value: u64) -> &mut Self {
        self.line(self.suffix, labels, None, &value.to_string())
    }

    /// A time in seconds, given in nanoseconds.
    pub fn time(&mut self, labels: Labels<'_>, nanos: u64) -> &mut Self {
        self.line(self.suffix, labels, None, &seconds(nanos))
    }

    /// A distribution.
    pub fn distribution(&mut self, labels: Labels<'_>, value: &Distribution) -> &mut Self {
        let mut count = 0;
        let bounds = BOUNDS.iter().map(|bound| seconds(*bound)).chain(["+Inf".to_owned()]);
        for (bound, own) in bounds.zip(value.buckets) {
            count += own;
            self.line("_bucket", labels, Some(&bound), &count.to_string());
        }
        self.line("_sum", labels, None, &seconds(value.nanos));
        self.line("_count", labels, None, &count.to_string())
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: Labels<'_>,
        bound: Option<&str>,
        value: &str,
    ) -> &mut Self {
        write_all(self.text, format_args!("{}{suffix}", self.name));
        let bound = bound.map(|bound| ("le", bound));
        let mut before = '{';
        for (name, value) in labels.iter().copied().chain(bound) {
            self.text.push(before);
            before = ',';
            write_all(self.text, format_args!("{name}=\""));
            escape(value, self.text, true);
            self.text.push('"');
        }
        let end = if before == ',' { "}" } else { "" };
        write_all(self.text, format_args!("{end} {value}\n"));
        self
    }
}

/// Nanoseconds as seconds, exactly; always with a point, as the bounds of buckets must be floating-point numbers.
fn seconds(nanos: u64) -> String {
    let (whole, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let rest = format!("{rest:09}");
    let rest = rest.trim_end_matches('0');
    format!("{whole}.{}", if rest.is_empty() { "0" } else { rest })
}

fn escape(value: &str, text: &mut String, quotes: bool) {
    for char in value.chars() {
        match char {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            other => text.push(other),
        }
    }
}

fn write_all(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Histogram;

    fn text(format: Format) -> String {
        let mut exposition = Exposition::new(format);
        exposition.family(Kind::Counter, "p_commands", "Commands.").number(&[("kind", "query")], 7);
        exposition.family(Kind::Gauge, "p_kept_bytes", "A \"gauge\".").number(&[], 9);
        exposition.family(Kind::Counter, "p_wait_seconds", "Time.").time(&[], 1_500_000_000);
        exposition.family(Kind::Info, "p_build", "Version.").number(&[("version", "1")], 1);
        exposition.finish()
    }

    #[test]
    fn openmetrics() {
        let want = "\
# TYPE p_commands counter
# HELP p_commands Commands.
p_commands_total{kind=\"query\"} 7
# TYPE p_kept_bytes gauge
# UNIT p_kept_bytes bytes
# HELP p_kept_bytes A \\\"gauge\\\".
p_kept_bytes 9
# TYPE p_wait_seconds counter
# UNIT p_wait_seconds seconds
# HELP p_wait_seconds Time.
p_wait_seconds_total 1.5
# TYPE p_build info
# HELP p_build Version.
p_build_info{version=\"1\"} 1
# EOF
";
        assert_eq!(text(Format::OpenMetrics), want);
    }

    #[test]
    fn the_older_format() {
        let want = "\
# TYPE p_commands_total counter
# HELP p_commands_total Commands.
p_commands_total{kind=\"query\"} 7
# TYPE p_kept_bytes gauge
# HELP p_kept_bytes A \"gauge\".
p_kept_bytes 9
# TYPE p_wait_seconds_total counter
# HELP p_wait_seconds_total Time.
p_wait_seconds_total 1.5
# TYPE p_build_info gauge
# HELP p_build_info Version.
p_build_info{version=\"1\"} 1
";
        assert_eq!(text(Format::Text), want);
    }

    #[test]
    fn a_distribution_is_cumulative() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_micros(50));
        histogram.observe(Duration::from_micros(300));
        histogram.observe(Duration::from_secs(100));
        let mut exposition = Exposition::new(Format::Text);
        let mut samples = exposition.family(Kind::Histogram, "p_seconds", "Times.");
        samples.distribution(&[("backend", "b")], &histogram.read());
        let text = exposition.finish();
        for line in [
            "p_seconds_bucket{backend=\"b\",le=\"0.0001\"} 1",
            "p_seconds_bucket{backend=\"b\",le=\"0.0005\"} 2",
            "p_seconds_bucket{backend=\"b\",le=\"1.0\"} 2",
            "p_seconds_bucket{backend=\"b\",le=\"30.0\"} 2",
            "p_seconds_bucket{backend=\"b\",le=\"+Inf\"} 3",
            "p_seconds_sum{backend=\"b\"} 100.00035",
            "p_seconds_count{backend=\"b\"} 3",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} is missing:\n{text}");
        }
        assert_eq!(text.lines().count(), 2 + 18 + 2);
    }

    #[test]
    fn a_label_stays_a_label() {
        let mut exposition = Exposition::new(Format::OpenMetrics);
        let hostile = "a\"} 1\nevil{x=\"\\";
        exposition.family(Kind::Gauge, "p_it", "It.").number(&[("name", hostile)], 1);
        let text = exposition.finish();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains(r#"p_it{name="a\"} 1\nevil{x=\"\\"} 1"#), "{text}");
    }

    #[test]
    fn who_asks_for_openmetrics_gets_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        for other in ["", "*/*", "text/plain", "text/html,application/xhtml+xml"] {
            assert_eq!(Format::accepted(other), Format::Text, "{other}");
        }
    }
}
