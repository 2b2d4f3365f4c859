//! The type stubs in `python/pyproxy` say what the live objects have, no more and no less; see `stubs.py`.

use std::fmt::Write;
use std::fs;
use std::time::Instant;

use super::*;
use crate::plugin::options::{Options, Values};
use engine::{Address, Link, Query, Server};
use wire::Capabilities;
use wire::reply::StatusFlags;
use wire::result::{ColumnDefinition, ColumnType, ResultSetEncoder};

/// One object of each class, and the comparison.
const HOOKS: &str = "\n\
    kept = []\n\
    def read_auth_result(proxy, auth): kept.append(auth)\n\
    def read_query_result(proxy, inj):\n\
    \x20   c, result = proxy.connection, inj.resultset\n\
    \x20   pool = c.backend.pool\n\
    \x20   instances = kept + [proxy, c, c.client, c.client.src, c.client.tls, c.backend, pool, pool.users, pool.users['']]\n\
    \x20   instances += [proxy.command, proxy.queries, proxy.response]\n\
    \x20   instances += [pyproxy.Ok(), pyproxy.Error(''), pyproxy.Rows(['a'], []), pyproxy.Raw(b''), pyproxy.Send('a')]\n\
    \x20   instances += [proxy.globals, proxy.globals.config, proxy.globals.backends]\n\
    \x20   stats = proxy.globals.query_stats\n\
    \x20   instances += [stats, stats.top()[0]]\n\
    \x20   instances += [inj, result, result.fields[0], result.flags, result.rows, iter(result.rows)]\n\
    \x20   instances += [c.client_session, c.server.session, result.session_changes]\n\
    \x20   check(FILES, instances, OPTIONS)\n";

/// A server that nobody talks to.
#[derive(Debug)]
struct Silent;

impl Link for Silent {
    fn is_quiet(&self) -> bool {
        true
    }

    fn addresses(&self) -> (Address, Address) {
        (Address::default(), Address::default())
    }
}

/// A kept result set without rows.
fn select(columns: &[ColumnDefinition<'_>]) -> Injection {
    let query = Query::new(4, b"\x03SELECT 1".to_vec(), true, Instant::now()).expect("not empty");
    let mut injection = Injection::new(query, Capabilities::empty());
    injection.changes = Some(Box::default());
    let kept = Arc::make_mut(&mut injection.packets);
    ResultSetEncoder::begin(columns, Capabilities::empty(), StatusFlags::AUTOCOMMIT, |payload| {
        kept.push(payload)
    })
    .finish(StatusFlags::AUTOCOMMIT, 0);
    injection
}

#[test]
fn stubs_and_objects_are_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/pyproxy");
    assert!(folder.join("py.typed").exists());
    let mut script = include_str!("stubs.py").to_owned();
    script.push_str("\nFILES = {}\n");
    for name in ["__init__.pyi", "_answers.pyi", "_constants.pyi", "chassis.pyi"] {
        let path = folder.join(name);
        assert!(fs::metadata(&path).is_ok(), "{}", path.display());
        writeln!(script, "FILES[{name:?}] = open({path:?}, encoding='utf-8').read()")
            .expect("text");
    }
    let options = Options::check(&Values::default()).expect("the defaults are right").for_scripts();
    let options: Vec<_> = options.iter().map(|(name, _)| name).collect();
    writeln!(script, "OPTIONS = set({options:?})").expect("text");
    script.push_str(HOOKS);

    let mut connection = Connection::new(&script);
    connection.change(|session| {
        session.choice = Some(0);
        session.server = Some(Server::new(Box::new(Silent), 0, Instant::now()));
        session.command = Some(3);
        let (version, cipher) = ("TLSv1.3".into(), "TLS_AES_128_GCM_SHA256".into());
        let tls = engine::TlsInfo { version, cipher, peer_subject: None };
        session.client.tls = Some(Arc::new(tls));
    });
    connection.call(Hook::ReadAuthResult);
    let column = ColumnDefinition::named(b"a", ColumnType::LONG);
    let outcome = connection.result(select(&[column]));
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}
