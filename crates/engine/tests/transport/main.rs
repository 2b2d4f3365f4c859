//! TLS, compression, and passwords where only one side has TLS: what drivers are told to do.

mod compression;
mod passwords;
mod pools;
mod scene;
mod tls;
