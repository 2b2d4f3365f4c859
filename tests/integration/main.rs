//! The plugin in a real host process, between real and scripted peers.
//!
//! All integration tests are one program, so that they share one MariaDB server. Each test has its
//! own host process and its own ports, so they run side by side. `PYPROXY_HOST` chooses the host
//! (see `testkit::artifacts`); `PYPROXY_TEST_VENV` names the Python clients.

#![allow(clippy::unwrap_used, reason = "in a test program an unwrap is an assertion")]

mod support;

mod backends;
mod beside_lua;
mod big_packets;
mod capabilities;
mod check_config;
mod clients;
mod commands;
mod concurrency;
mod embedding;
mod examples;
mod failures;
mod http;
mod install;
mod leaks;
mod limits;
mod listening;
mod log;
mod logins;
mod options;
mod own_loop;
mod panics;
mod pooling;
mod prepared;
mod results;
mod scripting;
mod sessions;
mod slow_log;
mod stopping;
mod tls;
mod waiting;
mod watchdog;
