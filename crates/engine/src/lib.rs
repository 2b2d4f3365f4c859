#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::indexing_slicing, clippy::panic, clippy::string_slice)
)]

mod address;
mod answer_due;
mod attributes;
mod backends;
mod capacity;
mod change_user;
mod chosen_login;
mod claim;
mod client;
mod collations;
mod command;
mod compression;
mod connect;
mod database_statements;
mod deliver;
mod driver;
mod effect;
mod engine;
mod error_code;
mod event;
mod exchange;
mod full_backend;
mod greeting;
mod greetings;
mod held;
mod hook;
mod infile;
mod injection;
mod leaving;
mod link;
mod live;
mod login;
mod login_names;
mod login_rounds;
mod lost_server;
mod numbering;
mod observed;
mod own_greeting;
mod parking;
mod password_translation;
mod pool;
mod pooled_login;
mod preparation;
mod queries;
mod queue;
mod reply;
mod reports;
mod result;
mod seldom;
mod server;
mod server_session;
mod session;
mod settings;
mod shared;
mod shut_down;
mod slot;
mod statements;
mod stats;
mod timeout;
mod tls;
mod trust;
mod turn;
mod users;
mod verdict;
mod waiting;

pub use address::Address;
pub use attributes::Attributes;
pub use backends::{AddBackendError, BackendKind, BackendState, Backends};
pub use capacity::{Capacity, Notify};
pub use claim::Claim;
pub use client::Client;
pub use compression::Algorithm;
pub use driver::{Connecting, Driver};
pub use effect::{Ask, Awaits, Effect, Side, Then};
pub use engine::{Engine, Short};
pub use error_code::{ER_CON_COUNT_ERROR, ER_UNKNOWN_ERROR, ErrorCode};
pub use event::{Event, Incoming};
pub use hook::{Hook, HookSet};
pub use injection::Injection;
pub use leaving::Leaving;
pub use link::Link;
pub use live::{End, Live};
pub use observed::{Clock, QueryStats, SlowLog, SlowQueries, SlowQuery};
pub use parking::{SwitchError, Switched};
pub use pool::{BackendPool, ClosedIdle, Pool};
pub use queries::{EmptyPacket, Queries, Query};
pub use reply::Reply;
pub use seldom::Seldom;
pub use server::Server;
pub use server_session::{ServerSession, SessionState};
pub use session::{Session, Text};
pub use settings::{ClientTls, Compression, OnScriptError, ServerTls, Settings, Tls};
pub use shared::Shared;
pub use slot::{Locked, Slot};
pub use stats::{
    AllBackends, BackendStats, Commands, Counter, Errors, HookStats, Source, Stats, Stopwatch,
    TlsHandshakes,
};
pub use tls::TlsInfo;
pub use trust::Trust;
pub use users::Users;
pub use verdict::Verdict;
pub use waiting::{Outcome, QueryId};
