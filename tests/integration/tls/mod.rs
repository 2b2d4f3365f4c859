//! TLS and compression, with a real server that offers them and real clients that ask for them.

mod chosen;
mod compression;
mod files;
mod hops;
mod mirror;
mod scripts;
mod support;
mod verification;
