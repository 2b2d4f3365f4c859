//! A script and one connection, as a driver sees them.

use std::sync::Arc;
use std::time::Instant;

use pyo3::prelude::*;

use crate::asked::{Answer, Asked, FromScript, Mailbox};
use crate::classes::proxy::Proxy;
use crate::failure::Failure;
use crate::guest::Guest;
use crate::permission::Permission;
use crate::tied::Tied;
use crate::waiting::{self, Call, EventLoop, is_coroutine};
use engine::{Ask, Hook, HookSet, Outcome, QueryId, Session, Shared, Slot, Verdict};

/// The script version that a connection started with. Costs nothing until the first hook is called.
#[derive(Debug)]
pub struct Binding<G: Guest> {
    tied: Arc<Tied<G>>,
    /// Where a hook that waits says what it wants; `None`: none can wait.
    mailbox: Option<Arc<dyn Mailbox>>,
    /// The hook that waits.
    call: Option<Arc<Call>>,
}

impl<G: Guest> Binding<G> {
    /// Ties a connection to a script.
    pub fn new(
        script: Arc<G>,
        session: Slot<Session>,
        shared: Arc<Shared>,
        mailbox: Option<Arc<dyn Mailbox>>,
    ) -> Self {
        Self { tied: Arc::new(Tied::new(script, session, shared)), mailbox, call: None }
    }

    /// The connection's `proxy` object, made when it is first needed.
    pub fn proxy<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, Proxy>> {
        self.tied.proxy(py)
    }

    /// Where the coroutine of the hook is that waits, as a traceback has it.
    pub fn stack(&self, py: Python<'_>) -> PyResult<String> {
        self.call.as_ref().map_or_else(|| Ok(String::new()), |call| call.stack(py))
    }

    fn new_call(&mut self, ask: &Ask, mailbox: &Arc<dyn Mailbox>) -> Arc<Call> {
        let tied = &self.tied;
        let (session, shared) = (tied.session().clone(), Arc::clone(tied.shared()));
        let call =
            Call::new(ask.clone(), session, shared, Arc::clone(tied) as _, Arc::clone(mailbox));
        self.call = Some(Arc::clone(&call));
        call
    }

    /// Leaves the call to the loop, if that runs.
    fn begin_elsewhere(&mut self, ask: &Ask, packet: &[u8]) -> Option<Answer> {
        let event_loop = EventLoop::running()?;
        let mailbox = self.mailbox.clone()?;
        let call = self.new_call(ask, &mailbox);
        let packet = packet.to_vec();
        event_loop.post(Box::new(move |py| call.begin(py, &packet)));
        Some(Answer::Waits)
    }

    /// Calls the hook here. If it turns out to wait, it goes on elsewhere.
    fn call(&mut self, py: Python<'_>, ask: &Ask, packet: &[u8]) -> Result<Answer, Failure> {
        let returned = self.tied.call(py, ask, packet)?;
        let may_wait = ask.hook() != Hook::DisconnectClient && is_coroutine(&returned);
        match self.mailbox.as_ref().filter(|_| may_wait).cloned() {
            None => self.tied.conclude(py, ask, &returned).map(Answer::Verdict),
            Some(mailbox) => {
                let event_loop = EventLoop::get(py)?;
                let call = self.new_call(ask, &mailbox);
                let coroutine = returned.unbind();
                event_loop.post(Box::new(move |py| call.go_on(py, coroutine.bind(py))));
                Ok(Answer::Waits)
            }
        }
    }
}

impl<G: Guest> Asked for Binding<G> {
    fn hooks(&self) -> HookSet {
        self.tied.script().hooks().defined()
    }

    #[inline]
    fn runs_elsewhere(&self, hook: Hook) -> bool {
        self.mailbox.is_some() && self.tied.script().hooks().is_async(hook)
    }

    fn ask(&mut self, ask: &Ask, packet: &[u8]) -> Answer {
        let hook = ask.hook();
        if !self.hooks().has(hook) {
            return Answer::Verdict(Verdict::Proceed);
        }
        if self.runs_elsewhere(hook)
            && let Some(answer) = self.begin_elsewhere(ask, packet)
        {
            return answer;
        }
        let asked_at = Instant::now();
        let answer = G::attach(|py| {
            let begin = Instant::now();
            self.tied.shared().stats.python_wait.add(begin - asked_at);
            let _permission = Permission::of_hook(self.tied.session().identity());
            let called = {
                let _running = self.tied.enter(py, hook);
                self.call(py, ask, packet)
            };
            let answer = called.unwrap_or_else(|failure| {
                self.tied.log(py, hook, &failure);
                Answer::Verdict(Verdict::Failed)
            });
            match &answer {
                Answer::Verdict(verdict) => {
                    self.tied.count(hook, verdict, begin.elapsed());
                }
                Answer::Waits => {}
            }
            answer
        });
        answer.unwrap_or(Answer::Verdict(Verdict::Proceed))
    }

    fn resume(&mut self, id: QueryId, outcome: Outcome) {
        if let (Some(call), Some(event_loop)) = (self.call.clone(), EventLoop::running()) {
            event_loop.post(Box::new(move |py| waiting::resume(&call, py, id, outcome)));
        }
    }

    fn cancel(&mut self) {
        let Some(call) = self.call.clone() else { return };
        match EventLoop::running() {
            Some(event_loop) => event_loop.post(Box::new(move |py| call.cancel(py))),
            // The script closed the loop under its hooks.
            None => call.tell(FromScript::Verdict(Verdict::Failed)),
        }
    }
}
