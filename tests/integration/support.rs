//! What several test modules need: direct connections, scripts, comparisons.

use std::io;
use std::net::SocketAddr;

use testkit::client::COM_QUERY;
use testkit::client::answer::Answer;
use testkit::client::handshake::Handshake;
use testkit::proto::ok_err::ErrPacket;
use testkit::wait::PATIENCE;
use testkit::{
    Greeting, Host, Login, MariaDb, Packet, RawClient, RawServer, ServerConn, eventually,
};

/// The error number of every ERR that the plugin makes for a script.
pub const ER_UNKNOWN_ERROR: u16 = 1105;

/// A scripted client that is connected to the shared MariaDB without any proxy.
pub fn direct() -> RawClient {
    RawClient::login(MariaDb::shared().address(), &MariaDb::user()).expect("a direct login")
}

/// The shared server's address.
pub fn db() -> SocketAddr {
    MariaDb::shared().address()
}

/// An address that refuses connections.
pub fn refusing() -> SocketAddr {
    ([127, 0, 0, 1], testkit::ports::free_port()).into()
}

/// Asserts that this is the ERR a client gets when the script's `hook` failed.
pub fn assert_script_error(error: &ErrPacket, hook: &str) {
    assert_eq!(error.code, ER_UNKNOWN_ERROR, "{error:?}");
    assert_eq!(error.sqlstate.as_deref(), Some("HY000"), "{error:?}");
    assert_eq!(error.message, format!("pyproxy: {hook} failed, see the proxy log"));
}

/// Asserts that a query is answered by the failure of `read_query` and that the connection goes on.
pub fn assert_query_fails(client: &mut RawClient, sql: &str, hook: &str) {
    let answer = client.query(sql).expect("an answer");
    assert_script_error(answer.err(), hook);
    assert_eq!(answer.packets[0].id, 1);
}

/// Asserts that the connection is in step: a further query gets its own answer.
pub fn assert_in_step(client: &mut RawClient) {
    let answer = client.query("SELECT 'in', 'step'").expect("an answer");
    assert_eq!(answer.text(), [["in", "step"]]);
    let ids: Vec<u8> = answer.packets.iter().map(|packet| packet.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
}

/// Asserts that `sql` is answered through the host with the very bytes it is answered with
/// directly.
pub fn assert_same_as_direct(client: &mut RawClient, sql: &str) -> Answer {
    let through = client.query(sql).expect("an answer");
    let straight = direct().query(sql).expect("a direct answer");
    assert_eq!(through.payloads(), straight.payloads(), "{sql}");
    through
}

/// Bytes as Python source: `bytes.fromhex("..")`.
pub fn python_bytes(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("bytes.fromhex(\"{hex}\")")
}

/// Python source of the payload of a usable handshake.
pub fn python_greeting() -> String {
    python_bytes(&Greeting::default().payload())
}

/// A scripted server that accepts every login and answers every command with one row, `value`.
pub fn server_saying(value: &'static str) -> RawServer {
    RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        conn.serve(|_command| testkit::proto::resultset::one_cell("v", value))
    })
}

/// A host in front of a scripted server whose connections do this after the login.
pub fn host_before(
    behaviour: impl Fn(&mut ServerConn) -> io::Result<()> + Send + Sync + 'static,
) -> (Host, RawServer) {
    let server = RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        behaviour(conn)
    });
    (Host::plain(server.address()), server)
}

/// Connects, reads the handshake and sends a login; the answer is not read.
pub fn send_login(host: &Host, login: &Login) -> (RawClient, Handshake) {
    let mut client = host.connect();
    let handshake = client.read_handshake().expect("a handshake");
    client.send_packet(1, &login.payload(&handshake)).expect("the login is sent");
    (client, handshake)
}

/// Asserts that the next packet is an ERR with this id and that the connection then closes.
pub fn assert_err_and_close(client: &mut RawClient, id: u8) -> ErrPacket {
    let packet = client.read_packet().expect("an ERR packet arrives");
    assert!(packet.is_err() && packet.id == id, "ERR with id {id} expected, got {packet:?}");
    client.expect_closed();
    testkit::proto::ok_err::parse_err(&packet.payload).expect("a well-formed ERR")
}

/// Asserts id and payload of the next packet.
pub fn expect_packet(client: &mut RawClient, id: u8, payload: &[u8]) {
    let packet = client.read_packet().expect("a packet arrives");
    assert_eq!(packet, Packet { id, payload: payload.to_vec() });
}

/// The number of the server's session that a client has.
pub fn session_id(client: &mut RawClient) -> String {
    client.query("SELECT CONNECTION_ID()").unwrap().value()
}

/// What the server says that a session does; `None` if it is gone.
pub fn state_of(session: &str) -> Option<String> {
    let sql = format!("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {session}");
    MariaDb::shared().query(&sql).text().first().map(|row| row[0].clone())
}

/// A lock of the server that somebody else has until the value is dropped.
pub fn lock(name: &str) -> RawClient {
    let mut owner = direct();
    assert_eq!(owner.query(&format!("SELECT GET_LOCK('{name}', 0)")).unwrap().value(), "1");
    owner
}

/// Asks for the lock, and returns when the server waits for it.
pub fn wait_for_lock(client: &mut RawClient, name: &str) {
    let session = session_id(client);
    client.send_command(COM_QUERY, format!("SELECT GET_LOCK('{name}', 1000)").as_bytes()).unwrap();
    assert!(eventually(PATIENCE, || state_of(&session).as_deref() == Some("User lock")));
}
