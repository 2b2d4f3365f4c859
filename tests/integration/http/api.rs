//! `/api/v1`: what is read.

use testkit::client::COM_QUERY;
use testkit::mariadb::{DATABASE, USER};
use testkit::wait::PATIENCE;
use testkit::{Greeting, Host, Login, MariaDb, RawServer, eventually};

use super::*;
use crate::support::*;

impl Site {
    fn connections(&self) -> Vec<Value> {
        self.json("connections")["connections"].as_array().unwrap().clone()
    }
}

#[test]
fn the_whole_in_a_few_numbers() {
    for event_loop in ["own", "chassis"] {
        let site = Site::start(
            Host::builder()
                .backend(db())
                .option("pyproxy-event-loop", event_loop)
                .script("def read_query(proxy, packet): pass"),
        );
        let mut client = site.host.client();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "1");
        assert_eq!(client.query("SELEKT").unwrap().err().code, 1064);
        let status = site.json("status");
        assert_eq!(status["event_loop"], event_loop);
        assert_eq!(status["connections"]["open"], 1);
        assert_eq!(status["commands"], serde_json::json!({"query": 2}));
        assert_eq!(status["errors"], serde_json::json!({"server": {"1064": 1}}));
        assert_eq!(status["script"]["version"], 1);
        assert_eq!(status["bytes"].is_null(), event_loop == "chassis");
        let backend = &site.json("backends")["backends"][0];
        assert_eq!(backend["address"], db().to_string());
        assert_eq!((&backend["state"], &backend["kind"]), (&"up".into(), &"rw".into()));
        assert_eq!((&backend["clients"], &backend["connections"]), (&1.into(), &1.into()));
        assert_eq!(backend["commands"]["count"], 2);
        assert_eq!(backend["connects"]["count"], 1);
        let hooks = site.json("hooks");
        let read_query = hooks["hooks"].as_array().unwrap().iter();
        let calls =
            read_query.filter(|hook| hook["hook"] == "read_query").map(|hook| &hook["calls"]);
        assert_eq!(calls.collect::<Vec<_>>(), [2]);
    }
}

#[test]
fn who_is_connected_and_does_what() {
    for event_loop in ["own", "chassis"] {
        let site =
            Site::start(Host::builder().backend(db()).option("pyproxy-event-loop", event_loop));
        let login = MariaDb::user().database(DATABASE);
        let mut idle = site.host.login(&login);
        let mut open = site.host.login(&login);
        let mut busy = site.host.login(&login);
        open.query("BEGIN").unwrap();
        let query = "SELECT GET_LOCK('http-api', 30), 'what it does'";
        let mut holder = direct();
        holder.query("SELECT GET_LOCK('http-api', 30)").unwrap();
        busy.send_command(COM_QUERY, query.as_bytes()).unwrap();
        let states = || -> Vec<String> {
            let seen = site.connections();
            seen.iter().map(|seen| seen["state"].as_str().unwrap().to_owned()).collect()
        };
        let want = ["idle", "idle in transaction", "command"];
        assert!(eventually(PATIENCE, || states() == want), "{:?}", site.connections());
        let seen = site.connections();
        assert_eq!(seen[0]["client"], idle.local_address().to_string());
        assert_eq!(seen[2]["command"]["query"], query);
        assert_eq!(seen[2]["command"]["command"], "query");
        assert!(seen[2]["command"]["seconds"].as_f64().unwrap() >= 0.0);
        for seen in &seen {
            assert_eq!(seen["user"], USER);
            assert_eq!(seen["database"], DATABASE);
            assert_eq!(seen["backend"], db().to_string());
        }
        holder.query("SELECT RELEASE_LOCK('http-api')").unwrap();
        busy.read_answer(1).unwrap();
        assert!(eventually(PATIENCE, || states()[2] == "idle"), "{:?}", site.connections());
        assert!(site.connections()[2]["command"].is_null());
        assert_in_step(&mut idle);
        open.quit();
        assert!(eventually(PATIENCE, || site.connections().len() == 2));
    }
}

