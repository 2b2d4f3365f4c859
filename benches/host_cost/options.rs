//! The command line of the bench.

use std::path::PathBuf;

/// Shown after a wrong argument.
pub const USAGE: &str = "\
options:
  --queries N       point selects in one round (default 30000)
  --rounds N        rounds; each measures every variant once, in turn (default 11)
  --only TEXT       only the lines whose name contains TEXT
  --system-calls    count system calls per query, too (needs strace)
  --instructions DIR  instead: count instructions per query, of a host in callgrind that writes to DIR
  --gigabyte        instead: stream results of 1 GiB and show the host's peak memory
  --idle            instead: memory of the host for each idle connection
  --connections N   with --idle: so many of them (default 1000)
  --waiting         instead: 50 clients beside one whose hook sleeps, and without it
  --pairs N         with --waiting: pairs (default 5)
  --seconds N       with --waiting: seconds of each of the two, in slices of one (default 4)";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Processor time per query.
    Cost,
    /// Memory while a large result passes.
    Gigabyte,
    /// Memory of idle connections.
    Idle,
    /// Others while a hook waits.
    Waiting,
    /// Instructions per query.
    Instructions,
}

/// What to run.
#[derive(Debug)]
pub struct Options {
    /// What is measured.
    pub mode: Mode,
    /// Queries in one round.
    pub queries: u32,
    /// How often each variant is measured.
    pub rounds: u32,
    /// What the name of a line has to contain.
    pub only: String,
    /// Count system calls, too.
    pub system_calls: bool,
    /// Where callgrind writes to.
    pub profiles: PathBuf,
    /// How many idle connections there are.
    pub connections: u32,
    /// How often others are measured with and without a hook that waits.
    pub pairs: u32,
    /// For so long, each.
    pub seconds: u32,
}

impl Options {
    /// Reads the arguments; the error is a message for the user.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            mode: Mode::Cost,
            queries: 30_000,
            rounds: 11,
            only: String::new(),
            system_calls: false,
            profiles: PathBuf::new(),
            connections: 1000,
            pairs: 5,
            seconds: 4,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--queries" => options.queries = number(&argument, arguments.next())?,
                "--rounds" => options.rounds = number(&argument, arguments.next())?,
                "--only" => options.only = arguments.next().ok_or("--only needs a text")?,
                "--system-calls" => options.system_calls = true,
                "--instructions" => {
                    options.mode = Mode::Instructions;
                    options.profiles =
                        arguments.next().ok_or("--instructions needs a folder")?.into();
                }
                "--gigabyte" => options.mode = Mode::Gigabyte,
                "--idle" => options.mode = Mode::Idle,
                "--connections" => options.connections = number(&argument, arguments.next())?,
                "--waiting" => options.mode = Mode::Waiting,
                "--pairs" => options.pairs = number(&argument, arguments.next())?,
                "--seconds" => options.seconds = number(&argument, arguments.next())?,
                // cargo adds it to the arguments of every bench.
                "--bench" => {}
                other => return Err(format!("unknown argument {other}")),
            }
        }
        Ok(options)
    }
}

fn number(option: &str, value: Option<String>) -> Result<u32, String> {
    let value = value.ok_or_else(|| format!("{option} needs a number"))?;
    match value.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{option} {value}: expected a number greater than 0")),
    }
}
