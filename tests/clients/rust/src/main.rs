//! Checks of the Rust drivers; the argument names the crate: `mysql`, `mysql_async` or `sqlx`.

mod asynchronous;
mod blocking;
mod report;
mod with_sqlx;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    match std::env::args().nth(1).as_deref() {
        Some("mysql") => blocking::run(),
        Some("mysql_async") => runtime()?.block_on(asynchronous::run()),
        Some("sqlx") => runtime()?.block_on(with_sqlx::run()),
        _ => Err("usage: client-checks mysql|mysql_async|sqlx".into()),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
