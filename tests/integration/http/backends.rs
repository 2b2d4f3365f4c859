//! Backends at run time: states that somebody wants, over HTTP and from scripts.

use serde_json::json;
use testkit::client::COM_QUERY;
use testkit::wait::PATIENCE;
use testkit::{Host, RawClient, Relay, eventually};

use super::changes::Open;
use super::*;
use crate::support::*;

const ER_SERVER_SHUTDOWN: u16 = 1053;

/// Two backends, with nobody there. The second one is a way to the same server.
fn two(event_loop: &str) -> (Open, Relay) {
    let relay = Relay::start(db());
    let builder = Host::builder().backend(db()).backend(relay.address());
    (Open::start(builder.option("pyproxy-event-loop", event_loop)), relay)
}

impl Open {
    fn mark(&self, ndx: usize, state: &str) {
        let body = json!({ "state": state }).to_string();
        assert_eq!(self.post(&format!("backends/{ndx}/state"), &body).0, 200);
    }

    fn backend(&self, ndx: usize) -> Value {
        self.site.json("backends")["backends"][ndx].clone()
    }

    fn state(&self, ndx: usize) -> Value {
        self.backend(ndx)["state"].clone()
    }

    /// New clients come to no other backend than the second one.
    fn assert_all_go_to_second(&self) {
        for _ in 0..3 {
            let mut client = self.site.host.client();
            assert_in_step(&mut client);
            assert_eq!(self.backend(0)["clients"], 0);
            client.quit();
        }
    }
}

fn assert_sent_away(client: &mut RawClient) {
    let error = assert_err_and_close(client, 0);
    assert_eq!(error.code, ER_SERVER_SHUTDOWN);
    assert_eq!(error.sqlstate.as_deref(), Some("08S01"));
}

#[test]
fn a_drained_backend_is_left_by_who_is_idle_and_by_the_others_when_they_are_done() {
    let (open, _relay) = two("own");
    let clients: [RawClient; 4] = std::array::from_fn(|_| open.site.host.client());
    let [mut idle, mut elsewhere, mut busy, mut also_elsewhere] = clients;
    assert_eq!(open.backend(0)["clients"], 2);
    busy.query("BEGIN").unwrap();
    open.mark(0, "drain");
    assert_sent_away(&mut idle);
    // A command of a transaction runs, however long.
    let mut holder = direct();
    holder.query("SELECT GET_LOCK('drain', 30)").unwrap();
    busy.send_command(COM_QUERY, b"SELECT GET_LOCK('drain', 30)").unwrap();
    open.mark(0, "drain");
    holder.query("SELECT RELEASE_LOCK('drain')").unwrap();
    assert_eq!(busy.read_answer(1).unwrap().value(), "1");
    assert_in_step(&mut busy);
    assert_eq!(open.backend(0)["clients"], 1);
    busy.query("COMMIT").unwrap();
    assert_sent_away(&mut busy);
    open.assert_all_go_to_second();
    for client in [&mut elsewhere, &mut also_elsewhere] {
        assert_in_step(client);
    }
    open.mark(0, "up");
    let mut back = open.site.host.client();
    assert_in_step(&mut back);
    assert_eq!(open.backend(0)["clients"], 1);
    assert_eq!(open.site.host.criticals(), Vec::<String>::new());
}

#[test]
fn a_command_that_runs_while_its_backend_is_drained_is_answered() {
    let (open, _relay) = two("own");
    let mut busy = open.site.host.client();
    let mut holder = direct();
    holder.query("SELECT GET_LOCK('drain-2', 30)").unwrap();
    busy.send_command(COM_QUERY, b"SELECT GET_LOCK('drain-2', 30)").unwrap();
    open.mark(0, "drain");
    holder.query("SELECT RELEASE_LOCK('drain-2')").unwrap();
    assert_eq!(busy.read_answer(1).unwrap().value(), "1");
    assert_sent_away(&mut busy);
}

#[test]
fn nobody_uses_a_backend_in_maintenance() {
    let (open, _relay) = two("own");
    let clients: [RawClient; 5] = std::array::from_fn(|_| open.site.host.client());
    let [mut idle, _second, mut in_transaction, _fourth, mut busy] = clients;
    in_transaction.query("BEGIN").unwrap();
    let mut holder = direct();
    holder.query("SELECT GET_LOCK('maint', 30)").unwrap();
    busy.send_command(COM_QUERY, b"SELECT GET_LOCK('maint', 30)").unwrap();
    assert!(eventually(PATIENCE, || {
        let all = open.site.json("connections");
        all["connections"][4]["state"] == "command"
    }));
    open.mark(0, "maint");
    assert_sent_away(&mut idle);
    assert_sent_away(&mut in_transaction);
    // It is the answer to its command.
    assert_eq!(assert_err_and_close(&mut busy, 1).code, ER_SERVER_SHUTDOWN);
    assert!(eventually(PATIENCE, || open.backend(0)["connections"] == 0));
    open.assert_all_go_to_second();
}

