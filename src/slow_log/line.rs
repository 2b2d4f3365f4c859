//! A line of the slow log.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::SlowQuery;
use serde_json::{Value, json};

/// What is known of a slow query, without anything of its connection.
#[derive(Debug, Default)]
pub struct Record {
    ended_at: Duration,
    time: Duration,
    connection: u64,
    user: Option<Vec<u8>>,
    client: String,
    database: Vec<u8>,
    backend: Option<String>,
    command: String,
    rows: u64,
    bytes: u64,
    error: Option<u16>,
    is_aborted: bool,
    digest: Option<u64>,
    /// The beginning of the text, and how long all of it is.
    text: Option<(Vec<u8>, usize)>,
}

impl Record {
    /// Of a query that ends now.
    pub fn of(query: &SlowQuery<'_>, backend: Option<String>, shows_queries: bool) -> Self {
        let text = (query.text.start.clone(), query.text.len);
        Self {
            ended_at: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            time: query.time,
            connection: query.connection,
            user: query.user.map(<[u8]>::to_vec),
            client: query.client.to_owned(),
            database: query.database.to_vec(),
            backend,
            command: query.command.word(),
            rows: query.rows,
            bytes: query.bytes,
            error: query.error,
            is_aborted: query.is_aborted,
            digest: query.digest,
            text: Some(text).filter(|(_, len)| shows_queries && *len > 0),
        }
    }

    /// The line, with its end. Bytes that are no UTF-8 become U+FFFD; whatever could end a line is escaped.
    pub fn line(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let value: Value = json!({
            "time": micros(self.ended_at),
            "seconds": micros(self.time),
            "connection": self.connection,
            "user": self.user.as_deref().map(text),
            "client": self.client,
            "database": text(&self.database),
            "backend": self.backend,
            "command": self.command,
            "rows": self.rows,
            "bytes": self.bytes,
            "error": self.error,
            "aborted": self.is_aborted,
            "fingerprint": self.digest.map(|digest| format!("{digest:016x}")),
            "query": self.text.as_ref().map(|(start, _)| text(start)),
            "query_is_cut": self.text.as_ref().map(|(start, len)| start.len() < *len),
        });
        format!("{value}\n")
    }
}

/// In seconds, to the microsecond.
fn micros(time: Duration) -> f64 {
    let whole = Duration::new(time.as_secs(), time.subsec_micros() * 1000);
    whole.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_make_one_line() {
        let hostile = b"a\"\\\n\r\0\x1b[2J\xff\xe2\x80\xa8\x85</script>".to_vec();
        let record = Record {
            user: Some(hostile.clone()),
            client: "a\nb".to_owned(),
            database: hostile.clone(),
            text: Some((hostile.clone(), 5000)),
            time: Duration::from_nanos(1_234_567_891),
            digest: Some(7),
            ..Record::default()
        };
        let line = record.line();
        assert!(line.ends_with("}\n") && line.matches('\n').count() == 1, "{line}");
        assert!(!line.trim_end().contains(char::is_control), "{line}");
        let value: Value = serde_json::from_str(&line).expect("JSON");
        let shown = String::from_utf8_lossy(&hostile);
        for name in ["user", "database", "query"] {
            assert_eq!(value[name], json!(shown), "{name}");
        }
        assert_eq!((&value["client"], &value["seconds"]), (&json!("a\nb"), &json!(1.234_567)));
        assert_eq!(value["fingerprint"], json!("0000000000000007"));
        assert_eq!((&value["query_is_cut"], &value["error"]), (&json!(true), &Value::Null));
    }
}
