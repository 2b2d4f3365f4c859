//! `/health/live` and `/health/ready`.

use testkit::wait::PATIENCE;
use testkit::{Host, eventually};

use super::*;
use crate::support::*;

#[test]
fn ready_before_the_first_client() {
    let site = Site::start(Host::builder().backend(db()));
    assert_eq!(site.sample(&state(db(), "up")), 0.0);
    let answer = site.get("/health/ready");
    let want = "ready: yes\nlistening: yes\nscript: none\nread-write backend up: yes\n";
    assert_eq!((answer.status, answer.body.as_str()), (200, want));
    assert_eq!(site.sample(&state(db(), "up")), 1.0);
    // What is known is not asked again.
    let connects = || site.host.log().matches("is reachable, marked UP").count();
    for _ in 0..5 {
        assert_eq!(site.get("/health/ready").status, 200);
    }
    assert_eq!(connects(), 1);
    assert_in_step(&mut site.host.client());
}

#[test]
fn alive_but_not_ready() {
    // A read-only backend does not make it ready.
    let backend = refusing();
    let site = Site::start(Host::builder().backend(backend).readonly(db()));
    let answer = site.get("/health/ready");
    let want = "ready: no\nlistening: yes\nscript: none\nread-write backend up: no\n";
    assert_eq!((answer.status, answer.body.as_str()), (503, want));
    assert_eq!(site.sample(&state(backend, "down")), 1.0);
    assert_eq!(site.get("/health/live").status, 200);
}

#[test]
fn a_server_that_says_nothing_is_not_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = silent.local_addr().unwrap();
    let site =
        Site::start(Host::builder().backend(backend).option("pyproxy-connect-timeout", "0.3"));
    assert_eq!(site.get("/health/ready").status, 503);
    assert_eq!(site.sample(&state(backend, "down")), 1.0);
}

#[test]
fn a_backend_that_comes_back_makes_it_ready() {
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let site =
        Site::start(Host::builder().backend(address).script("def read_query(proxy, packet): pass"));
    assert_eq!(site.get("/health/ready").status, 503);
    let server = std::net::TcpListener::bind(address).unwrap();
    let greeter = std::thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        client.write_all(&[1, 0, 0, 0, 10]).unwrap();
        // Until the proxy has read it, and left.
        _ = client.read(&mut [0]);
    });
    // A backend that is DOWN is left alone for a while.
    let ready = eventually(PATIENCE, || site.get("/health/ready").status == 200);
    assert!(ready, "{}", site.host.log());
    assert!(site.get("/health/ready").body.contains("script: loaded\n"));
    greeter.join().unwrap();
}

/// Load balancers are told while commands under way go on.
#[test]
fn not_ready_while_it_stops() {
    let site = Site::start(
        Host::builder()
            .backend(db())
            .option("pyproxy-drain-timeout", 20)
            .option("pyproxy-event-loop", "own"),
    );
    assert_eq!(site.get("/health/ready").status, 200);
    let mut holder = direct();
    assert_eq!(holder.query("SELECT GET_LOCK('http-drain', 30)").unwrap().value(), "1");
    let mut client = site.host.client();
    let waits = b"SELECT GET_LOCK('http-drain', 30)";
    client.send_command(testkit::client::COM_QUERY, waits).unwrap();
    let asks = || site.sample("pyproxy_commands_total{command=\"query\"}") == 1.0;
    assert!(eventually(PATIENCE, asks), "{}", site.get("/metrics").body);
    site.host.signal(libc::SIGTERM);
    let stopping = eventually(PATIENCE, || {
        let answer = site.get("/health/ready");
        answer.status == 503 && answer.body.contains("listening: no\n")
    });
    assert!(stopping, "{}", site.host.log());
    assert_eq!(site.get("/health/live").status, 200);
    holder.query("SELECT RELEASE_LOCK('http-drain')").unwrap();
    assert_eq!(client.read_answer(1).unwrap().value(), "1");
    site.host.wait_for_end();
}

fn state(backend: SocketAddr, state: &str) -> String {
    format!("pyproxy_backend_state{{backend=\"{backend}\",kind=\"rw\",state=\"{state}\"}}")
}