#[test]
fn a_list_is_read_in_parts() {
    let site = Site::start(Host::builder().backend(db()));
    let clients: Vec<_> = (0..5).map(|_| site.host.client()).collect();
    let ids = |query: &str| -> Vec<u64> {
        let list = site.json(&format!("connections{query}"));
        let list = list["connections"].as_array().unwrap().clone();
        list.iter().map(|seen| seen["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids(""), [1, 2, 3, 4, 5]);
    assert_eq!(ids("?limit=2"), [1, 2]);
    assert_eq!(site.json("connections?limit=2")["next_after"], 2);
    assert_eq!(ids("?after=2&limit=2"), [3, 4]);
    assert!(site.json("connections?after=4")["next_after"].is_null());
    for wrong in ["?limit=-1", "?after=x", "?limit", "?evil=1", "?limit=1&&after=%00"] {
        let answer = site.get(&format!("/api/v1/connections{wrong}"));
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(!answer.body.contains("evil"), "{}", answer.body);
    }
    assert_eq!(site.get("/api/v1/nothing").body, "{\"error\":\"there is no such path\"}\n");
    drop(clients);
}

#[test]
fn queries_may_be_hidden() {
    let site =
        Site::start(Host::builder().backend(db()).option("pyproxy-http-hide-queries", "true"));
    let mut holder = direct();
    holder.query("SELECT GET_LOCK('http-hidden', 30)").unwrap();
    let mut client = site.host.client();
    client.send_command(COM_QUERY, b"SELECT GET_LOCK('http-hidden', 30), 'secret'").unwrap();
    let is_busy = || site.connections()[0]["state"] == "command";
    assert!(eventually(PATIENCE, is_busy));
    let text = site.get("/api/v1/connections").body;
    assert!(!text.contains("secret") && text.contains("\"query\":null"), "{text}");
    holder.query("SELECT RELEASE_LOCK('http-hidden')").unwrap();
    client.read_answer(1).unwrap();
}

#[test]
fn long_queries_are_cut() {
    let site = Site::start(Host::builder().backend(db()));
    let mut holder = direct();
    holder.query("SELECT GET_LOCK('http-long', 30)").unwrap();
    let mut client = site.host.client();
    let query = format!("SELECT GET_LOCK('http-long', 30), '{}'", "y".repeat(100_000));
    client.send_command(COM_QUERY, query.as_bytes()).unwrap();
    assert!(eventually(PATIENCE, || site.connections()[0]["state"] == "command"));
    let seen = &site.connections()[0]["command"];
    assert_eq!(seen["query"], query[..1024]);
    assert_eq!(seen["query_is_cut"], true);
    holder.query("SELECT RELEASE_LOCK('http-long')").unwrap();
    client.read_answer(1).unwrap();
}

/// Names and queries are chosen by clients.
#[test]
fn hostile_texts_stay_texts() {
    const EVIL: &str =
        "</script><img src=x onerror=alert(1)>\"},{\"id\":99}\r\n\r\nHTTP/1.1 200 OK\u{202e}\\";
    let gate = std::sync::Arc::new(testkit::wait::Gate::default());
    let waits = gate.clone();
    let server = RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        let packet = conn.read()?;
        waits.wait();
        conn.ok(packet.id.wrapping_add(1))?;
        conn.read_to_close()
    });
    let site = Site::start(Host::builder().backend(server.address()));
    let login = Login::new(EVIL, "x").database(EVIL);
    let mut client = site.host.login(&login);
    client.send_command(COM_QUERY, EVIL.as_bytes()).unwrap();
    assert!(eventually(PATIENCE, || site.connections()[0]["state"] == "command"));
    let seen = &site.connections()[0];
    for text in [&seen["user"], &seen["database"], &seen["command"]["query"]] {
        assert_eq!(text, EVIL);
    }
    let body = site.get("/api/v1/connections").body;
    assert_eq!(body.lines().count(), 1, "{body}");
    assert!(!site.get("/metrics").body.contains("onerror"));
    gate.open();
    client.read_answer(1).unwrap();
    // Bytes that are no text do no harm, either.
    client.send_command(COM_QUERY, b"\xff\xfe\x00\xc3(").unwrap();
    _ = site.connections();
}
