//! One callback in progress: the connection, its state, and the small moves that every handler makes.

use std::cell::RefMut;

use crate::boundary::HostCall;
use crate::chassis::{Con, ConState, Socket, Verdict};
use crate::session::reply::ER_UNKNOWN_ERROR;
use crate::session::{Hook, Reply, Session};

use super::connection::Connection;
use super::context::{Context, OnScriptError};

/// What a handler works with.
#[derive(Debug)]
pub struct Step<'h> {
    /// The running plugin.
    pub ctx: &'static Context,
    /// Proof that we are in a callback.
    pub call: &'h HostCall,
    /// The host's view of the connection.
    pub con: Con<'h>,
    /// Our state of the connection.
    pub conn: &'h mut Connection,
    /// The client's socket.
    pub client: Socket<'h>,
}

impl<'h> Step<'h> {
    /// What is known of the connection. Do not hold it while a script may run.
    pub fn session(&self) -> RefMut<'_, Session> {
        self.conn.session.borrow_mut(self.call).expect("only cleanup empties the slot")
    }

    /// Whether a server is attached.
    pub fn has_server(&self) -> bool {
        self.session().server.is_some()
    }

    /// Uses the server's socket, if a server is attached. `f` cannot ask for the session, which owns the socket.
    pub fn with_server<R>(&self, f: impl FnOnce(Socket<'_>) -> R) -> Option<R> {
        self.session().server.as_ref().map(|server| f(server.socket.view(self.call)))
    }

    /// Tells the host which server socket the session has now. Due after every script call and every change.
    pub fn sync_server(&self) {
        let session = self.session();
        self.con.set_server(session.server.as_ref().map(|server| &server.socket));
    }

    /// Closes the server connection and takes it off its backend's count.
    pub fn close_server(&self) {
        self.con.set_server(None);
        self.session().close_server(self.call, self.ctx.shared);
    }

    /// Ends the callback in `state`.
    pub fn go(&self, state: ConState) -> Verdict {
        self.con.set_state(state);
        Verdict::Success
    }

    /// Queues `reply` for the client and hangs up after it. Not for CONNECT_SERVER, which needs [`Verdict::Error`].
    pub fn refuse(&self, reply: &Reply) -> Verdict {
        self.send_to_client(reply);
        self.go(ConState::SendError)
    }

    /// An ERR in the form that the client reads now: without SQL state until it knows the protocol.
    pub fn login_error(&self, message: &str) -> Reply {
        if self.session().client.login.is_some() {
            Reply::error(ER_UNKNOWN_ERROR, b"HY000", message)
        } else {
            Reply::error_before_handshake(ER_UNKNOWN_ERROR, message)
        }
    }

    /// Queues the packets of `reply` for the client.
    pub fn send_to_client(&self, reply: &Reply) {
        for payload in reply.packets() {
            self.client.append_payload(payload);
        }
    }

    /// Both sides start a new exchange.
    pub fn reset_packet_ids(&self) {
        self.client.reset_packet_ids();
        self.with_server(|server| server.reset_packet_ids());
    }

    /// Whether a failed hook means an ERR for the client.
    pub fn rejects_on_script_error(&self) -> bool {
        self.ctx.settings.on_script_error == OnScriptError::Reject
    }

    /// The number that names this connection in the log.
    pub fn id(&self) -> u64 {
        self.session().id
    }
}

/// What a client is told when a hook failed; the details are in the log only.
pub fn hook_failed(hook: Hook) -> String {
    format!("{} failed, see the proxy log", hook.name())
}
