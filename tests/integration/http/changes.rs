//! `/api/v1`: what is changed, and by whom.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use testkit::client::COM_QUERY;
use testkit::wait::PATIENCE;
use testkit::{Host, eventually};

use super::*;
use crate::support::*;

const TOKEN: &str = "a-token-of-the-test";

/// A site that takes changes. The folder has its token.
pub struct Open {
    pub site: Site,
    _folder: tempfile::TempDir,
}

impl Open {
    pub fn start(builder: Builder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = token_file(&folder, TOKEN, 0o600);
        let site = Site::start(builder.option("pyproxy-http-token-file", path));
        Self { site, _folder: folder }
    }

    pub fn post_with(&self, path: &str, token: &str, body: &str) -> (u16, Value) {
        let answer = self.site.say(&format!(
            "POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{token}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    pub fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.post_with(path, &format!("Authorization: Bearer {TOKEN}\r\n"), body)
    }
}

fn token_file(folder: &tempfile::TempDir, token: &str, mode: u32) -> String {
    let path = folder.path().join("token");
    std::fs::write(&path, token).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.display().to_string()
}

#[test]
fn a_connection_is_ended() {
    let open = Open::start(Host::builder().backend(db()).option("pyproxy-event-loop", "own"));
    let mut idle = open.site.host.client();
    let mut busy = open.site.host.client();
    let mut holder = direct();
    holder.query("SELECT GET_LOCK('http-kill', 30)").unwrap();
    busy.send_command(COM_QUERY, b"SELECT GET_LOCK('http-kill', 30)").unwrap();
    let mut other = open.site.host.client();
    assert_eq!(open.post("connections/1/kill", ""), (200, json!({"killed": 1})));
    idle.expect_closed();
    assert_eq!(open.post("connections/2/kill", ""), (200, json!({"killed": 2})));
    busy.expect_closed();
    open.site.host.wait_for_log("connection 2: is ended, as 127.0.0.1:");
    let gone = eventually(PATIENCE, || open.post("connections/2/kill", "").0 == 404);
    assert!(gone, "{}", open.site.host.log());
    assert_in_step(&mut other);
    assert_eq!(open.site.host.criticals(), Vec::<String>::new());
}

#[test]
fn the_log_tells_more_or_less() {
    let open = Open::start(Host::builder().backend(db()));
    let level = || {
        let status: Value = serde_json::from_str(&open.site.get("/api/v1/status").body).unwrap();
        status["log_level"].clone()
    };
    let before = level();
    assert_eq!(open.post("log", r#"{"level": "warning"}"#).0, 200);
    assert_eq!(level(), "warning");
    open.site.host.wait_for_log("log-level was");
    drop(open.site.host.client());
    let answer = open.post("log", r#"{"level": "debug"}"#);
    assert_eq!(answer, (200, json!({"level": "debug", "before": "warning"})));
    drop(open.site.host.client());
    open.site.host.wait_for_log("connection 2: a client from");
    assert!(!open.site.host.log().contains("connection 1: a client from"));
    for wrong in ["", "{}", r#"{"level": "DEBUG"}"#, r#"{"level": 7}"#] {
        assert_eq!(open.post("log", wrong).0, 400, "{wrong}");
    }
    assert_eq!(level(), "debug");
    assert_ne!(before, "warning");
}

/// Its hook ends first.
#[test]
fn a_connection_whose_hook_waits_is_ended() {
    let open =
        Open::start(Host::builder().backend(db()).option("pyproxy-event-loop", "own").script(
            r#"
        import asyncio

        async def read_query(proxy, packet):
            print("waits", flush=True)
            try:
                await asyncio.sleep(600)
            finally:
                print("cancelled", flush=True)
        "#,
        ));
    let mut client = open.site.host.client();
    client.send_command(COM_QUERY, b"SELECT 1").unwrap();
    open.site.host.wait_for_stdout("waits\n");
    assert_eq!(open.post("connections/1/kill", "").0, 200);
    client.expect_closed();
    open.site.host.wait_for_stdout("cancelled\n");
}

/// It has not said who it is: no server and no script knows it.
#[test]
fn a_connection_that_says_nothing_is_ended() {
    let open = Open::start(
        Host::builder()
            .backend(db())
            .option("pyproxy-event-loop", "own")
            .option("pyproxy-proxy-protocol-from", "127.0.0.0/8")
            .script("def disconnect_client(proxy): print('told', flush=True)"),
    );
    let mut silent = open.site.host.connect();
    let is_there = || open.site.sample("pyproxy_connections") == 1.0;
    assert!(eventually(PATIENCE, is_there), "{}", open.site.host.log());
    assert_eq!(open.post("connections/1/kill", "").0, 200);
    silent.expect_closed();
    assert_eq!(open.site.host.stdout(), "");
}

#[test]
fn the_chassis_cannot_end_a_connection() {
    let builder = Host::builder().backend(db()).option("pyproxy-event-loop", "chassis");
    let open = Open::start(builder);
    let mut client = open.site.host.client();
    let refused = (501, json!({"error": "this needs pyproxy-event-loop=own"}));
    assert_eq!(open.post("connections/1/kill", ""), refused);
    assert_in_step(&mut client);
}

#[test]
fn a_backend_is_marked() {
    let open = Open::start(Host::builder().backend(db()));
    let state = |state: &str| {
        let name =
            format!("pyproxy_backend_state{{backend=\"{}\",kind=\"rw\",state=\"{state}\"}}", db());
        open.site.sample(&name) == 1.0
    };
    for wanted in ["down", "up", "drain", "maint", "unknown"] {
        let (status, answer) =
            open.post("backends/0/state", &json!({ "state": wanted }).to_string());
        assert_eq!((status, &answer["state"]), (200, &json!(wanted)));
        assert!(state(wanted));
        let line = format!("marked {}, as 127.0.0.1:", wanted.to_uppercase());
        open.site.host.wait_for_log(&line);
    }
    assert_eq!(open.post("backends/1/state", "{\"state\": \"up\"}").0, 404);
    for wrong in ["", "{", "{\"state\": 1}", "{\"state\": \"UP\"}", "[]", "\"up\""] {
        assert_eq!(open.post("backends/0/state", wrong).0, 400, "{wrong}");
    }
    assert!(state("unknown"));
}

#[test]
fn the_script_is_loaded_again() {
    for event_loop in ["own", "chassis"] {
        let builder = Host::builder().backend(db()).option("pyproxy-event-loop", event_loop);
        let open = Open::start(builder.script("print('version 1', flush=True)"));
        let path = open.site.host.file("hooks.py");
        std::fs::write(&path, "print('version 2', flush=True)").unwrap();
        assert_eq!(open.post("script/reload", ""), (200, json!({"version": 2})));
        open.site.host.wait_for_stdout("version 2\n");
        std::fs::write(&path, "no python").unwrap();
        let (status, answer) = open.post("script/reload", "");
        assert_eq!(status, 409, "{answer}");
        assert_eq!(open.site.sample("pyproxy_script_reloads_total{result=\"failed\"}"), 1.0);
        assert_in_step(&mut open.site.host.client());
    }
    let open = Open::start(Host::builder().backend(db()));
    assert_eq!(open.post("script/reload", "").0, 404);
}

/// Scrapes go on while a reload waits.
#[test]
fn a_reload_holds_up_nobody() {
    let open = Open::start(Host::builder().backend(db()).script("pass"));
    let script = r#"
import os
import time

print("loading", flush=True)
while not os.path.exists(os.path.dirname(__file__) + "/go"):
    time.sleep(0.01)
"#;
    std::fs::write(open.site.host.file("hooks.py"), script).unwrap();
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| open.post("script/reload", ""));
        open.site.host.wait_for_stdout("loading\n");
        for _ in 0..5 {
            assert_eq!(open.site.get("/metrics").status, 200);
        }
        std::fs::write(open.site.host.file("go"), "").unwrap();
        assert_eq!(reload.join().unwrap().0, 200);
    });
}

#[test]
fn nothing_is_changed_without_the_token() {
    let open = Open::start(Host::builder().backend(db()));
    let mut client = open.site.host.client();
    for token in [
        "",
        "Authorization: Bearer a-token-of-the-tesX\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Basic a-token-of-the-test\r\n",
        "Cookie: token=a-token-of-the-test\r\n",
    ] {
        let (status, answer) = open.post_with("connections/1/kill", token, "");
        assert_eq!((status, &answer["error"]), (401, &json!("the token is missing or wrong")));
    }
    assert_eq!(open.site.get("/api/v1/connections/1/kill").status, 405);
    assert_in_step(&mut client);
    assert!(!open.site.host.log().contains(TOKEN));
    // With the token, but without use.
    assert_eq!(open.post("status", "").0, 405);
    assert_eq!(open.post("connections/1/kill", &"x".repeat(2000)).0, 400);
    assert_in_step(&mut client);
}

#[test]
fn without_a_token_file_nothing_can_be_changed() {
    let site = Site::start(Host::builder().backend(db()));
    let mut client = site.host.client();
    let answer = site.say(
        "POST /api/v1/connections/1/kill HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer \r\nContent-Length: 0\r\n\r\n",
    );
    let error = "{\"error\":\"changes need pyproxy-http-token-file\"}\n";
    assert_eq!((answer.status, answer.body.as_str()), (403, error));
    assert_in_step(&mut client);
}

#[test]
fn a_token_file_that_cannot_be_used_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (token, mode, reason) in [
        (TOKEN, 0o644, "others may read or write this file: chmod 600"),
        ("short", 0o600, "expected a token of 16 or more visible ASCII characters"),
    ] {
        let path = token_file(&folder, token, mode);
        let ended = Host::builder()
            .backend(refusing())
            .option("pyproxy-http-address", format!(":{}", free_port()))
            .option("pyproxy-http-token-file", &path)
            .run_to_end();
        let line = format!("pyproxy-http-token-file={path}: {reason}");
        assert!(!ended.status.success() && ended.log.contains(&line), "{}", ended.log);
        assert!(!ended.log.contains(TOKEN), "{}", ended.log);
    }
    let path = token_file(&folder, TOKEN, 0o600);
    let ended =
        Host::builder().backend(refusing()).option("pyproxy-http-token-file", &path).run_to_end();
    let line = format!("pyproxy-http-token-file={path}: this needs pyproxy-http-address");
    assert!(!ended.status.success() && ended.log.contains(&line), "{}", ended.log);
}
