//! Active checks: backends are known to be UP or DOWN before a client comes.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use testkit::host::builder::Builder;
use testkit::host::counters::{STATE_DOWN, STATE_UP};
use testkit::wait::PATIENCE;
use testkit::{Greeting, Host, MariaDb, RawServer, eventually};

use crate::support::*;

/// What the log has of each backend that is not checked in vain.
const DOWN: &str = "the check failed";
const UP: &str = "the check succeeded, marked UP";

/// A password in a file that is only ours, with its folder.
struct Secret {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Secret {
    fn new(password: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, format!("{password}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self { path, _folder: folder }
    }
}

fn every(seconds: &str) -> Builder {
    Host::builder().option("pyproxy-check-interval", seconds).with_counters()
}

fn often() -> Builder {
    every("0.1")
}

/// Checks log in as the test's user.
fn with_login(secret: &Secret) -> Builder {
    logging_in(often(), secret)
}

fn logging_in(builder: Builder, secret: &Secret) -> Builder {
    builder
        .option("pyproxy-check-user", MariaDb::user().user())
        .option("pyproxy-check-password-file", secret.path.display())
}

/// How often the log has this.
fn count(host: &Host, text: &str) -> usize {
    host.log().lines().filter(|line| line.contains(text)).count()
}

fn wait_for(host: &Host, text: &str, times: usize) {
    assert!(eventually(PATIENCE, || count(host, text) == times), "{}", host.log());
}

#[test]
fn a_server_goes_and_comes_back_without_a_client() {
    for event_loop in ["own", "chassis"] {
        let mut server = MariaDb::start();
        server.stop();
        let builder = often().option("pyproxy-event-loop", event_loop);
        let host = builder.backend(server.address()).start();
        let reason = format!("{}: {DOWN} (Connection refused", server.address());
        wait_for(&host, &reason, 1);
        server.start_again();
        wait_for(&host, UP, 1);
        assert_eq!(host.counters()[0].state, STATE_UP);
        server.kill();
        wait_for(&host, DOWN, 2);
        assert_eq!(host.counters()[0].state, STATE_DOWN);
        server.start_again();
        wait_for(&host, UP, 2);
        assert_in_step(&mut host.client());
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}

#[test]
fn who_cannot_be_written_to_is_no_read_write_backend() {
    let (server, secret) = (MariaDb::start(), Secret::new(MariaDb::user().password_text()));
    let relay = testkit::Relay::start(server.address());
    let builder = with_login(&secret).backend(server.address()).readonly(relay.address());
    let host = builder.start();
    wait_for(&host, UP, 2);
    server.query("SET GLOBAL read_only = 1").ok();
    let reason = format!("{}: {DOWN} (it is read-only), marked DOWN", server.address());
    wait_for(&host, &reason, 1);
    let states: Vec<_> = host.counters().iter().map(|backend| backend.state).collect();
    assert_eq!(states, [STATE_DOWN, STATE_UP]);
    let error = assert_err_and_close(&mut host.connect(), 0);
    assert!(error.message.contains("all backends are down"), "{error:?}");
    server.query("SET GLOBAL read_only = 0").ok();
    wait_for(&host, UP, 3);
    assert_in_step(&mut host.client());
    assert_eq!(host.criticals(), Vec::<String>::new());
}

/// A server that lets everybody in, and says so of itself.
fn read_only_server(value: &'static str) -> RawServer {
    RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        conn.serve(|_| testkit::proto::resultset::one_cell("@@read_only", value))
    })
}

/// Clients would find it: it can be connected to.
#[test]
fn only_a_check_ends_what_a_check_has_found() {
    let (server, secret) = (read_only_server("ON"), Secret::new("x"));
    let host = logging_in(every("0.4"), &secret).backend(server.address()).start();
    wait_for(&host, DOWN, 1);
    // They become fewer: without checks clients would try it before the last of these.
    let goes_on = || {
        let error = assert_err_and_close(&mut host.connect(), 0);
        assert!(error.message.contains("all backends are down"), "{error:?}");
        server.seen().len() >= 6
    };
    assert!(eventually(PATIENCE, goes_on));
    assert_eq!((count(&host, DOWN), count(&host, "marked UP")), (1, 0));
    for seen in server.seen().iter().filter(|seen| seen.ended) {
        assert_eq!(seen.commands(), [&b"\x03SELECT @@read_only"[..], b"\x01"]);
    }
}

#[test]
fn who_is_not_let_in_knows_that_the_server_is_there() {
    let (server, secret) = (MariaDb::start(), Secret::new("wrong"));
    server.query("SET GLOBAL read_only = 1").ok();
    let host = with_login(&secret).backend(server.address()).start();
    host.wait_for_log("the check sees no more than that it is there: error 1045: ");
    wait_for(&host, UP, 1);
    assert_in_step(&mut host.client());
    assert_eq!(count(&host, "sees no more"), 1);
    assert!(!host.log().contains("wrong"), "{}", host.log());
}

#[test]
fn a_server_that_greets_and_lets_nobody_in_is_down() {
    let secret = Secret::new("x");
    let server = RawServer::start(|conn| {
        conn.write(0, &Greeting::default().payload())?;
        conn.read_to_close()
    });
    let builder = with_login(&secret).option("pyproxy-connect-timeout", "0.3");
    let host = builder.backend(server.address()).start();
    wait_for(&host, &format!("{DOWN} (it does not answer in time)"), 1);
}

#[test]
fn what_is_no_server_is_down() {
    for (greeting, reason) in [
        (&b"\x05\0\0\0hello"[..], "its greeting makes no sense: "),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "its packet is too long"),
        (b"", "it closed the connection"),
    ] {
        let server = RawServer::start(move |conn| conn.write_bytes(greeting));
        let host = often().backend(server.address()).start();
        host.wait_for_log(&format!("{DOWN} ({reason}"));
    }
}

