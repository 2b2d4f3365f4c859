//! What is compared with what, and under which load.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::peers::{POINT_SELECT, Reply, serve};
use crate::report::Unit;
use crate::script::Script;
use crate::variant::{Proxy, Variant};

/// Rows of the large result.
const MANY_ROWS: usize = 100_000;
/// Bytes in each of its rows.
const ROW_WIDTH: usize = 64;
/// Rows of the result that a script keeps and reads.
const KEPT_ROWS: usize = 200_000;
/// Bytes in each of its cells.
const KEPT_WIDTH: usize = 8;
/// What statistics have to read: 240 bytes, longer than most that applications send.
const JOIN: &str = "SELECT u.name, COUNT(*) AS n, MAX(o.created_at) FROM shop.users u LEFT JOIN shop.orders o \
                    ON o.user_id = u.id WHERE u.state IN ('new', 'paid') AND o.total > 1e2 GROUP BY u.id \
                    HAVING n > 3 ORDER BY n DESC LIMIT 20";
/// As most that applications send: one of sysbench.
const RANGE: &str = "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 49932 AND 50031 ORDER BY c";
/// Clients of a load, each with one query at a time.
const CROWD: u32 = 16;

/// Pairs with the same two names.
pub struct Table {
    /// The names of the first and the second of each pair.
    pub titles: [&'static str; 2],
    /// Its lines.
    pub pairs: Vec<Pair>,
}

/// Two variants under the same load.
pub struct Pair {
    /// What they do.
    pub name: &'static str,
    /// What is measured.
    pub first: Variant,
    /// What it is measured by.
    pub second: Variant,
    /// What both carry.
    pub load: Load,
    /// Unit of the figures.
    pub unit: Unit,
}

/// What is sent through a proxy in one round.
#[derive(Clone)]
pub struct Load {
    /// Every answer.
    pub reply: Arc<Reply>,
    /// Who sends it.
    pub backend: SocketAddr,
    /// Queries of all clients together.
    pub queries: u32,
    /// How many share them.
    pub clients: u32,
    /// What they ask.
    pub statement: &'static str,
}

impl Load {
    fn new(reply: Reply, queries: u32) -> Self {
        let reply = Arc::new(reply);
        let backend = serve(Arc::clone(&reply));
        Self { backend, reply, queries, clients: 1, statement: POINT_SELECT }
    }

    /// Point selects of one client.
    pub fn point(queries: u32) -> Self {
        Self::new(Reply::rows(1, 1), queries)
    }

    /// The same, with statements of usual length.
    pub fn ranges(&self) -> Self {
        Self { statement: RANGE, ..self.clone() }
    }

    /// The same, with long statements.
    pub fn joins(&self) -> Self {
        Self { statement: JOIN, ..self.clone() }
    }

    fn crowd(&self) -> Self {
        Self { clients: CROWD, ..self.clone() }
    }
}

/// All tables; a point select is sent `queries` times.
pub fn tables(queries: u32) -> Vec<Table> {
    let point = Load::point(queries);
    let many = Load::new(Reply::rows(MANY_ROWS, ROW_WIDTH), 5);
    let kept = Load::new(Reply::table(3, KEPT_ROWS, KEPT_WIDTH), 2);
    vec![
        Table { titles: ["pyproxy", "Lua"], pairs: against_lua(&point, &many, &kept) },
        Table { titles: ["pyproxy", "HAProxy"], pairs: against_haproxy(&point, &many) },
        Table { titles: ["async hook", "sync hook"], pairs: async_hooks(&point) },
        Table { titles: ["TLS", "plain"], pairs: tls(&point, &many) },
        Table { titles: ["counted", "not"], pairs: query_stats(&point) },
    ]
}

fn against_lua(point: &Load, many: &Load, kept: &Load) -> Vec<Pair> {
    use Unit::{Microseconds, Milliseconds};
    let pair = |name, script, threads, load: &Load, unit| Pair {
        name,
        first: Proxy::Pyproxy.plain().script(script).threads(threads),
        second: Proxy::Lua.plain().script(script).threads(threads),
        load: load.clone(),
        unit,
    };
    let crowd = &point.crowd();
    vec![
        pair("no script", Script::None, 1, point, Microseconds),
        pair("no script, 4 threads", Script::None, 4, point, Microseconds),
        pair("no script, 16 clients", Script::None, 1, crowd, Microseconds),
        pair("no script, 4 threads, 16 clients", Script::None, 4, crowd, Microseconds),
        pair("empty read_query", Script::EmptyReadQuery, 1, point, Microseconds),
        pair("empty read_query, 4 threads", Script::EmptyReadQuery, 4, point, Microseconds),
        pair("empty read_query, 16 clients", Script::EmptyReadQuery, 1, crowd, Microseconds),
        pair("empty read_query, 4 thr., 16 cl.", Script::EmptyReadQuery, 4, crowd, Microseconds),
        pair("100000 rows, no script", Script::None, 1, many, Milliseconds),
        pair("200000 x 3 rows, kept", Script::KeepRows, 1, kept, Milliseconds),
        pair("200000 x 3 rows, read", Script::IterateRows, 1, kept, Milliseconds),
    ]
}

fn against_haproxy(point: &Load, many: &Load) -> Vec<Pair> {
    let pair = |name, load, unit| Pair {
        name,
        first: Proxy::Pyproxy.plain(),
        second: Proxy::Haproxy.plain(),
        load,
        unit,
    };
    vec![
        pair("no script, HAProxy", point.clone(), Unit::Microseconds),
        pair("no script, HAProxy, 16 clients", point.crowd(), Unit::Microseconds),
        pair("100000 rows, HAProxy", many.clone(), Unit::Milliseconds),
    ]
}

fn async_hooks(point: &Load) -> Vec<Pair> {
    let pair = |name, load| Pair {
        name,
        first: Proxy::Pyproxy.plain().script(Script::AsyncReadQuery),
        second: Proxy::Pyproxy.plain().script(Script::EmptyReadQuery),
        load,
        unit: Unit::Microseconds,
    };
    vec![
        pair("async read_query", point.clone()),
        pair("async read_query, 16 clients", point.crowd()),
    ]
}

fn query_stats(point: &Load) -> Vec<Pair> {
    let pair = |name, threads, load| Pair {
        name,
        first: Proxy::Pyproxy.plain().threads(threads).query_stats(),
        second: Proxy::Pyproxy.plain().threads(threads),
        load,
        unit: Unit::Microseconds,
    };
    vec![
        pair("query stats", 1, point.ranges()),
        pair("query stats, long statements", 1, point.joins()),
        pair("query stats, 4 threads, 16 clients", 4, point.ranges().crowd()),
    ]
}

fn tls(point: &Load, many: &Load) -> Vec<Pair> {
    let pair = |name, load, unit| Pair {
        name,
        first: Proxy::Pyproxy.plain().tls(),
        second: Proxy::Pyproxy.plain(),
        load,
        unit,
    };
    vec![
        pair("TLS, no script", point.clone(), Unit::Microseconds),
        pair("TLS, no script, 16 clients", point.crowd(), Unit::Microseconds),
        pair("TLS, 100000 rows", many.clone(), Unit::Milliseconds),
    ]
}
