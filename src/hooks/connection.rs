//! The plugin's own state of one connection (`con->plugin_con_state`).

use wire::connect::{AuthReply, Login};
use wire::result::ResultTracker;
use wire::{Capabilities, Command};

use crate::embed::Binding;
use crate::session::{Injection, Session, Slot};

/// Everything kept between the callbacks of one connection.
#[derive(Debug)]
pub struct Connection {
    /// What is known of both sides; scripts see this.
    pub session: Slot<Session>,
    /// The script, if there is one.
    pub script: Option<Binding>,
    /// Where the current answer stands.
    pub tracker: ResultTracker,
    /// Where the current login stands.
    pub login: LoginRounds,
    /// Where the current command stands.
    pub exchange: Exchange,
    /// Connect attempts for this client.
    pub connect_attempts: usize,
    /// The login asked for compression, which was not offered, and no command came since: the client may go on in plain
    /// packets, or compress all the same.
    pub may_compress: bool,
}

impl Connection {
    /// For a client that was just accepted.
    pub fn new(session: Slot<Session>, script: Option<Binding>) -> Self {
        Self {
            session,
            script,
            tracker: ResultTracker::new(0, Capabilities::NONE),
            login: LoginRounds::default(),
            exchange: Exchange::default(),
            connect_attempts: 0,
            may_compress: false,
        }
    }
}

/// Why a login is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginReason {
    /// The client just connected, and so did we.
    #[default]
    Connect,
    /// The client just connected and got a pooled connection, which is logged in again with COM_CHANGE_USER.
    PooledConnection,
    /// The pooled connection that the client was greeted from does not fit it: a new connection takes its place, and
    /// the client answers the new server's switch request.
    Reconnect,
    /// The client sent COM_CHANGE_USER.
    ChangeUser,
}

/// The rounds of a login (host contract 3.4).
#[derive(Debug, Default)]
pub struct LoginRounds {
    /// Why.
    pub reason: LoginReason,
    /// The authentication method in force: the one the login named, until the server switches to another.
    pub method: Vec<u8>,
    /// The login that the server decides about.
    pub sent: Option<Login>,
    /// What the client was told last.
    pub told: Option<AuthReply>,
    /// `told` is a question of the script, asked in `read_auth`: the server knows nothing of it.
    pub asked_by_script: bool,
    /// Sequence id that the client's next packet must carry.
    pub next_client_id: u8,
}

/// A LOAD DATA LOCAL transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Infile {
    /// None.
    #[default]
    No,
    /// The request is on its way to the client.
    Requested,
    /// As above, but a script made the request: no server waits for the file.
    RequestedByScript,
}

/// One command of the client, from its arrival to the last packet of its answer.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The queued query whose result is being read.
    pub injection: Option<Injection>,
    /// What the command changes if the server accepts it.
    pub effect: Effect,
    /// The client got its one answer, or expects none.
    pub answered: bool,
    /// Some packet of an answer was handed to the host for the client.
    pub forwarded: bool,
    /// The file transfer.
    pub infile: Infile,
    /// Packets keep coming until the server ends the stream (binlog).
    pub streaming: bool,
    /// The answer may open a cursor, whose columns are remembered for the script.
    pub opens_cursor: bool,
}

impl Exchange {
    /// A command arrived.
    pub fn of(command: Command) -> Self {
        // A packet for a client that expects none would be taken for the answer to its next command.
        let expects_none = !command.has_reply() && command != Command::QUIT;
        Self { answered: expects_none, ..Self::default() }
    }
}

/// What a command changes in what we know, once the server said OK.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// COM_INIT_DB, or `USE` as text.
    DefaultDb(Vec<u8>),
    /// COM_CHANGE_USER, as the login it amounts to.
    Login(Box<Login>),
}
