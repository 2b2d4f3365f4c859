//! The state machine of one connection.

use std::sync::Arc;

use wire::Capabilities;
use wire::connect::Login;
use wire::result::{Part, ResultTracker, Step as Progress, TrackError, Translator};

use crate::exchange::Exchange;
use crate::held::Held;
use crate::login_rounds::LoginRounds;
use crate::numbering::Numbering;
use crate::preparation::Preparation;
use crate::tls::WaitingLogin;
use crate::turn::Turn;
use crate::users::Places;
use crate::waiting::Waiting;
use crate::{
    Ask, Awaits, Driver, Event, Hook, HookSet, Incoming, Injection, Reply, Session, Settings,
    Shared, Side, Slot, Source, Then,
};

/// One client connection.
#[derive(Debug)]
pub struct Engine {
    session: Slot<Session>,
    shared: Arc<Shared>,
    state: State,
}

/// What the rules remember between events, besides what scripts see.
#[derive(Debug)]
pub struct State {
    pub settings: Settings,
    /// The hooks that the script has.
    pub hooks: HookSet,
    /// Where the connection is.
    pub step: Step,
    /// What the script is asked in [`Step::Asked`].
    pub question: Option<Question>,
    /// How to go on behind the present event.
    pub awaits: Awaits,
    pub asked: Option<Ask>,
    /// The script was asked, and waits.
    pub waiting: Option<Box<Waiting>>,
    /// The packet at hand is one that was kept for a script that waited: it is no driver's.
    pub at_hand_is_held: bool,
    /// What the tracker says of the packet at hand, if it was fed already.
    pub fed: Option<Result<Progress, TrackError>>,
    /// Where the current answer stands.
    pub tracker: ResultTracker,
    /// What the client gets in place of the packets of the current answer, if they differ.
    pub translator: Option<Box<Translator>>,
    /// What the server is told before the next command.
    pub preparation: Option<Box<Preparation>>,
    /// The ERR that answers the command which is started: its statement could not be prepared where it runs.
    pub refusal: Option<Vec<u8>>,
    /// Where the current login stands.
    pub login: LoginRounds,
    /// Where the current command stands.
    pub exchange: Exchange,
    /// The client was greeted by the proxy itself: `PROXY_GREET`.
    pub greeted_by_proxy: bool,
    /// The backend for which the client stands in line.
    pub waits_at: Option<usize>,
    /// Connect attempts for this client.
    pub connect_attempts: usize,
    /// The login asked for compression, which was not offered, and no command came since: the client may go on in plain
    /// packets, or compress all the same.
    pub may_compress: bool,
    /// The client's request for TLS, whose capabilities count for its login.
    pub tls_request: Option<Vec<u8>>,
    /// What the server gets behind its TLS handshake.
    pub waiting_login: Option<WaitingLogin>,
    /// What it takes up of the limits of users.
    pub places: Places,
    /// Sequence ids of both sides.
    pub client_ids: Numbering,
    pub server_ids: Numbering,
}

/// Where a connection is. What arrives in a step that does not expect it ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Step {
    /// A server is to be found, or its connect is under way.
    #[default]
    Connect,
    /// The server is to greet.
    Greeting,
    /// A TLS handshake with this side goes on.
    Tls(Side),
    /// The client is to log in.
    Login,
    /// The server is to answer the login.
    LoginAnswer,
    /// The client is to answer a question of the login.
    LoginData,
    /// The client is to send a command.
    Command,
    /// The client is to send the rest of its command.
    MoreCommand,
    /// The server is to answer what it is told before a command.
    Preparing,
    /// The server is to answer a command.
    Answer,
    /// The server is to say why it ends the session, or just to end it.
    LastWords,
    /// The client is to send its file.
    File,
    /// The server is to answer the file.
    FileAnswer,
    /// The script is asked.
    Asked,
    /// Nothing is awaited: the end comes when what the client was sent last is written, or at once.
    Ending,
    /// The connection is over.
    Over,
}

