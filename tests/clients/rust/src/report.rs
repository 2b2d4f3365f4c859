//! How the checks report: one line per check (see `tests/clients/README.md`).

use std::fmt::Debug;

use sha2::{Digest, Sha256};

/// Longer texts are told by their digest.
const LONGEST_TEXT: usize = 300;
const MIB: usize = 1024 * 1024;

pub const HOST: &str = "127.0.0.1";
pub const WHO: &str = "SELECT CURRENT_USER(), DATABASE(), @@character_set_client";
pub const USER: &str = "SELECT CURRENT_USER()";
/// What is added to the name of a check, and a password.
pub const LOGINS: [(&str, &str); 2] = [("login", "secret"), ("login_refused", "wrong")];
pub const AFTER: &str = "SELECT 'after'";
pub const STREAM: &str = "SELECT seq, REPEAT('x', 200) AS x FROM seq_1_to_50000";
pub const MULTI: &str = "SELECT 1; DO 0; SELECT 2, 3; SELECT seq FROM seq_1_to_3";
pub const MULTI_WITH_ERROR: &str = "SELECT 1; SELECT nosuch; SELECT 2";
pub const FAILING: [&str; 4] =
    ["SELECT nosuch", "nonsense", "SELECT * FROM nosuch", "SIGNAL SQLSTATE '45000'"];
pub const COLUMNS: &str = "SELECT column_name FROM information_schema.columns \
    WHERE table_schema = 'matrix' AND table_name = 'types' ORDER BY ordinal_position";
pub const CONNECTIONS: u64 = 50;
pub const QUERIES_PER_CONNECTION: u64 = 10;

pub type Outcome = Result<String, Box<dyn std::error::Error + Send + Sync>>;

/// Returns the port of the server or the proxy.
pub fn port() -> u16 {
    let port = std::env::var("MATRIX_PORT").ok().and_then(|port| port.parse().ok());
    port.expect("MATRIX_PORT is a port")
}

/// Returns the accounts for each method, and their ports.
pub fn logins() -> Vec<(String, u16)> {
    let accounts = std::env::var("MATRIX_LOGINS").expect("MATRIX_LOGINS is set");
    let parts = accounts.split_whitespace().filter_map(|account| account.split_once(':'));
    parts.map(|(user, port)| (user.to_owned(), port.parse().expect("a port"))).collect()
}

/// Whether every connection has to use TLS.
pub fn tls() -> bool {
    std::env::var_os("MATRIX_TLS").is_some()
}

/// Returns the folder of the files to load.
pub fn directory() -> String {
    std::env::var("MATRIX_DIR").expect("MATRIX_DIR is set")
}

/// Returns 20 MiB of all byte values.
pub fn blob() -> Vec<u8> {
    (0..=255).cycle().take(20 * MIB).collect()
}

/// Returns packet lengths around the longest packet.
pub fn edges() -> std::ops::RangeInclusive<usize> {
    16 * MIB - 2..=16 * MIB
}

/// Returns a query whose row has the given length; the length of the text takes four bytes.
pub fn query_of_row(length: usize) -> String {
    format!("SELECT REPEAT('x', {})", length - 4)
}

/// Returns a query whose packet has the given length.
pub fn query_of_length(length: usize) -> String {
    format!("SELECT LENGTH('{}')", "x".repeat(length - 18))
}

/// Prints the line of one check.
pub fn report(name: &str, outcome: Outcome) {
    match outcome {
        Ok(seen) => println!("{name}: ok {}", digest(&seen)),
        Err(error) => println!("{name}: error {}", digest(&error.to_string())),
    }
}

/// Returns what was seen, or the error, as text.
pub fn told<T: Debug, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("failed: {error}"),
    }
}

fn digest(text: &str) -> String {
    let text = text.replace('\n', "\\n").replace(&directory(), "DIR");
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let sum: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} bytes, {}", text.len(), &sum[..16])
}
