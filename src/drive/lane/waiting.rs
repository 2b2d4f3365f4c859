//! What arrives as letters in the inbox of the connection's thread: what hooks that wait want, and that a backend has room again.

use std::sync::Arc;

use engine::{Awaits, End, Event, Notify, Side};
use script::{FromScript, Mailbox};

use super::connection::Connection;
use super::inbox::Inbox;
use super::io::ForScript;
use super::proxy_header::Introduction;
use super::tools::Tools;

/// What comes from another thread, and for which connection.
#[derive(Debug)]
pub struct Letter {
    /// The connection's number on its thread.
    pub key: usize,
    /// Its number in this process: another one may have the key by now.
    pub id: u64,
    /// What it is.
    pub message: Message,
}

/// What comes from another thread.
#[derive(Debug)]
pub enum Message {
    /// A waiting hook wants something.
    Script(FromScript),
    /// There is a place at the backend that was full.
    Placed,
    /// Somebody wants it to end.
    Killed,
}

/// The inbox as one connection's hooks see it.
#[derive(Debug)]
pub struct Letterbox {
    inbox: Arc<Inbox>,
    key: usize,
    id: u64,
}

impl Letterbox {
    /// Of a connection.
    pub fn new(inbox: Arc<Inbox>, key: usize, id: u64) -> Self {
        Self { inbox, key, id }
    }

    fn post(&self, message: Message) {
        self.inbox.post(Letter { key: self.key, id: self.id, message });
    }

    /// What leaves [`Message::Killed`].
    pub fn end(self) -> End {
        Arc::new(move || self.post(Message::Killed))
    }

    /// What leaves [`Message::Placed`].
    pub fn notify_of_place(self) -> Notify {
        Box::new(move |_| self.post(Message::Placed))
    }
}

impl Mailbox for Letterbox {
    fn put(&self, message: FromScript) {
        self.post(Message::Script(message));
    }
}

impl Connection {
    /// A letter for this connection.
    pub fn letter(&mut self, message: Message, tools: &mut Tools) {
        match message {
            Message::Script(message) => self.script_wants(message, tools),
            Message::Placed => _ = self.tell(Event::Placed, tools),
            Message::Killed if self.waits => self.hurry(Event::Ended(Side::Client), tools),
            Message::Killed => {
                if self.introduction != Introduction::Done {
                    self.introduction = Introduction::Refused;
                }
                self.awaits = Awaits::Abort;
            }
        }
    }

    /// The waiting hook wants something.
    fn script_wants(&mut self, message: FromScript, tools: &mut Tools) {
        if !self.waits {
            return;
        }
        let event = match message {
            FromScript::Verdict(verdict) => {
                self.waits = false;
                Event::Verdict(verdict, None)
            }
            FromScript::Query(id, query) => Event::Query { id, query },
            FromScript::Abandoned(id) => Event::Abandoned(id),
            FromScript::Moved => Event::Moved,
        };
        self.tell(event, tools);
    }

    /// The verdict is awaited: only the client is watched. Whether it left.
    pub(super) fn waiting(&mut self, tools: &mut Tools) -> bool {
        if self.is_left || !self.client_left(tools) {
            return false;
        }
        self.is_left = true;
        self.tell(Event::Ended(Side::Client), tools)
    }

    /// Whether a hook waits.
    pub fn is_waiting(&self) -> bool {
        self.waits
    }

    /// There is no more time for the waiting hook: it is cancelled, and the connection ends behind it.
    pub fn hurry(&mut self, why: Event<'_>, tools: &mut Tools) {
        if self.waits && !self.is_left {
            self.is_left = true;
            self.tell(why, tools);
        }
    }

    /// The waiting hook is told what the engine has for it.
    #[inline]
    pub(super) fn tell_script(&mut self) {
        if !self.io.for_script.is_empty() {
            self.tell_all();
        }
    }

    fn tell_all(&mut self) {
        for message in std::mem::take(&mut self.io.for_script) {
            let Some(script) = self.script.as_mut() else { continue };
            match message {
                ForScript::Resume(id, outcome) => script.resume(id, outcome),
                ForScript::Cancel => script.cancel(),
            }
        }
    }

    /// The connection ends without the verdict of the hook that waits.
    pub(super) fn give_up(&mut self) {
        if std::mem::take(&mut self.waits)
            && let Some(script) = self.script.as_mut()
        {
            script.cancel();
        }
        if self.awaits == Awaits::Verdict {
            self.awaits = Awaits::Abort;
        }
    }
}
