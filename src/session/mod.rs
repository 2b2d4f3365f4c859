//! What the plugin knows of one proxied connection: both sides, the chosen backend, the queued queries.
//!
//! Lies below `hooks` (which moves the packets) and `embed` (which shows this to scripts), and knows neither. All of it
//! is touched inside host callbacks only (INV-1); scripts reach it through [`Slot`]s that are emptied when the thing
//! behind them ends.

pub mod client;
pub mod hook;
pub mod injection;
pub mod pool;
pub mod queries;
pub mod reply;
pub mod server;
pub mod slot;
pub mod stats;
pub mod switch;

pub use client::Client;
pub use hook::Hook;
pub use injection::Injection;
pub use pool::Pool;
pub use queries::{Queries, Query};
pub use reply::Reply;
pub use server::Server;
pub use slot::Slot;
pub use stats::Stats;

use wire::reply::StatusFlags;

use crate::boundary::{HostCall, HostCell};
use crate::chassis::Backends;

/// What all connections share.
#[derive(Debug)]
pub struct Shared {
    /// The backends of this plugin.
    pub backends: Backends,
    /// Idle server connections.
    pub pool: HostCell<Pool>,
    /// Log a pooled server connection in again (COM_CHANGE_USER) before a client gets it.
    pub pool_change_user: bool,
    /// The most memory that results kept for scripts, and answers made by them, may take for one connection, in bytes
    /// (`pyproxy-max-kept-bytes`).
    pub max_kept_bytes: usize,
    /// Counters since the start.
    pub stats: Stats,
}

/// One client connection, from accept to close.
#[derive(Debug)]
pub struct Session {
    /// Counts up from 1 in this process; names the connection in the log.
    pub id: u64,
    /// The client's side.
    pub client: Client,
    /// The attached server connection. Read it; attach and detach with the methods of [`switch`].
    pub server: Option<Server>,
    /// Where a script wants to connect, before a server is attached.
    pub choice: Option<usize>,
    /// Close the client connection after the result in progress.
    pub close_after_result: bool,
    /// What a script queued instead of the client's command.
    pub queries: Queries,
    /// The command byte of the client's command in progress.
    pub command: Option<u8>,
    /// The script hook that runs now.
    pub hook: Option<Hook>,
    /// In `read_query_result`: the status flags of the result.
    pub result_status: u16,
    /// What [`Server::status`] was when the last server was detached.
    detached_status: u16,
    /// In `read_auth_result`: the server accepted the login.
    pub login_accepted: bool,
}

impl Session {
    /// A new session for an accepted client.
    pub fn new(id: u64, client: Client) -> Self {
        Self {
            id,
            client,
            server: None,
            choice: None,
            close_after_result: false,
            queries: Queries::default(),
            command: None,
            hook: None,
            result_status: 0,
            detached_status: StatusFlags::AUTOCOMMIT,
            login_accepted: false,
        }
    }

    /// The index scripts see: the backend of the attached server, or the chosen one before there is one.
    pub fn backend_ndx(&self) -> Option<usize> {
        self.server.as_ref().map(|server| server.backend).or(self.choice)
    }

    /// The status for what the proxy makes itself: as the server reported it last. A transaction ends with the attachment.
    pub fn status(&self) -> u16 {
        const TRANSACTION: u16 = StatusFlags::IN_TRANS | StatusFlags::IN_TRANS_READONLY;
        self.server.as_ref().map_or(self.detached_status & !TRANSACTION, Server::status)
    }

    /// Ends the server side: closes the connection and takes it off its backend's count.
    pub fn close_server(&mut self, call: &HostCall, shared: &Shared) {
        if let Some(server) = self.server.take() {
            self.detached_status = server.status();
            server.close(call, &shared.backends);
        }
    }
}
