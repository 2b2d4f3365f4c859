//! Where the endpoint listens, and that it is off unless somebody wants it.

use std::fs;
use std::net::{SocketAddr, TcpStream};

use testkit::wait::PATIENCE;
use testkit::{Host, eventually};

use super::*;
use crate::support::*;

fn threads(host: &Host) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", host.pid())).unwrap().flatten();
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
    tasks.filter_map(name).map(|name| name.trim().to_owned()).collect()
}

#[test]
fn it_is_off_by_default() {
    let host = Host::plain(db());
    assert!(!threads(&host).contains(&"pyproxy-http".to_owned()));
    assert!(!host.log().contains("HTTP"), "{}", host.log());
    let site = Site::start(Host::builder().backend(db()));
    assert!(threads(&site.host).contains(&"pyproxy-http".to_owned()));
}

#[test]
fn without_a_host_only_this_machine_reaches_it() {
    let port = free_port();
    let host = Host::builder().backend(db()).option("pyproxy-http-address", format!(":{port}"));
    let host = host.start();
    host.wait_for_log(&format!("HTTP endpoint on 127.0.0.1:{port}"));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    // An address of this machine, too, but not the one that it listens on.
    assert!(TcpStream::connect(("127.0.0.2", port)).is_err());
}

#[test]
fn on_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    let host = Host::builder().backend(db()).option("pyproxy-http-address", path.display());
    let host = host.start();
    assert_eq!(get_from_path(&path, "/health/live").body, "alive\n");
    assert!(get_from_path(&path, "/metrics").body.contains("pyproxy_build_info"));
    host.stop();
    assert!(!path.exists(), "the path stays behind");
}

#[test]
fn nobody_can_connect_before_the_script_is_loaded() {
    let port = free_port();
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-http-address", format!(":{port}"))
        .script(&format!(
            r#"
import socket

with socket.socket() as probe:
    print("refused:", probe.connect_ex(("127.0.0.1", {port})) != 0, flush=True)
"#
        ))
        .start();
    host.wait_for_stdout("refused: True\n");
}

#[test]
fn a_port_in_use_stops_the_start() {
    let taken = server_saying("taken");
    let ended = Host::builder()
        .backend(refusing())
        .option("pyproxy-http-address", taken.address())
        .script("print('script ran', flush=True)")
        .run_to_end();
    assert!(!ended.status.success(), "{}", ended.log);
    assert_eq!(ended.stdout, "", "the script ran");
    assert!(!ended.log.contains("listening"), "{}", ended.log);
    let line = format!("pyproxy-http-address={}: Address already in use", taken.address());
    assert_eq!(ended.log.lines().filter(|own| own.contains(&line)).count(), 1, "{}", ended.log);
}

#[test]
fn a_connection_that_is_open_does_not_hold_up_the_end() {
    let site = Site::start(Host::builder().backend(db()));
    let mut quiet = site.connect();
    assert_eq!(site.get("/health/live").status, 200);
    let ended = site.host.stop();
    assert!(!ended.log.contains("panicked"), "{}", ended.log);
    let mut rest = Vec::new();
    assert_eq!(quiet.read_to_end(&mut rest).unwrap_or_default(), 0);
}

/// Children of a script have no part in it.
#[test]
fn a_child_does_not_keep_the_port() {
    let site = Site::start(Host::builder().backend(db()).script(
        r#"
        import os
        import time

        def connect_server(proxy):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        "#,
    ));
    let before = site.connect();
    assert_in_step(&mut site.host.client());
    let address = site.address;
    drop(site.host.stop());
    drop(before);
    let is_free = || std::net::TcpListener::bind::<SocketAddr>(address).is_ok();
    assert!(eventually(PATIENCE, is_free), "the child has the listening socket");
}

#[test]
fn names_of_others_are_refused() {
    let site = Site::start(Host::builder().backend(db()));
    let foreign = "GET /metrics HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n";
    let answer = site.say(foreign);
    assert_eq!((answer.status, answer.body.as_str()), (403, "this is no name of this machine\n"));
    assert_eq!(site.say("GET /health/live HTTP/1.0\r\n\r\n").status, 200);
}

#[test]
fn other_methods_and_paths() {
    let site = Site::start(Host::builder().backend(db()));
    for path in ["/metrics/", "/Metrics", "//", "/health", "/%6detrics", "/../metrics"] {
        let answer = site.get(path);
        assert_eq!((answer.status, answer.body.as_str()), (404, "there is no such page\n"));
    }
    let post = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let answer = site.say(post);
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: get, head"), "{}", answer.head);
    let head = site.say("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}
