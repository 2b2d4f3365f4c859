//! TLS, compression, and passwords where only one side has TLS: what drivers are told to do.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod chosen_logins;
mod compression;
mod limits;
mod passwords;
mod pools;
mod scene;
mod tls;
