//! Peers that break, vanish or keep silent: no leak, no silence, no dead host.

mod broken_servers;
mod chaos;
mod killed;
mod lost_servers;
mod resets;
mod timeouts;
