//! What is known of one client connection, from accept to close.

use std::sync::Arc;
use std::time::Instant;

use wire::Capabilities;
use wire::reply::{StatusFlags, Told};
use wire::statement::{Cursors, Execution};

use crate::capacity::Ticket;
use crate::observed::Notes;
use crate::server_session::Owner;
use crate::statements::ClientStatements;
use crate::{Attributes, Client, Hook, Queries, Server, SessionState, Shared};

/// One client connection. Scripts see and change it through a [`Slot`](crate::Slot).
#[derive(Debug)]
pub struct Session {
    /// Counts up from 1 in this process; names the connection in the log.
    pub id: u64,
    /// The client's side.
    pub client: Client,
    /// The attached server connection. Read it; attach and detach with the methods of this type.
    pub server: Option<Server>,
    /// Where a script wants to connect: before a server is attached, or to log in to in place of the attached one.
    pub choice: Option<usize>,
    /// What it has of its session, wherever its commands run: for scripts that track sessions.
    pub state: SessionState,
    /// Close the client connection after the result in progress.
    pub close_after_result: bool,
    /// What a script queued instead of the client's command.
    pub queries: Queries,
    /// The command byte of the client's command in progress.
    pub command: Option<u8>,
    /// When that command arrived; `None`: it is answered, or nobody looks ([`Shared::observes`]).
    pub command_at: Option<Instant>,
    /// The backend that was asked last, for a command whose time is noted.
    pub(crate) asked_backend: Option<usize>,
    /// The beginning of that command's text, if it is a COM_QUERY or COM_STMT_PREPARE ([`Shared::notes_queries`]).
    pub text: Text,
    /// What is noted of its answer.
    pub(crate) notes: Notes,
    /// When the client came ([`Shared::observes`]).
    pub connected_at: Option<Instant>,
    /// The query attributes of that command.
    pub attributes: Attributes,
    /// What is known of that command if it executes a prepared statement.
    pub execution: Option<Arc<Execution>>,
    /// Its prepared statements, if scripts track sessions; else they are those of its server connection.
    pub(crate) statements: ClientStatements,
    /// What the client was told of its session.
    pub(crate) told: Told,
    /// A MariaDB has forgotten what the client's login asked for: IGNORE_SPACE, INTERACTIVE.
    pub(crate) forgot_flags: bool,
    /// The character set of the default database is the server's: a reset took it, and the database stayed.
    pub(crate) forgot_database: bool,
    /// How often its session has begun anew.
    era: u32,
    /// It says itself what it wants to be told.
    pub(crate) passes_reports: bool,
    /// The next command is one that says it.
    pub(crate) says_reports: bool,
    /// The script's hook that runs now: from the question to the verdict.
    pub hook: Option<Hook>,
    /// In `read_query_result`: the status flags of the result.
    pub result_status: StatusFlags,
    /// In `read_auth_result`: the server accepted the login.
    pub login_accepted: bool,
    /// It stands in line for a connection to a backend.
    pub(crate) ticket: Option<Ticket>,
    /// The hook waits, and the driver goes on meanwhile: what is parked is still attached there until it is told.
    pub(crate) is_lent: bool,
    /// Detached connections for the pool, as soon as the driver knows.
    leaving: Vec<Server>,
    /// What [`Server::status`] was when the last server was detached.
    detached_status: StatusFlags,
    /// The driver does not know yet which server is attached now.
    moved: bool,
    /// Detached connections that nobody may have: closed as soon as the driver knows that they are gone.
    discarded: Vec<Server>,
}

/// The beginning of a text.
#[derive(Debug, Default)]
pub struct Text {
    /// What there is of it, at most [`Text::MOST`] bytes.
    pub start: Vec<u8>,
    /// How long all of it is, in bytes.
    pub len: usize,
}

impl Text {
    /// What is kept at most, in bytes: what fingerprints are made of.
    pub const MOST: usize = 4096;
    /// What is shown at most, in bytes.
    pub const SHOWN: usize = 1024;

    /// It is this now.
    pub(crate) fn set(&mut self, text: &[u8]) {
        self.start.clear();
        self.start.extend_from_slice(text.get(..Self::MOST).unwrap_or(text));
        self.len = text.len();
    }

    /// Whether there is more than what is kept.
    pub(crate) fn is_cut(&self) -> bool {
        self.len > self.start.len()
    }

    /// What may be shown of it.
    pub fn shown(&self) -> &[u8] {
        self.start.get(..Self::SHOWN).unwrap_or(&self.start)
    }

    /// Only what may be shown of it.
    pub(crate) fn cut(&self) -> Self {
        Self { start: self.shown().to_vec(), len: self.len }
    }
}

