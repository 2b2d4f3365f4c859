//! What `proxy.connection.backend_ndx = n` does: attach, park and choose (host contract 2.8, scripting API 5).

use super::{Hook, Server, Session, Shared};
use crate::boundary::HostCall;

/// What became of an assignment to `backend_ndx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switched {
    /// Done, or there was nothing to do.
    Done,
    /// No idle connection fits: the index stays as it was.
    NoMatch,
}

/// Why an assignment to `backend_ndx` is not possible now.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SwitchError {
    /// The server connection is in the middle of its login.
    #[error("backend_ndx cannot be changed in {0}: the login is not complete")]
    LoginPending(&'static str),
    /// The object is not used in a hook of its own connection.
    #[error("backend_ndx can only be changed in a hook of its own connection")]
    NotInHook,
}

impl Session {
    /// Assigns `backend_ndx`; `None` is -1, none.
    pub fn set_backend(
        &mut self,
        call: &HostCall,
        shared: &Shared,
        ndx: Option<usize>,
    ) -> Result<Switched, SwitchError> {
        let hook = self.hook.ok_or(SwitchError::NotInHook)?;
        match hook {
            Hook::ReadHandshake | Hook::ReadAuth => {
                return Err(SwitchError::LoginPending(hook.name()));
            }
            Hook::ReadAuthResult if !self.login_accepted => {
                return Err(SwitchError::LoginPending(hook.name()));
            }
            _ => {}
        }
        match ndx {
            None => {
                self.park_server(call, shared);
                self.choice = None;
                Ok(Switched::Done)
            }
            Some(ndx) if self.server.as_ref().is_some_and(|server| server.backend == ndx) => {
                Ok(Switched::Done)
            }
            Some(ndx) => self.attach(call, shared, ndx, hook),
        }
    }

    fn attach(
        &mut self,
        call: &HostCall,
        shared: &Shared,
        ndx: usize,
        hook: Hook,
    ) -> Result<Switched, SwitchError> {
        let before_connect = hook == Hook::ConnectServer;
        let found = self.take_idle(call, shared, ndx, before_connect);
        match found {
            Some(server) => {
                self.exchange_server(call, shared, server);
                self.choice = before_connect.then_some(ndx);
                Ok(Switched::Done)
            }
            None if before_connect => {
                self.park_server(call, shared);
                self.choice = Some(ndx);
                Ok(Switched::Done)
            }
            None => Ok(Switched::NoMatch),
        }
    }

    /// The idle connection of backend `ndx` that this client may have.
    fn take_idle(
        &self,
        call: &HostCall,
        shared: &Shared,
        ndx: usize,
        before_connect: bool,
    ) -> Option<Server> {
        let mut pool = shared.pool.borrow_mut(call);
        let idle = pool.of(ndx);
        if before_connect {
            return idle.take_for_anyone(call);
        }
        // A client that left before it named a user can own no pooled connection.
        let login = self.client.login.as_ref().filter(|login| !login.username.is_empty())?;
        let user = self.client.server_user.as_deref().unwrap_or(&login.username);
        idle.take_for_user(call, user, login.capabilities)
    }

    /// Attaches `server`, which was taken from the pool, in place of the present connection, which is parked.
    pub fn exchange_server(&mut self, call: &HostCall, shared: &Shared, mut server: Server) {
        self.park_server(call, shared);
        server.count(call, &shared.backends);
        self.server = Some(server);
    }

    /// Detaches the server connection: into the pool if another client may get it as it is, else closed.
    pub fn park_server(&mut self, call: &HostCall, shared: &Shared) {
        let Some(mut server) = self.server.take() else { return };
        self.detached_status = server.status();
        server.uncount(call, &shared.backends);
        if may_be_shared(&server, call, shared) {
            let ndx = server.backend;
            shared.pool.borrow_mut(call).of(ndx).park(call, server);
        } else {
            server.close(call, &shared.backends);
        }
    }
}

/// Whether the next client may get this connection: clean, and its transaction (if any) will be ended by the login of the
/// next client.
fn may_be_shared(server: &Server, call: &HostCall, shared: &Shared) -> bool {
    server.is_clean(call) && (shared.pool_change_user || !server.in_transaction())
}