#[test]
fn who_waits_for_a_place_at_a_backend_that_is_drained_goes_elsewhere() {
    let relay = Relay::start(db());
    let builder = Host::builder().backend(db()).backend(relay.address());
    let open = Open::start(
        builder
            .option("pyproxy-event-loop", "own")
            .option("pyproxy-backend-max-connections", 1)
            .option("pyproxy-connect-timeout", PATIENCE.as_secs())
            .option("pyproxy-login-timeout", PATIENCE.as_secs()),
    );
    let host = &open.site.host;
    let (mut first, second) = (host.client(), host.client());
    std::thread::scope(|scope| {
        let third = scope.spawn(|| assert_in_step(&mut host.client()));
        host.wait_for_log(&format!("{} is full, waits for a place", db()));
        open.mark(0, "drain");
        assert_sent_away(&mut first);
        host.wait_for_log(&format!("{} is full, waits for a place", relay.address()));
        second.quit();
        third.join().unwrap();
    });
    assert_eq!(relay.passed().len(), 2);
    assert_eq!(host.criticals(), Vec::<String>::new());
}

/// A backend that went DOWN at the same time is tried again meanwhile.
#[test]
fn nobody_but_who_wants_it_ends_a_state_that_somebody_wants() {
    let (open, _relay) = two("own");
    let host = &open.site.host;
    for state in ["drain", "maint"] {
        open.mark(0, state);
        open.mark(1, "down");
        let refused = host.connect().read_handshake().unwrap_err();
        assert!(refused.to_string().contains("all backends are down"), "{refused}");
        let is_tried_again = || RawClient::login(host.address(), &testkit::MariaDb::user()).is_ok();
        assert!(eventually(PATIENCE, is_tried_again), "{}", host.log());
        assert_eq!((open.state(0), open.state(1)), (json!(state), json!("up")));
        let name =
            format!("pyproxy_backend_state{{backend=\"{}\",kind=\"rw\",state=\"{state}\"}}", db());
        assert_eq!(open.site.sample(&name), 1.0);
    }
}

#[test]
fn all_states_can_be_wanted() {
    let (open, _relay) = two("own");
    for state in ["drain", "maint", "unknown", "maint", "drain", "up", "down"] {
        open.mark(0, state);
        assert_eq!(open.state(0), state);
        let line = format!("backend {}: marked {}, as 127.0.0.1:", db(), state.to_uppercase());
        open.site.host.wait_for_log(&line);
    }
}

/// The chassis watches no client that says nothing.
#[test]
fn with_the_chassis_who_is_there_stays() {
    let (open, _relay) = two("chassis");
    let mut first = open.site.host.client();
    for state in ["drain", "maint"] {
        open.mark(0, state);
        assert_in_step(&mut first);
        assert_eq!(open.backend(0)["clients"], 1);
        let mut next = open.site.host.client();
        assert_in_step(&mut next);
        assert_eq!(open.backend(1)["clients"], 1);
        next.quit();
    }
    first.quit();
    assert!(eventually(PATIENCE, || open.backend(0)["connections"] == 0));
    open.assert_all_go_to_second();
}