/// How a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anew {
    /// On a connection of its own.
    Login,
    /// On one out of the pool, with COM_CHANGE_USER in place of the login.
    PooledLogin,
    /// The client sent COM_CHANGE_USER.
    User,
    /// The client sent COM_RESET_CONNECTION.
    Reset,
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
            command_at: None,
            asked_backend: None,
            text: Text::default(),
            notes: Notes::default(),
            connected_at: None,
            state: SessionState::default(),
            attributes: Attributes::default(),
            statements: ClientStatements::default(),
            told: Told::default(),
            passes_reports: false,
            says_reports: false,
            era: 0,
            forgot_flags: false,
            forgot_database: false,
            execution: None,
            hook: None,
            result_status: StatusFlags::empty(),
            login_accepted: false,
            ticket: None,
            is_lent: false,
            leaving: Vec::new(),
            detached_status: StatusFlags::AUTOCOMMIT,
            moved: false,
            discarded: Vec::new(),
        }
    }

    /// The index scripts see: the backend that was chosen, or that of the attached server.
    pub fn backend_ndx(&self) -> Option<usize> {
        self.choice.or(self.server.as_ref().map(|server| server.backend))
    }

    /// The status for what the proxy makes itself: as the server reported it last. A transaction ends with the attachment.
    pub fn status(&self) -> StatusFlags {
        self.server
            .as_ref()
            .map_or(self.detached_status.difference(StatusFlags::OF_TRANSACTION), Server::status)
    }

    /// The client had its session begin anew.
    pub(crate) fn begin_anew(&mut self, how: Anew) {
        let role = self.state.role.take();
        // What it left on others is not what it has now.
        self.era = self.era.wrapping_add(1);
        self.forget_server_session();
        self.state = SessionState { role, ..SessionState::default() };
        self.statements = ClientStatements::default();
        (self.told, self.passes_reports) = (Told::default(), false);
        self.forgot_flags = matches!(how, Anew::User | Anew::Reset);
        self.forgot_database = how == Anew::Reset;
        let flags = self.client.login.as_ref().map(|login| login.capabilities);
        let has_flags = flags.is_some_and(|flags| {
            flags.intersects(Capabilities::IGNORE_SPACE | Capabilities::INTERACTIVE)
        });
        let Some(server) = self.server.as_mut() else { return };
        let is_mariadb = server.is_mariadb();
        match how {
            Anew::Login | Anew::User => {}
            // It forgot what the login would have given it.
            Anew::PooledLogin => server.session.is_incomplete = is_mariadb && has_flags,
            // It has the character set of whoever logged in on this connection.
            Anew::Reset if is_mariadb => server.session.is_incomplete = true,
            // MySQL forgets that of the login.
            Anew::Reset => {
                self.state.forget_login();
                server.session.state.forget_login();
            }
        }
    }

    /// Who the client is to its server connections.
    pub(crate) fn owner(&self) -> Owner {
        (self.id, self.era)
    }

    /// The client gets the reports of its servers as they are, until its session begins anew.
    pub fn pass_reports(&mut self) {
        (self.passes_reports, self.says_reports) = (true, true);
    }

    /// A reset took away what the attached connection had, from whomever.
    pub(crate) fn forget_server_session(&mut self) {
        let owner = self.owner();
        if let Some(server) = self.server.as_mut() {
            let role = server.session.state.role.take();
            server.session.begin(owner);
            // It stays on all servers.
            server.session.state.role = role;
            server.cursors = Cursors::default();
            if let Some(reports) = server.reports.as_mut() {
                reports.forget();
            }
        }
    }

    /// Whether the hook that runs may run queries on the server connection: it is about commands, or about a login that the server
    /// accepted.
    pub fn may_query(&self) -> bool {
        match self.hook {
            Some(Hook::ReadQuery | Hook::ReadQueryResult) => true,
            Some(Hook::ReadAuthResult) => self.login_accepted,
            _ => false,
        }
    }

    /// The server connection as this client's own: counted on its backend. The present one must be detached.
    pub(crate) fn attach(&mut self, shared: &Shared, mut server: Server) {
        server.count(&*shared.backends);
        if let Some(login) = &self.client.login {
            server.is_read_by(login.capabilities);
        }
        self.reach(server);
    }

    /// A server connection in the making, which is not counted yet.
    pub(crate) fn reach(&mut self, server: Server) {
        self.server = Some(server);
        self.moved = true;
    }

    /// Whether the server was attached or detached since the last call.
    pub(crate) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Takes the server connection off this client.
    pub(crate) fn detach(&mut self, shared: &Shared) -> Option<Server> {
        let mut server = self.server.take()?;
        self.moved = true;
        self.detached_status = server.status();
        server.uncount(&*shared.backends);
        Some(server)
    }

    /// Ends the server side. The connection is closed with the next [`Session::take_discarded`].
    pub(crate) fn close_server(&mut self, shared: &Shared) {
        let server = self.detach(shared);
        self.discarded.extend(server);
    }

    /// Leaves a detached connection to be parked.
    pub(crate) fn leave(&mut self, server: Server) {
        self.leaving.push(server);
    }

    /// A connection to backend `ndx` that is still to be parked.
    pub(crate) fn take_leaving(&mut self, ndx: usize) -> Option<Server> {
        let place = self.leaving.iter().position(|server| server.backend == ndx)?;
        Some(self.leaving.remove(place))
    }

    /// How many connections to backend `ndx` that `suit` are still to be parked: their client may have one again.
    pub fn leaving_count(&self, ndx: usize, suit: impl Fn(&Server) -> bool) -> usize {
        self.leaving.iter().filter(|server| server.backend == ndx && suit(server)).count()
    }

    /// The connections to park, now that the driver knows that they are not attached any more.
    pub(crate) fn take_all_leaving(&mut self) -> Vec<Server> {
        std::mem::take(&mut self.leaving)
    }

    /// Leaves a detached connection to be closed.
    pub(crate) fn discard(&mut self, server: Server) {
        self.discarded.push(server);
    }

    /// The connections to close, now that the driver knows that they are not attached any more.
    pub(crate) fn take_discarded(&mut self) -> Vec<Server> {
        std::mem::take(&mut self.discarded)
    }
}
