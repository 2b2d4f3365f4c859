//! Load that goes on for minutes, to see what only many connections, queries and threads show: memory or descriptors
//! that are not given back, heap errors. `scripts/memcheck.sh` runs these tests, plain and under valgrind; `cargo test`
//! leaves them out.
//!
//! | environment | meaning | default |
//! |---|---|---|
//! | `PYPROXY_SOAK_SESSIONS` | connections of `connections_give_all_back` | 20000 |
//! | `PYPROXY_SOAK_QUERIES` | queries of `queries_give_all_back` | 200000 |
//! | `PYPROXY_SOAK_ABORTS` | vanishing clients of each run of `churn`, and bytes of slow ones | 2000 |
//! | `PYPROXY_SOAK_SECONDS` | duration of `threads` | 300 |

#![allow(clippy::unwrap_used, reason = "in a test program an unwrap is an assertion")]

mod churn;
mod growth;
mod random;
mod session;
mod slow;
mod threads;
mod waiting;

/// A number from the environment.
fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}
