//! Everything the integration tests need around the plugin: real peers, scripted peers, a host.
//!
//! | module | owns |
//! |---|---|
//! | [`mariadb`] | a private MariaDB server: own datadir, loopback, free port |
//! | [`host`] | one host process with an ini file, its log, its counters, its end |
//! | [`client`] | a client that speaks packets by hand |
//! | [`server`] | a server that speaks packets by hand, one with real logins, a recording relay, an address nobody answers |
//! | [`haproxy`] | a HAProxy in front of something |
//! | [`proto`] | the few wire encodings that the scripted peers need |
//! | [`python`] | the virtual environment with the Python clients and extension modules |
//! | [`certificates`] | certificates of all kinds, made in a moment |
//! | [`artifacts`] | where the built plugin, the host and its plugins are |
//! | [`process`], [`scratch`], [`ports`], [`wait`], [`reset`] | children that die with us, temporary folders, ports, waiting, TCP resets |
//!
//! The scripted peers are written without `crates/wire` on purpose: an error there must not be
//! mirrored by the side that checks it. The byte layouts are those of the MySQL client/server
//! protocol documentation, checked against MariaDB by this crate's own tests.
//!
//! A failure of the machinery itself (no `mariadbd`, a host that does not come up) panics with
//! what is missing: in a test there is nobody to hand an error to.

pub mod artifacts;
pub mod certificates;
pub mod client;
pub mod haproxy;
pub mod host;
pub mod mariadb;
pub mod ports;
pub mod process;
pub mod proto;
pub mod python;
pub mod reset;
pub mod scratch;
pub mod server;
pub mod wait;

pub use certificates::Issued;
pub use client::RawClient;
pub use client::login::Login;
pub use host::Host;
pub use mariadb::MariaDb;
pub use proto::packet::Packet;
pub use server::RawServer;
pub use server::conn::ServerConn;
pub use server::greeting::Greeting;
pub use server::login_server::LoginServer;
pub use server::relay::Relay;
pub use server::unreachable::Unreachable;
pub use wait::eventually;