#[test]
fn a_backend_is_added_and_removed() {
    for event_loop in ["own", "chassis"] {
        let builder = Host::builder().backend(db()).option("pyproxy-event-loop", event_loop);
        let open = Open::start(builder);
        let (relay, mut first) = (Relay::start(db()), open.site.host.client());
        let name = relay.address().to_string();
        let add = json!({ "address": name }).to_string();
        assert_eq!(open.post("backends/add", &add), (200, json!({"backend": name, "index": 1})));
        open.site.host.wait_for_log(&format!("backend {name}: added, as 127.0.0.1:"));
        assert_eq!(open.post("backends/add", &add).0, 409);
        let mut second = open.site.host.client();
        assert_eq!((open.state(1), open.backend(1)["clients"].clone()), (json!("up"), json!(1)));
        second.query("BEGIN").unwrap();
        let removed = (200, json!({"backend": name, "index": 1}));
        assert_eq!(open.post("backends/1/remove", ""), removed);
        open.site.host.wait_for_log(&format!("backend {name}: removed, as 127.0.0.1:"));
        for path in ["backends/1/remove", "backends/2/remove", "backends/1/state"] {
            assert_eq!(open.post(path, "{\"state\": \"up\"}").0, 404, "{path}");
        }
        // It is told of as long as somebody is there.
        assert_in_step(&mut second);
        assert_eq!(open.state(1), json!("removed"));
        let mut third = open.site.host.client();
        assert_in_step(&mut third);
        assert_eq!(open.backend(0)["clients"], 2);
        second.query("COMMIT").unwrap();
        if event_loop == "own" {
            assert_sent_away(&mut second);
        } else {
            second.quit();
        }
        assert!(eventually(PATIENCE, || open.backend(1).is_null()));
        assert!(!open.site.get("/metrics").body.contains(&name));
        let back = json!({ "address": name, "kind": "ro" }).to_string();
        assert_eq!(open.post("backends/add", &back), removed, "with its index");
        assert_eq!(
            (open.state(1), open.backend(1)["kind"].clone()),
            (json!("unknown"), json!("ro"))
        );
        assert_in_step(&mut first);
        assert_eq!(open.site.host.criticals(), Vec::<String>::new());
    }
}

#[test]
fn what_is_no_backend_is_not_added() {
    let open = Open::start(Host::builder().backend(db()));
    for wrong in [
        "",
        "[]",
        "{}",
        "{\"address\": 3306}",
        "{\"address\": \"127.0.0.1:1\", \"kind\": \"\"}",
        "{\"address\": \"127.0.0.1:1\", \"kind\": null}",
        "{\"address\": \"127.0.0.1:99999\"}",
        "{\"address\": \"no.such.host.invalid:3306\"}",
        "{\"address\": \"\\n2026-01-01 00:00:00: (message) x\"}",
    ] {
        assert_eq!(open.post("backends/add", wrong).0, 400, "{wrong}");
    }
    let known = json!({ "address": db().to_string() }).to_string();
    assert_eq!(open.post("backends/add", &known).0, 409);
    assert_eq!(open.backend(1), Value::Null);
    assert_eq!(open.post_with("backends/add", "", &known).0, 401);
    assert!(!open.site.host.log().contains("\n2026-01-01"));
    assert_eq!(open.site.host.criticals(), Vec::<String>::new());
}

const PARKS: &str = r#"
def read_auth_result(proxy, auth):
    if auth.packet[:1] == b"\0":
        proxy.connection.backend_ndx = -1

def read_query(proxy, packet):
    word, _, state = packet[1:].decode().partition(" ")
    first = proxy.globals.backends[0]
    if word == "MARK":
        first.state = getattr(proxy, "BACKEND_STATE_" + state)
    elif word == "TAKE":
        proxy.connection.backend_ndx = 0
    if word in ("MARK", "TAKE", "LOOK"):
        found = (first.state, first.takes_clients, len(first.pool.users[""]),
                 proxy.connection.idle_connections(0), proxy.connection.backend_ndx)
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": {
            "fields": [("found", proxy.MYSQL_TYPE_STRING)], "rows": [[repr(found)]]}}
        return proxy.PROXY_SEND_RESULT
"#;

#[test]
fn idle_connections_are_closed_and_none_is_given_away() {
    for event_loop in ["own", "chassis"] {
        let builder = Host::builder().backend(db()).option("pyproxy-event-loop", event_loop);
        let open = Open::start(builder.script(PARKS));
        let mut client = open.site.host.client();
        let mut ask = |what: &str| client.query(what).unwrap().value();
        assert_eq!(ask("LOOK"), "(0, True, 1, 1, -1)".replace('0', "1"), "{event_loop}");
        for (state, number) in [("DRAIN", 3), ("MAINT", 4)] {
            assert_eq!(ask(&format!("MARK {state}")), format!("({number}, False, 0, 0, -1)"));
            assert_eq!(ask("TAKE"), format!("({number}, False, 0, 0, -1)"));
            assert_eq!(open.backend(0)["connections"], 0);
            let name = state.to_lowercase();
            assert_eq!(open.state(0), json!(name));
            open.site.host.wait_for_log(&format!("marked {state}, by the script"));
        }
        assert_eq!(open.backend(0)["pool"]["closed"]["backend"], 1);
        assert_eq!(ask("MARK UP"), "(1, True, 0, 0, -1)");
        assert_eq!(open.site.host.criticals(), Vec::<String>::new());
    }
}
