//! What a query costs the host process in time and in instructions, how much memory large results and idle connections take, and
//! what others notice of a hook that waits.
//!
//! `scripts/bench.sh` runs it. The numbers are processor time of the host process, not latency:
//! the peers are this program's own threads, and their work is not counted. With `PYPROXY_HOST`
//! set to an original mysql-proxy, each figure is measured in turn with the Lua plugin's, so that
//! a busy machine disturbs both alike; so are those of HAProxy if it is installed.

mod gigabyte;
mod idle;
mod instructions;
mod measure;
mod options;
mod pairs;
mod peers;
mod pin;
mod report;
mod script;
mod system_calls;
mod tls;
mod variant;
mod waiting;

use std::process::ExitCode;

use options::{Mode, Options};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n\n{}", options::USAGE);
            return ExitCode::FAILURE;
        }
    };
    report::machine();
    if let Err(error) = pin::to_one_processor() {
        eprintln!("sched_setaffinity: {error}");
        return ExitCode::FAILURE;
    }
    match options.mode {
        Mode::Cost => measure::run(&options),
        Mode::Gigabyte => gigabyte::run(),
        Mode::Idle => idle::run(&options),
        Mode::Waiting => waiting::run(&options),
        Mode::Instructions => instructions::run(&options),
    }
    ExitCode::SUCCESS
}
