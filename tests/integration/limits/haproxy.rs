//! A real HAProxy sends the PROXY headers.

use testkit::haproxy::Haproxy;
use testkit::{Host, MariaDb, RawClient, RawServer, ServerConn, eventually, wait::PATIENCE};

use super::*;
use crate::support::*;

/// What a server of HAProxy may have: a header of each version, and one with TLVs.
const HEADERS: [&str; 3] =
    ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"];

/// Health checks, one soon after the other.
const CHECKS: &str = "check inter 20ms rise 1 fall 10";

fn in_front_of(host: &Host, header: &str, options: &str) -> Haproxy {
    let address = host.address();
    Haproxy::start(
        1,
        &format!(
            "  timeout check 30s\n  unique-id-format %ci:%cp\n{options}  server proxy {address} {header} {CHECKS}"
        ),
    )
}

/// Waits until several of its checks were well, and none was not.
fn wait_for_health(haproxy: &Haproxy, status: &str) {
    let server = || haproxy.server("proxy");
    // It begins at `rise`, and the most is `rise` + `fall` - 1.
    assert!(eventually(PATIENCE, || server()["check_health"] == "10"), "{:?}", server());
    assert_eq!(server()["check_status"], status);
    assert_eq!(server()["chkfail"], "0");
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
        wait_for_health(&haproxy, "L4OK");
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
        wait_for_health(&haproxy, "L4OK");
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
        wait_for_health(&haproxy, "L7OK");
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}
