//! Throughput of the legacy tokenizer, its normalizer, the exact lexer and its fingerprints in MB/s (10^6 bytes), by kind of query.
//!
//! `cargo bench -p sqltok`. Each number is the best of several rounds, which is the one that other
//! work on the machine disturbed least; results are taken as a list, as a caller would keep them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sqltok::exact::{Rules, digest, fingerprint, lex};
use sqltok::legacy::{Token, normalize, tokenize};

/// Queries as applications send them.
const MIXED: [&str; 8] = [
    "SELECT c FROM sbtest1 WHERE id=50112",
    "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 49932 AND 50031 ORDER BY c",
    "INSERT INTO sbtest1 (id, k, c, pad) VALUES (49855, 50171, '68487932199-96439406143', '225')",
    "UPDATE accounts SET balance = balance - 12.50, changed = NOW() WHERE id = 77 AND balance >= 12.5",
    "SELECT u.name, COUNT(*) AS n, MAX(o.created_at) FROM shop.users u LEFT JOIN shop.orders o \
     ON o.user_id = u.id WHERE u.state IN ('new', 'paid') AND o.total > 1e2 GROUP BY u.id \
     HAVING n > 3 ORDER BY n DESC LIMIT 20",
    "/* app=web,req=8f1c */ SELECT `id`, `title` FROM `posts` WHERE `slug` = 'it''s-here' LIMIT 1",
    "SET @@session.sql_mode = 'STRICT_TRANS_TABLES' /*!40101 , NAMES utf8 */",
    "COMMIT",
];

/// Rounds of which the best counts, and how long one takes at least.
const ROUNDS: usize = 7;
const ROUND_TIME: Duration = Duration::from_millis(150);

/// Bytes per microsecond of `work` done for all queries.
fn megabytes_per_second(queries: &[Vec<u8>], work: impl Fn(&[u8])) -> f64 {
    let bytes: u32 =
        queries.iter().map(|sql| u32::try_from(sql.len()).expect("a short query")).sum();
    let round = || {
        let mut passes = 0_u32;
        let start = Instant::now();
        while start.elapsed() < ROUND_TIME {
            queries.iter().for_each(|sql| work(black_box(sql)));
            passes += 1;
        }
        f64::from(bytes) * f64::from(passes) / start.elapsed().as_secs_f64() / 1e6
    };
    (0..ROUNDS).map(|_| round()).fold(0.0, f64::max)
}

fn list(sql: &[u8]) {
    black_box(tokenize(sql).collect::<Vec<Token>>());
}

fn normalized(sql: &[u8]) {
    black_box(normalize(tokenize(sql)));
}

fn exactly(sql: &[u8]) {
    black_box(lex(sql, Rules::default()).collect::<Vec<_>>());
}

fn fingerprinted(sql: &[u8]) {
    thread_local! {
        // As a connection keeps one.
        static PLACE: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    PLACE.with_borrow_mut(|place| {
        fingerprint(sql, Rules::default(), false, place);
        black_box(digest(place));
    });
}

fn main() {
    let mixed: Vec<Vec<u8>> = MIXED.iter().map(|sql| sql.as_bytes().to_vec()).collect();
    let rows = ["(1234, 'some text', 3.25, NULL)"; 1000].join(", ");
    let bulk = format!("INSERT INTO t (a, b, c, d) VALUES {rows}").into_bytes();
    let blob =
        format!("INSERT INTO files (data) VALUES ('{}')", "x\\'y".repeat(16_384)).into_bytes();
    let keywords = "SELECT FROM WHERE AND OR NOT NULL ".repeat(100).into_bytes();
    let names = "customer_name order_items t1 ".repeat(100).into_bytes();

    println!(
        "{:<26}{:>10}{:>16}{:>16}{:>16}{:>18}",
        "", "bytes", "tokens MB/s", "normalize MB/s", "exact MB/s", "fingerprint MB/s"
    );
    for (label, queries) in [
        ("mixed queries", mixed),
        ("bulk insert, 1000 rows", vec![bulk]),
        ("one large escaped string", vec![blob]),
        ("keywords only", vec![keywords]),
        ("names only", vec![names]),
    ] {
        let bytes: usize = queries.iter().map(Vec::len).sum();
        let tokens = megabytes_per_second(&queries, list);
        let text = megabytes_per_second(&queries, normalized);
        let exact = megabytes_per_second(&queries, exactly);
        let prints = megabytes_per_second(&queries, fingerprinted);
        println!("{label:<26}{bytes:>10}{tokens:>16.0}{text:>16.0}{exact:>16.0}{prints:>18.0}");
    }
}