/// What the script is asked, with what is needed to go on.
#[derive(Debug)]
pub enum Question {
    ConnectServer,
    ReadHandshake,
    /// The login, and its payload as it would go on.
    ReadAuth(Box<Login>, Vec<u8>),
    ReadAuthResult(wire::connect::AuthReply),
    ReadQuery,
    ReadQueryResult(Slot<Injection>),
    DisconnectClient,
}

impl Question {
    /// As the driver is told it.
    pub fn ask(&self) -> Ask {
        Ask::Hook(match self {
            Self::ConnectServer => Hook::ConnectServer,
            Self::ReadHandshake => Hook::ReadHandshake,
            Self::ReadAuth(..) => Hook::ReadAuth,
            Self::ReadAuthResult(_) => Hook::ReadAuthResult,
            Self::ReadQuery => Hook::ReadQuery,
            Self::ReadQueryResult(injection) => return Ask::Result(injection.clone()),
            Self::DisconnectClient => Hook::DisconnectClient,
        })
    }
}

impl Engine {
    /// For a client that was accepted, and a script with these hooks.
    pub fn new(
        session: Slot<Session>,
        shared: Arc<Shared>,
        settings: Settings,
        hooks: HookSet,
    ) -> Self {
        let state = State {
            settings,
            hooks,
            step: Step::default(),
            question: None,
            awaits: Awaits::Abort,
            asked: None,
            waiting: None,
            at_hand_is_held: false,
            fed: None,
            tracker: ResultTracker::new(0, Capabilities::empty()),
            translator: None,
            preparation: None,
            refusal: None,
            login: LoginRounds::default(),
            exchange: Exchange::default(),
            greeted_by_proxy: false,
            waits_at: None,
            connect_attempts: 0,
            may_compress: false,
            tls_request: None,
            waiting_login: None,
            places: Places::default(),
            client_ids: Numbering::default(),
            server_ids: Numbering::default(),
        };
        if shared.observes
            && let Some(id) = session.lock().map(|session| session.id)
        {
            shared.live.add(id, session.clone());
        }
        Self { session, shared, state }
    }

    /// Where the connection is.
    pub(crate) fn step(&self) -> Step {
        self.state.step
    }

    /// What is known of the connection.
    pub fn session(&self) -> &Slot<Session> {
        &self.session
    }

    /// What all connections share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether commands over 16 MiB may be handed over part by part: no script sees them, and none is a statement that is kept, so
    /// nobody needs them as a whole.
    pub fn takes_parts(&self) -> bool {
        let is_shown = self.state.settings.profiling && self.state.hooks.has(Hook::ReadQuery);
        !is_shown && !self.shared.tracks_sessions()
    }

    /// Gives everything up without asking the script: what is left to do if [`Event::Closed`] panicked.
    pub fn let_go(&mut self) {
        self.state.leave_places();
        if let Some(mut session) = self.take_session() {
            session.close_server(&self.shared);
        }
    }

    /// Empties the slot, at the end: every object of the script that refers to it finds it gone.
    fn take_session(&self) -> Option<Session> {
        let session = self.session.take()?;
        self.shared.live.remove(session.id);
        self.shared.stats.closed_connections.increment();
        Some(session)
    }

    /// What the client may still be told after a failure of the driver or in here, with the sequence id: an ERR, if it
    /// waits for something of which it has seen nothing. The connection is to be closed behind it.
    pub fn apology(&mut self, message: &str) -> Option<(u8, Reply)> {
        let exchange = &self.state.exchange;
        let waits = match self.state.step {
            Step::Login | Step::Command | Step::Ending | Step::Over => false,
            Step::Connect | Step::Greeting | Step::LoginAnswer | Step::LoginData => true,
            _ => !exchange.begun && !exchange.is_answered(),
        };
        let greeted = self.session.lock().is_some_and(|session| session.client.handshake.is_some());
        let reply = if greeted {
            Reply::proxy_error(message)
        } else {
            Reply::error_before_handshake(crate::ER_UNKNOWN_ERROR, message)
        };
        waits.then(|| {
            reply
                .packets()
                .iter()
                .for_each(|err| _ = self.shared.stats.errors.count(Source::Proxy, err));
            (self.state.client_ids.next(0), reply)
        })
    }

