//! The page, as far as no browser is needed: `tests/library/test_http_page.py` opens it in one.

use serde_json::Value;
use testkit::wait::PATIENCE;
use testkit::{Host, eventually};

use super::*;
use crate::support::*;

#[test]
fn all_its_parts_come_from_here() {
    let site = Site::start(Host::builder().backend(db()));
    let page = site.get("/");
    assert!(page.head.contains("content-type: text/html; charset=utf-8"), "{}", page.head);
    assert!(page.head.contains("content-security-policy: default-src 'none';"), "{}", page.head);
    assert!(page.head.contains("x-content-type-options: nosniff"), "{}", page.head);
    let links = page.body.split('"').skip(1).step_by(2);
    let parts: Vec<_> = links.filter(|link| link.contains('.') && !link.contains(' ')).collect();
    assert!(parts.len() >= 5, "{parts:?}");
    for part in parts {
        let answer = site.get(&format!("/{part}"));
        assert_eq!(answer.status, 200, "{part}");
        assert!(!answer.body.is_empty());
    }
    for kind in ["http://", "https://", "//cdn", "<script>", "style="] {
        assert!(!page.body.contains(kind), "{kind}");
    }
    assert!(site.get("/uplot-license.txt").body.contains("Leon Sorokin"));
    let post =
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(site.say(post).status, 405);
}

#[test]
fn the_last_minutes() {
    let site = Site::start(Host::builder().backend(db()));
    let mut client = site.host.client();
    for _ in 0..20 {
        assert_in_step(&mut client);
    }
    let history = |query: &str| -> Value {
        let answer = site.get(&format!("/api/v1/history{query}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let last = || history("")["samples"].as_array().unwrap().last().unwrap().clone();
    let status: Value = serde_json::from_str(&site.get("/api/v1/status").body).unwrap();
    let commands = status["commands"]["query"].as_u64().unwrap();
    assert!(eventually(PATIENCE, || last()["commands"] == commands), "{}", last());
    let sample = last();
    let times = sample["command_times"].as_array().unwrap();
    assert_eq!(times.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), commands);
    assert_eq!(times.len(), history("")["bounds"].as_array().unwrap().len() + 1);
    let after = format!("?after={}", sample["time"]);
    let later = || history(&after)["samples"].as_array().unwrap().clone();
    assert!(eventually(PATIENCE, || !later().is_empty()));
    assert!(later().iter().all(|later| later["time"].as_f64() > sample["time"].as_f64()));
    assert_eq!(site.get("/api/v1/history?after=x").status, 400);
}