#[test]
fn nobody_checks_a_backend_in_maintenance() {
    let [first, second] = [(); 2].map(|()| read_only_server("0"));
    let secret = Secret::new("x");
    let builder = with_login(&secret).backend(first.address()).backend(second.address());
    let host = builder
        .script(
            r#"
            def read_query(proxy, packet):
                if b"MAINT" in packet:
                    proxy.globals.backends[0].state = proxy.BACKEND_STATE_MAINT
            "#,
        )
        .start();
    wait_for(&host, UP, 2);
    let first_had = || first.seen().len();
    _ = host.client().query("MAINT");
    host.wait_for_log("marked MAINT");
    // One may be under way.
    let had = first_had() + 1;
    let enough = second.seen().len() + 20;
    assert!(eventually(PATIENCE, || second.seen().len() >= enough));
    assert!(first_had() <= had, "{} and {had}", first_had());
    assert_eq!((count(&host, UP), count(&host, DOWN)), (2, 0));
}

#[test]
fn checks_use_tls_where_servers_have_it() {
    let server = &MariaDb::shared_with_tls().0;
    let secret = Secret::new("secret of the check");
    for sql in [
        "CREATE USER IF NOT EXISTS checker IDENTIFIED BY 'secret of the check'",
        "ALTER USER checker REQUIRE SSL",
    ] {
        server.query(sql).ok();
    }
    let builder = |tls: &str, backend_tls: Option<&str>| {
        let builder = often()
            .option("pyproxy-check-user", "checker")
            .option("pyproxy-check-password-file", secret.path.display())
            .option("pyproxy-tls", tls);
        match backend_tls {
            Some(mode) => builder.option("pyproxy-backend-tls", mode),
            None => builder,
        }
    };
    for (tls, backend_tls) in [("mirror", None), ("optional", Some("required"))] {
        let host = builder(tls, backend_tls).backend(server.address()).start();
        wait_for(&host, UP, 1);
        assert_eq!(count(&host, "sees no more"), 0, "{}", host.log());
    }
    let host = builder("optional", Some("off")).backend(server.address()).start();
    host.wait_for_log("sees no more than that it is there: error 1045: ");
    let plain = server_saying("0");
    let host = builder("optional", Some("required")).backend(plain.address()).start();
    host.wait_for_log("sees no more than that it is there: the server does not offer TLS");
}

#[test]
fn half_a_check_stops_the_start() {
    let secret = Secret::new("x");
    let file = secret.path.display().to_string();
    let open = Secret::new("x");
    std::fs::set_permissions(&open.path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = open.path.display().to_string();
    let interval = ("pyproxy-check-interval", "1");
    let user = ("pyproxy-check-user", "u");
    for (options, line) in [
        (vec![user], "pyproxy-check-user=u: this needs pyproxy-check-interval".to_owned()),
        (
            vec![interval, ("pyproxy-check-password-file", &file)],
            format!("pyproxy-check-password-file={file}: this needs pyproxy-check-user"),
        ),
        (
            vec![interval, user, ("pyproxy-check-password-file", &open)],
            format!(
                "pyproxy-check-password-file={open}: others may read or write this file: chmod 600"
            ),
        ),
        (
            vec![("pyproxy-check-interval", "-1")],
            "pyproxy-check-interval=-1: expected a number of seconds, or 0".to_owned(),
        ),
    ] {
        let mut builder = Host::builder().backend(refusing());
        for (option, value) in options {
            builder = builder.option(option, value);
        }
        let ended = builder.run_to_end();
        assert!(!ended.status.success() && ended.log.contains(&line), "{line}\n{}", ended.log);
    }
}