    /// The short way of most packets of the server: what is to be done with this one, if nothing else follows from it;
    /// [`Awaits::MoreAnswer`] holds on. `None`: hand the packet over with [`Engine::handle`].
    #[inline]
    pub fn short(&mut self, packet: &Incoming<'_>) -> Option<Short> {
        self.state.short(packet, self.shared.max_kept_bytes)
    }

    /// The script was asked, and waits for something before it says its verdict: what it did to the connection so far takes
    /// effect now. The packet that it was asked about is kept: [`Event::Verdict`] comes without. Says how to go on.
    pub fn verdict_is_pending(
        &mut self,
        at_hand: Option<Incoming<'_>>,
        driver: &mut dyn Driver,
    ) -> Awaits {
        // Before the lock: the script may want it already, and a long packet takes its time.
        let held = at_hand.map(Held::new);
        let Some(mut session) = self.session.lock() else { return Awaits::Abort };
        let (shared, state) = (&*self.shared, &mut self.state);
        Turn { session: &mut session, shared, state, driver }.begin_to_wait(held);
        self.state.awaits
    }

    /// Takes an event, has the driver do what follows from it, and says how to go on. Behind the end of the connection
    /// nothing follows.
    pub fn handle(&mut self, event: Event<'_>, driver: &mut dyn Driver) -> Then {
        let Some(mut session) = self.session.lock() else { return Then::Await(Awaits::Abort) };
        let (shared, state) = (&*self.shared, &mut self.state);
        Turn { session: &mut session, shared, state, driver }.take(event);
        drop(session);
        if self.state.step == Step::Over {
            drop(self.take_session());
            return Then::Await(Awaits::Abort);
        }
        match self.state.asked.take() {
            Some(ask) => Then::Ask(ask),
            None => Then::Await(self.state.awaits),
        }
    }
}

/// What is to be done with a packet that takes the short way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// Pass it to the client with this sequence id.
    Pass(u8),
    /// Drop it: the engine has kept what the script needs.
    Drop,
}

impl State {
    /// A packet in the middle of an answer, of no consequence for what is known of the connection, only passes, or is kept.
    /// Most packets are so, and this is all that happens to them.
    #[inline(always)]
    fn short(&mut self, packet: &Incoming<'_>, limit: usize) -> Option<Short> {
        let id = self.server_ids.id_of(packet.id);
        let in_order = self.server_ids.is_next(id);
        if self.step != Step::Answer || self.exchange.is_looked_at() || !in_order {
            return None;
        }
        let keeps = match &self.exchange.injection {
            None => false,
            // The first packet is looked at more closely.
            Some(injection) if injection.first_packet_at.is_none() => return None,
            Some(injection) if injection.query.failure_is_needed => return None,
            Some(injection) if !injection.query.resultset_is_needed => false,
            Some(injection) if injection.takes(packet.payload.len(), limit) => true,
            Some(_) => return None,
        };
        if let Some(translator) = &mut self.translator
            && !translator.passes(packet.payload)
        {
            return None;
        }
        let fed = self.tracker.feed(packet.payload);
        if !matches!(fed, Ok(Progress::More)) || self.tracker.part() == Part::Ok {
            self.fed = Some(fed);
            return None;
        }
        self.server_ids.received(id, id);
        match self.exchange.injection.as_mut().filter(|_| keeps) {
            Some(injection) => {
                injection.keep(packet.payload, limit);
                Some(Short::Drop)
            }
            None => {
                self.exchange.begun = true;
                Some(Short::Pass(self.client_ids.pass(id, id)))
            }
        }
    }
}
