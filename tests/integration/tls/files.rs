//! Files of certificates: those that stop the start, and those that change while the proxy runs.

use std::fs;

use testkit::certificates::Wanted;
use testkit::host::builder::Builder;
use testkit::wait::PATIENCE;
use testkit::{Host, Issued, MariaDb, RawClient, eventually};

use super::support::*;
use crate::support::*;

/// A host that must not start: one line with all these texts.
fn assert_refused(builder: Builder, texts: &[&str]) {
    let ended = builder.run_to_end();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    let has_all = |line: &&str| texts.iter().all(|text| line.contains(text));
    assert_eq!(ended.log.lines().filter(has_all).count(), 1, "{texts:?}:\n{}", ended.log);
    assert!(!ended.log.contains("listening"), "{}", ended.log);
}

/// The path of a file, as it stands in an error.
fn named(option: &str, file: &std::path::Path) -> String {
    format!("{option}={}", file.display())
}

#[test]
fn files_that_cannot_be_used_stop_the_start() {
    let ca = Issued::ca("a ca");
    let (good, other) = (ca.issue("good", None), ca.issue("other", None));
    let expired = Wanted { valid: (0, 1_000_000), ..Wanted::default() }.make();
    let future = Wanted { valid: (3_900_000_000, 4_000_000_000), ..Wanted::default() }.make();
    for [certificate, key] in [FOR_CLIENTS, FOR_SERVERS] {
        let start = || Host::builder().backend(refusing());
        for (issued, text) in [(&expired, "expired on"), (&future, "is not valid before")] {
            let builder = start().certificate([certificate, key], issued);
            assert_refused(builder, &[&named(certificate, &issued.certificate()), text]);
        }
        let builder = start()
            .option(certificate, good.certificate().display())
            .option(key, other.key().display());
        assert_refused(builder, &[&named(key, &other.key()), "does not belong to"]);
        let builder =
            start().option(certificate, good.key().display()).option(key, good.key().display());
        assert_refused(builder, &[&named(certificate, &good.key()), "is not a certificate"]);
        let builder = start()
            .option(certificate, good.certificate().display())
            .option(key, good.certificate().display());
        assert_refused(builder, &[&named(key, &good.certificate()), "is not a private key"]);
        let builder = start().option(certificate, good.certificate().display());
        assert_refused(builder, &[&named(certificate, &good.certificate()), "it needs", key]);
        let missing = good.folder().join("missing");
        let builder = start().option(certificate, missing.display()).option(key, "/proc/self/exe");
        assert_refused(builder, &[&named(certificate, &missing), "No such file"]);
    }
    for option in ["pyproxy-tls-ca", "pyproxy-backend-tls-ca"] {
        let builder = Host::builder().backend(refusing()).option(option, good.key().display());
        assert_refused(builder, &[&named(option, &good.key()), "is not a certificate"]);
    }
    for option in ["pyproxy-tls-ciphers", "pyproxy-tls-ciphersuites"] {
        let builder = Host::builder().backend(refusing()).option(option, "NO-SUCH");
        assert_refused(builder, &[&format!("{option}=NO-SUCH")]);
    }
}

#[test]
fn options_that_do_not_go_together_stop_the_start() {
    let builder = Host::builder().backend(refusing()).option("pyproxy-backend-tls", "required");
    assert_refused(builder, &["pyproxy-backend-tls=required", "pyproxy-tls=mirror"]);
    for (option, value) in [("pyproxy-tls", "mirror"), ("pyproxy-compression", "client")] {
        let builder = Host::builder()
            .backend(refusing())
            .option("pyproxy-event-loop", "chassis")
            .option(option, value);
        assert_refused(builder, &[&format!("{option}={value}"), "pyproxy-event-loop=chassis"]);
    }
}

