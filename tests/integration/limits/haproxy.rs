//! A real HAProxy sends the PROXY headers.

use testkit::haproxy::Haproxy;
use testkit::{Host, MariaDb, RawClient, RawServer, ServerConn, eventually, wait::PATIENCE};

use super::*;
use crate::support::*;

/// What a server of HAProxy may have: a header of each version, and one with TLVs.
const HEADERS: [&str; 3] =
    ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"];

/// Each has its own health checks.
const SERVERS: u32 = 10;

/// A HAProxy that knows `host` as several servers.
fn in_front_of(host: &Host, header: &str, options: &str) -> Haproxy {
    let address = host.address();
    let section = format!(
        "  timeout check 30s\n  unique-id-format %ci:%cp\n{options}  \
         server-template proxy {SERVERS} {address} {header} check inter 200ms\n"
    );
    Haproxy::start(1, &section)
}

/// Waits until each server was checked, which has to end so.
fn wait_for_checks(haproxy: &Haproxy, status: &str) {
    for number in 1..=SERVERS {
        let server = || haproxy.server(&format!("proxy{number}"));
        // An asterisk stands for a check that is under way.
        let is_checked = || server()["check_status"].trim_start_matches("* ") == status;
        assert!(eventually(PATIENCE, is_checked), "{:?}", server());
        assert_eq!(server()["chkfail"], "0");
    }
}

#[test]
fn clients_of_haproxy_have_their_address() {
    for header in HEADERS {
        let host = Host::builder()
            .backend(db())
            .script(TELLING)
            .option("pyproxy-proxy-protocol-from", "127.0.0.1/32")
            .start();
        let haproxy = in_front_of(&host, header, "");
        for _ in 0..3 {
            let mut client = RawClient::login(haproxy.address(), &MariaDb::user()).unwrap();
            let row = client.query("SELECT 'client'").unwrap().text().remove(0);
            let ends = [client.local_address().to_string(), haproxy.address().to_string()];
            assert_eq!(row, ends, "{header}");
            assert_in_step(&mut client);
        }
        wait_for_checks(&haproxy, "L4OK");
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}

#[test]
fn checks_of_an_open_port_cost_no_backend_and_no_line() {
    for header in HEADERS {
        let server = RawServer::start(ServerConn::read_to_close);
        let host = Host::builder()
            .backend(server.address())
            .option("pyproxy-proxy-protocol-from", "127.0.0.1/32")
            .start();
        let (fds, log) = (host.idle_fds(), host.log());
        let haproxy = in_front_of(&host, header, "");
        wait_for_checks(&haproxy, "L4OK");
        drop(haproxy);
        host.wait_for_fds(fds);
        assert_eq!(host.log(), log, "{header}");
        assert!(server.seen().is_empty(), "{header}");
    }
}

/// It reads the greeting, which is a server's.
#[test]
fn checks_of_the_protocol_see_a_server() {
    for header in HEADERS {
        let host = Host::builder()
            .backend(db())
            .option("pyproxy-proxy-protocol-from", "127.0.0.1/32")
            .start();
        let haproxy = in_front_of(&host, header, "  option mysql-check\n");
        wait_for_checks(&haproxy, "L7OK");
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}
