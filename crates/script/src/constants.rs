//! The integer constants of `proxy` (`docs/scripting.md#objects`).

use wire::result::ColumnType;
use wire::{Command, marker};

use crate::decision;

macro_rules! constants {
    ($($(#[$doc:meta])* $name:ident = $value:expr),* $(,)?) => {
        $($(#[$doc])* pub const $name: i64 = $value;)*

        const OF_PROXY: &[(&str, i64)] = &[$((stringify!($name), $name)),*];
    };
}

constants! {
    /// A hook returns it, or `None`: go on as if there were no hook.
    PROXY_NO_DECISION = decision::NO_DECISION,
    /// A hook returns it: run the queue.
    PROXY_SEND_QUERY = decision::SEND_QUERY,
    /// A hook returns it: send `proxy.response`.
    PROXY_SEND_RESULT = decision::SEND_RESULT,
    /// A hook returns it: drop the result.
    PROXY_IGNORE_RESULT = decision::IGNORE_RESULT,
    /// `connect_server` returns it: greet the client without a server.
    PROXY_GREET = decision::GREET,
    /// `proxy.response.type`: OK, or a result set.
    MYSQLD_PACKET_OK = marker::OK as i64,
    /// `proxy.response.type`: payloads as they are.
    MYSQLD_PACKET_RAW = 250,
    /// First byte of a packet.
    MYSQLD_PACKET_NULL = marker::LOCAL_INFILE as i64,
    /// First byte of a packet.
    MYSQLD_PACKET_EOF = marker::EOF as i64,
    /// `proxy.response.type`: ERR.
    MYSQLD_PACKET_ERR = marker::ERR as i64,
    /// `backend.state`.
    BACKEND_STATE_UNKNOWN = 0,
    /// `backend.state`.
    BACKEND_STATE_UP = 1,
    /// `backend.state`.
    BACKEND_STATE_DOWN = 2,
    /// `backend.state`: no new clients; those that are there leave when they are between two commands.
    BACKEND_STATE_DRAIN = 3,
    /// `backend.state`: nobody uses it.
    BACKEND_STATE_MAINT = 4,
    /// `backend.state`: it was removed.
    BACKEND_STATE_REMOVED = 5,
    /// `backend.type`, of a backend that is none.
    BACKEND_TYPE_UNKNOWN = 0,
    /// `backend.type`.
    BACKEND_TYPE_RW = 1,
    /// `backend.type`.
    BACKEND_TYPE_RO = 2,
}

/// Commands that no client of a proxy sends: scripts have no name for them.
const UNNAMED: [Command; 2] = [Command::SUBSCRIBE_GROUP_REPLICATION_STREAM, Command::MULTI];

/// Every constant with its value. `host_version` is `major << 16 | minor << 8 | patch`.
pub fn all(host_version: u32) -> impl Iterator<Item = (&'static str, i64)> {
    let commands = Command::ALL.iter().filter(|command| !UNNAMED.contains(command));
    let commands = commands.filter_map(|command| Some((command.name()?, command.0.into())));
    let types = ColumnType::ALL.iter();
    let types = types.filter_map(|column_type| Some((column_type.name()?, column_type.0.into())));
    let of_host = ("PROXY_VERSION", i64::from(host_version));
    OF_PROXY.iter().copied().chain(commands).chain(types).chain([of_host])
}
