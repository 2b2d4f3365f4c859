//! Commands other than queries: session commands, other users, binary logs, unusual ones.

mod binlog;
mod change_user;
mod packets;
mod query_attributes;
mod queued;
mod replication;
mod session;
