//! User names in single quotes. Servers strip one pair of them from a login, and none from a COM_CHANGE_USER.

use std::sync::Once;

use testkit::client::RawClient;
use testkit::{Host, Login, MariaDb};

use crate::pooling::support::{POOL, Pooling};
use crate::support::*;

const PASSWORD: &str = "quoted";

/// Answers `who` with what the script takes the user for.
const WHO: &str = r#"
def read_query(proxy, packet):
    if packet[1:] == b"who":
        proxy.response = {
            "type": proxy.MYSQLD_PACKET_OK,
            "resultset": {
                "fields": [("client", 0xfd), ("server", 0xfd)],
                "rows": [(proxy.connection.client.username, proxy.connection.server.username)],
            },
        }
        return proxy.PROXY_SEND_RESULT
"#;

fn make_accounts() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        for name in ["quoted_u", "''quoted_q''"] {
            let sql = format!("CREATE USER '{name}'@'%' IDENTIFIED BY '{PASSWORD}'");
            MariaDb::shared().query(&sql).ok();
        }
    });
}

fn one_row(client: &mut RawClient, sql: &str) -> Vec<String> {
    client.query(sql).unwrap().text().remove(0)
}

/// The name as a client sends it, and as the server takes it.
const NAMES: [(&str, &str); 3] =
    [("quoted_u", "quoted_u"), ("'quoted_u'", "quoted_u"), ("''quoted_q''", "'quoted_q'")];

#[test]
fn scripts_see_the_name_that_the_server_takes() {
    make_accounts();
    let host = Host::with_script(WHO);
    for (sent, taken) in NAMES {
        let mut client = host.login(&Login::new(sent, PASSWORD));
        assert_eq!(one_row(&mut client, "SELECT CURRENT_USER()"), [format!("{taken}@%")]);
        assert_eq!(one_row(&mut client, "who"), [taken, taken], "{sent}");
    }
}

#[test]
fn the_login_passes_as_it_is_and_other_quotes_are_part_of_the_name() {
    make_accounts();
    let host = Host::with_script(WHO);
    for refused in ["'quoted_u", "quoted_u'", "\"quoted_u\"", "`quoted_u`", "''quoted_u''"] {
        let login = Login::new(refused, PASSWORD);
        // Of an unknown user the server asks for a proof by any method, before it refuses.
        let first_byte = |address| {
            let mut client = RawClient::connect(address).unwrap();
            let handshake = client.read_handshake().unwrap();
            client.send_packet(1, &login.payload(&handshake)).unwrap();
            client.read_packet().unwrap().kind()
        };
        let through = first_byte(host.address());
        assert!(matches!(through, Some(0xfe | 0xff)), "{refused}: {through:?}");
        assert_eq!(through, first_byte(db()), "{refused}");
    }
}

/// The proxy logs a pooled connection in with COM_CHANGE_USER, which knows no quotes.
#[test]
fn a_pooled_connection_is_logged_in_with_the_name_that_the_server_takes() {
    make_accounts();
    let script = format!("{POOL}\n_before = read_query\n{WHO}    return _before(proxy, packet)\n");
    let pooling = Pooling::start(Host::builder().backend(db()), &script);
    let mut ids = Vec::new();
    for (sent, taken) in NAMES.into_iter().chain(NAMES) {
        let mut client = pooling.host.login(&Login::new(sent, PASSWORD));
        ids.extend(one_row(&mut client, "SELECT CONNECTION_ID()"));
        assert_eq!(one_row(&mut client, "SELECT CURRENT_USER()"), [format!("{taken}@%")]);
        assert_eq!(one_row(&mut client, "who"), [taken, taken], "{sent}");
        client.quit();
        pooling.wait_for(&[(0, &format!("{taken}:1"))]);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one server connection serves all: {ids:?}");
}
