//! The scripted server with real logins as a program, for `scripts/client-matrix.sh`.
//!
//! The argument is the loopback port; a certificate and its key, files of PEM, make it offer TLS. It greets as MySQL 8
//! does, with `caching_sha2_password`, and runs until it is killed.

use std::process::ExitCode;

use openssl::error::ErrorStack;
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};
use testkit::LoginServer;
use testkit::server::auth::Method;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let port = arguments.first().and_then(|port| port.parse().ok());
    let (port, tls) = match (port, &arguments[..]) {
        (Some(port), [_]) => (port, None),
        (Some(port), [_, certificate, key]) => match acceptor(certificate, key) {
            Ok(acceptor) => (port, Some(acceptor)),
            Err(error) => {
                eprintln!("login-server: {error}");
                return ExitCode::FAILURE;
            }
        },
        _ => {
            eprintln!("usage: login-server PORT [CERTIFICATE KEY]");
            return ExitCode::from(2);
        }
    };
    let _server = LoginServer::start_on(port, Method::CachingSha2, tls);
    loop {
        std::thread::park();
    }
}

fn acceptor(certificate: &str, key: &str) -> Result<SslAcceptor, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_certificate_chain_file(certificate)?;
    builder.set_private_key_file(key, SslFiletype::PEM)?;
    Ok(builder.build())
}
