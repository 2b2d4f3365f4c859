//! The executable `mysql-proxy`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(host::run(std::env::args_os().collect()))
}