#[test]
fn the_loop_of_mysql_proxy_has_neither() {
    let host = proxy().option("pyproxy-event-loop", "chassis").start();
    assert_eq!(sides(host.address(), &["--ssl", "--compress"]), Ok(NEITHER));
    assert!(!host.log().contains("TLS"), "{}", host.log());
}

#[test]
fn new_files_are_used_by_new_connections_and_the_old_ones_live() {
    let mine = Issued::ca("first");
    let certificate = mine.issue("proxy", Some("127.0.0.1"));
    let host =
        proxy().certificate(FOR_CLIENTS, &certificate).option("log-level", "message").start();
    let verified_with = |ca: &Issued| {
        pymysql(host.address(), &["--ca", &ca.certificate().display().to_string()]).is_ok()
    };
    assert!(verified_with(&mine));
    let mut client = host.client();
    let mut stays = python_client("pymysql_stays.py");
    stays.arg(host.address().port().to_string()).arg(mine.certificate()).arg(host.file("go"));
    let stays = std::thread::spawn(move || said(stays));

    // One of two files is new: they do not belong together.
    let other = Issued::ca("second");
    let second = other.issue("proxy", Some("127.0.0.1"));
    fs::copy(second.certificate(), certificate.certificate()).unwrap();
    let complained = || {
        let still = verified_with(&mine);
        assert!(still, "the old certificate stays");
        host.log().contains("new files cannot be used, the old ones stay: the key in")
    };
    assert!(eventually(PATIENCE, complained), "{}", host.log());
    assert!(verified_with(&mine));

    certificate.replace_with(&second);
    host.signal(libc::SIGHUP);
    assert!(eventually(PATIENCE, || verified_with(&other)), "{}", host.log());
    assert!(!verified_with(&mine));
    assert_in_step(&mut client);
    fs::write(host.file("go"), "").unwrap();
    assert_eq!(stays.join().unwrap(), Ok("still here".to_owned()));
    assert_eq!(host.log().matches("the old ones stay").count(), 1, "{}", host.log());
}

/// Parks at `park`, and takes what is parked from the first `take` on.
const POOL_OF_WILLING: &str = r#"
takes = False

def connect_server(proxy):
    if takes:
        proxy.connection.backend_ndx = 0
        if proxy.connection.server is not None:
            return proxy.PROXY_IGNORE_RESULT

def read_query(proxy, packet):
    global takes
    if packet[1:] == b"park":
        proxy.connection.backend_ndx = -1
    takes = takes or packet[1:] == b"take"
    if packet[1:] in (b"park", b"take"):
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT
"#;

#[test]
fn an_idle_connection_goes_with_the_ca_that_vouched_for_it() {
    let mine = Issued::ca("servers");
    let server = MariaDb::start_with_tls(&mine.issue("db", Some("127.0.0.1")), &mine);
    // A copy, as the file is replaced.
    let trusted = Issued::ca("copy");
    let trust = |ca: &Issued| fs::copy(ca.certificate(), trusted.certificate()).unwrap();
    trust(&mine);
    let host = Host::builder()
        .backend(server.address())
        .option("pyproxy-tls", "off")
        .option("pyproxy-backend-tls", "verify-ca")
        .ca("pyproxy-backend-tls-ca", &trusted)
        .option("log-level", "message")
        .script(POOL_OF_WILLING)
        .start();
    let (mut parks, mut stays) = (host.client(), host.client());
    parks.query("park").unwrap().ok();
    let refused = || RawClient::login(host.address(), &MariaDb::user()).is_err();
    assert!(!refused());
    trust(&Issued::ca("of somebody else"));
    assert!(eventually(PATIENCE, refused), "{}", host.log());
    stays.query("take").unwrap().ok();
    assert!(refused(), "the idle connection is given to a client");
    // The same files again are new files.
    trust(&mine);
    assert!(eventually(PATIENCE, || !refused()), "{}", host.log());
    parks = host.client();
    parks.query("park").unwrap().ok();
    assert_in_step(&mut host.client());
}
