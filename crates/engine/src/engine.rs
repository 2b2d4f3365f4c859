//! The state machine of one connection.

use std::sync::Arc;

use wire::Capabilities;
use wire::connect::Login;
use wire::result::ResultTracker;

use crate::exchange::Exchange;
use crate::login_rounds::LoginRounds;
use crate::numbering::Numbering;
use crate::turn::Turn;
use crate::{Ask, Driver, Event, HookSet, Injection, Session, Settings, Shared, Slot};

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
    /// Sequence ids of both sides.
    pub client_ids: Numbering,
    pub server_ids: Numbering,
}

/// Where a connection is. What arrives in a step that does not expect it ends the connection.
#[derive(Debug, Default)]
pub enum Step {
    /// A server is to be found, or its connect is under way.
    #[default]
    Connect,
    /// The server is to greet.
    Greeting,
    /// The client is to log in.
    Login,
    /// The server is to answer the login.
    LoginAnswer,
    /// The client is to answer a question of the login.
    LoginData,
    /// The client is to send a command.
    Command,
    /// The server is to answer a command.
    Answer,
    /// The client is to send its file.
    File,
    /// The server is to answer the file.
    FileAnswer,
    /// The script is asked.
    Asked(Question),
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
        use crate::Hook;
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
            tracker: ResultTracker::new(0, Capabilities::NONE),
            login: LoginRounds::default(),
            exchange: Exchange::default(),
            connect_attempts: 0,
            may_compress: false,
            client_ids: Numbering::default(),
            server_ids: Numbering::default(),
        };
        Self { session, shared, state }
    }

    /// What is known of the connection.
    pub fn session(&self) -> &Slot<Session> {
        &self.session
    }

    /// What all connections share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Lets go of everything without asking the script: what is left to do if [`Event::Closed`] went wrong.
    pub fn let_go(&mut self) {
        if let Some(mut session) = self.session.take() {
            session.close_server(&self.shared);
        }
    }

    /// Takes an event and has the driver do what follows from it. Behind the end of the connection nothing does.
    pub fn handle(&mut self, event: Event<'_>, driver: &mut dyn Driver) {
        let Some(mut session) = self.session.lock() else { return };
        let (shared, state) = (&*self.shared, &mut self.state);
        let mut turn = Turn { session: &mut session, shared, state, driver };
        turn.take(event);
        let is_over = matches!(turn.state.step, Step::Over);
        drop(session);
        if is_over {
            // Every object of the script that refers to it finds it gone.
            drop(self.session.take());
        }
    }
}
