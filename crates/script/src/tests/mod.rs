//! Tests against a real interpreter: one guest for all, one script per test.

mod answers;
mod binary;
mod commands;
mod connections;
mod counting;
mod guest;
mod hooks;
mod lifetime;
mod mistakes;
mod queries;
mod responses;
mod results;

use std::sync::Arc;

use doubles::{AlwaysUp, logged};
use engine::{Ask, Client, Hook, Injection, Session, Shared, Slot, Verdict};

use self::guest::{Script, load};
use crate::asked::{Answer, Asked};
use crate::binding::Binding;
use crate::guest::Guest;
use wire::Capabilities;
use wire::connect::Login;

pub use self::guest::python;

/// What connections share.
fn shared() -> Arc<Shared> {
    Arc::new(Shared::new(Box::new(AlwaysUp(0)), true, 1 << 20))
}

/// What a script says that does not wait.
fn said(answer: Answer) -> Verdict {
    match answer {
        Answer::Verdict(verdict) => verdict,
        Answer::Waits => panic!("no hook waits here"),
    }
}

/// A client connection with a script.
struct Connection {
    session: Slot<Session>,
    binding: Binding<Script>,
    script: Arc<Script>,
    shared: Arc<Shared>,
}

impl Connection {
    fn new(script: &str) -> Self {
        Self::of(load(script))
    }

    fn of(script: Arc<Script>) -> Self {
        let mut client = Client::default();
        client.src.name = "10.0.0.1:5555".to_owned();
        client.src.address = Some("10.0.0.1".to_owned());
        client.src.port = Some(5555);
        client.src.family = 2;
        let session = Slot::new(Session::new(7, client));
        let shared = shared();
        let binding = Binding::new(Arc::clone(&script), session.clone(), Arc::clone(&shared), None);
        logged(log::Level::Error);
        Self { session, binding, script, shared }
    }

    /// Calls a hook; `read_query` gets `SELECT 1`.
    fn call(&mut self, hook: Hook) -> Verdict {
        match hook {
            Hook::ReadAuthResult => self.ask(&Ask::Hook(hook), b"\0\0\0"),
            Hook::ReadQuery => self.query(b"\x03SELECT 1"),
            Hook::ReadQueryResult => self.ask(&Ask::Result(results::ok()), b""),
            _ => self.ask(&Ask::Hook(hook), b""),
        }
    }

    /// As the engine and its driver do together.
    fn ask(&mut self, ask: &Ask, packet: &[u8]) -> Verdict {
        self.change(|session| session.hook = Some(ask.hook()));
        let verdict = said(self.binding.ask(ask, packet));
        self.change(|session| session.hook = None);
        verdict
    }

    fn query(&mut self, packet: &[u8]) -> Verdict {
        self.ask(&Ask::Hook(Hook::ReadQuery), packet)
    }

    fn result(&mut self, injection: Injection) -> Verdict {
        let slot = Slot::new(injection);
        let verdict = self.ask(&Ask::Result(slot.clone()), b"");
        slot.take().expect("the injection comes back");
        verdict
    }

    /// Changes what is known of the connection.
    fn change(&self, f: impl FnOnce(&mut Session)) {
        f(&mut self.session.lock().expect("alive"));
    }
}

/// The login of a client with this character set.
fn login(charset: u8) -> Arc<Login> {
    Arc::new(Login {
        capabilities: Capabilities::PROTOCOL_41,
        max_packet_size: 0,
        charset,
        username: b"ann".to_vec(),
        auth_response: Vec::new(),
        database: None,
        auth_plugin: None,
        attributes: None,
        zstd_level: None,
    })
}
