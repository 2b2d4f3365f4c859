//! A connection to a backend, attached to a client or idle in the pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use wire::Capabilities;
use wire::connect::{Handshake, Login};
use wire::reply::StatusFlags;
use wire::statement::{Cursors, Statements};

use crate::capacity::Place;
use crate::observed::PreparedQueries;
use crate::reports::Reports;
use crate::{Address, Algorithm, Backends, Link, ServerSession, TlsInfo, Trust};

/// Capability bits that change what the server sends or understands, or how: a connection is reused only for a client with
/// the same ones (`docs/internals/backends-and-pools.md#dialect`).
const DIALECT: Capabilities = Capabilities::FOUND_ROWS
    .union(Capabilities::IGNORE_SPACE)
    .union(Capabilities::INTERACTIVE)
    .union(Capabilities::LOCAL_FILES)
    .union(Capabilities::MULTI_STATEMENTS)
    .union(Capabilities::MULTI_RESULTS)
    .union(Capabilities::PS_MULTI_RESULTS)
    .union(Capabilities::SESSION_TRACK)
    .union(Capabilities::DEPRECATE_EOF)
    .union(Capabilities::QUERY_ATTRIBUTES)
    .union(Capabilities::MARIADB_FOLLOWED)
    // Only where clients and servers have them together.
    .union(Capabilities::TRANSPORT);

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A server connection.
#[derive(Debug)]
pub struct Server {
    /// Counts up from 1 in this process: tells this connection from others.
    pub id: u64,
    /// The way to it.
    pub link: Box<dyn Link>,
    /// Index of the backend it leads to.
    pub backend: usize,
    counted: bool,
    /// What it takes up of its backend's limit; `None` for one that is not real.
    pub(crate) place: Option<Place>,
    /// The ticket that it is kept for while it is idle.
    pub(crate) kept_for: Option<u64>,
    /// Our end.
    pub src: Address,
    /// The backend's end.
    pub dst: Address,
    /// The address of the client that it was told of in a PROXY header; `None` without one.
    pub(crate) client: Option<Address>,
    /// What the server said first.
    pub handshake: Option<Arc<Handshake>>,
    /// The handshake's payload as clients get it: as received but for the masked capability bits.
    pub handshake_payload: Vec<u8>,
    /// Everything that the server offered, whatever clients are shown.
    pub(crate) offered: Capabilities,
    /// What its TLS handshake agreed on; `None` without TLS.
    pub tls: Option<Arc<TlsInfo>>,
    /// The [`Trust`] that it was verified with; `None` without TLS.
    pub(crate) verified_with: Option<u32>,
    /// How its packets are compressed.
    pub compression: Option<Algorithm>,
    /// The challenge of its last switch request; before the first one that of its handshake counts.
    pub(crate) challenge: Option<Vec<u8>>,
    /// The login that the server accepted last.
    pub login: Option<Arc<Login>>,
    /// What the first login agreed on. COM_CHANGE_USER does not change it. Of a server with `reports`, whose packets are
    /// translated, the form in which its client reads them.
    capabilities: Capabilities,
    /// The server accepted the auth data of `login` as they were and asked for nothing else: a client that sends the
    /// same data for the same scramble is the same user.
    pub login_is_proof: bool,
    /// The database the server is in.
    pub default_db: Vec<u8>,
    /// The login is complete.
    pub authenticated: bool,
    /// An answer is outstanding or unread: not to be shared.
    pub busy: bool,
    /// The flags of the connection's state that the server reported last.
    status: StatusFlags,
    /// Since when it is to greet, or since when that was asked last.
    pub(crate) awaited_since: Instant,
    /// When the last command was sent.
    pub last_command_at: Instant,
    /// The columns of open cursors. Kept only while a script reads results.
    pub cursors: Cursors,
    /// The client's prepared statements. Kept only for a script that is asked about commands.
    pub statements: Statements,
    /// The same, as far as they are counted.
    pub(crate) prepared: PreparedQueries,
    /// What it reports of its session; `None` if it is not asked for that.
    pub reports: Option<Box<Reports>>,
    /// The session on it.
    pub session: ServerSession,
}

