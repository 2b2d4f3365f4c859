//! The scripted server with real logins as a program, for `scripts/client-matrix.sh`.
//!
//! The argument is the loopback port. It greets as MySQL 8 does, with `caching_sha2_password`, and
//! runs until it is killed.

use std::process::ExitCode;

use testkit::LoginServer;
use testkit::server::auth::Method;

fn main() -> ExitCode {
    let Some(port) = std::env::args().nth(1).and_then(|port| port.parse().ok()) else {
        eprintln!("usage: login-server PORT");
        return ExitCode::from(2);
    };
    let _server = LoginServer::start_on(port, Method::CachingSha2);
    loop {
        std::thread::park();
    }
}