impl Server {
    /// A server connection in the making; counted once [`Server::connected`] is called.
    pub fn new(link: Box<dyn Link>, backend: usize, now: Instant) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            link,
            backend,
            counted: false,
            place: None,
            kept_for: None,
            src: Address::default(),
            dst: Address::default(),
            client: None,
            handshake: None,
            handshake_payload: Vec::new(),
            offered: Capabilities::empty(),
            tls: None,
            verified_with: None,
            compression: None,
            challenge: None,
            login: None,
            capabilities: Capabilities::empty(),
            login_is_proof: false,
            default_db: Vec::new(),
            authenticated: false,
            busy: false,
            status: StatusFlags::AUTOCOMMIT,
            awaited_since: now,
            last_command_at: now,
            cursors: Cursors::default(),
            statements: Statements::default(),
            prepared: PreparedQueries::default(),
            reports: None,
            session: ServerSession::default(),
        }
    }

    /// The connect succeeded: learns the addresses.
    pub fn connected(&mut self) {
        (self.src, self.dst) = self.link.addresses();
    }

    /// The server reported `status` in its greeting or in an answer.
    pub fn reported(&mut self, status: StatusFlags) {
        self.status = status & StatusFlags::OF_CONNECTION;
    }

    /// The flags of the connection's state, as the server reported them last.
    pub fn status(&self) -> StatusFlags {
        self.status
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.status.contains(StatusFlags::IN_TRANS)
    }

    /// The server accepted `login` and reported `status`; `is_proof` is for [`Server::login_is_proof`].
    pub fn logged_in(
        &mut self,
        login: Option<Arc<Login>>,
        status: StatusFlags,
        is_proof: bool,
        now: Instant,
    ) {
        if let Some(login) = login.as_ref().filter(|_| !self.authenticated) {
            self.capabilities = login.capabilities;
        }
        self.default_db =
            login.as_ref().and_then(|login| login.database.clone()).unwrap_or_default();
        self.login = login;
        self.login_is_proof = is_proof;
        self.authenticated = true;
        self.busy = false;
        self.reported(status);
        self.last_command_at = now;
        self.cursors = Cursors::default();
        self.statements = Statements::default();
        self.prepared = PreparedQueries::default();
    }

    /// The server refused a COM_CHANGE_USER. It is still logged in as before, if it does not hang up, but the transaction
    /// is rolled back.
    pub fn kept_login(&mut self) {
        self.busy = false;
        self.status.remove(StatusFlags::OF_TRANSACTION);
    }

    /// A client uses this connection from now on: counts it on its backend, once.
    pub fn count(&mut self, backends: &dyn Backends) {
        if !std::mem::replace(&mut self.counted, true) {
            backends.count(self.backend, true);
        }
    }

    /// No client uses this connection any more.
    pub fn uncount(&mut self, backends: &dyn Backends) {
        if std::mem::replace(&mut self.counted, false) {
            backends.count(self.backend, false);
        }
    }

    /// Whether nothing is outstanding, as far as is known without a look at the link.
    pub fn is_idle(&self) -> bool {
        self.authenticated && !self.busy
    }

    /// Whether another client may get this connection as it is: logged in, nothing outstanding, nothing unread.
    pub fn is_clean(&self) -> bool {
        self.is_idle() && self.link.is_quiet()
    }

    /// The user it is logged in as.
    pub fn username(&self) -> &[u8] {
        self.login.as_ref().map(|login| login.username.as_slice()).unwrap_or_default()
    }

    /// What this connection and the client that opened it agreed on.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Whether the server may ask for further factors in answer to this login, or to a COM_CHANGE_USER in its place: as was
    /// agreed on when the connection was opened.
    pub fn knows_factors(&self, login: &Login) -> bool {
        let asked = if self.authenticated { self.capabilities } else { login.capabilities };
        let offered = self.handshake.as_ref().map(|offer| offer.capabilities).unwrap_or_default();
        (asked & offered).contains(Capabilities::MULTI_FACTOR_AUTHENTICATION)
    }

    /// Whether the server takes this client for the one that it was told of: its grants are for that address.
    pub fn is_for(&self, client: &Address) -> bool {
        self.client.as_ref().is_none_or(|told| told.address == client.address)
    }

    /// Whether it is verified as a new connection would be. One without TLS is: whether clients may get such a one does not
    /// depend on any file.
    pub fn is_verified_with(&self, trust: &Trust) -> bool {
        self.verified_with.is_none_or(|version| version == trust.version())
    }

    /// Whether a client with `capabilities` would be understood the same way on this connection.
    pub fn speaks(&self, capabilities: Capabilities) -> bool {
        let translated =
            if self.reports.is_some() { Capabilities::TRACKED } else { Capabilities::empty() };
        let decisive = DIALECT.difference(translated);
        self.capabilities() & decisive == capabilities & decisive
    }

    /// A client with these capabilities reads the packets that are translated.
    pub(crate) fn read_with(&mut self, client: Capabilities) {
        self.capabilities.remove(Capabilities::TRACKED);
        self.capabilities |= client & Capabilities::TRACKED;
    }
}
