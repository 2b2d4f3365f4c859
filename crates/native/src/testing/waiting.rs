//! A client whose hook waits: what that wants is done, and its end is brought about.

use std::sync::Arc;

use engine::{Awaits, Event, Hook, Side, Then};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use script::{Asked, FromScript};

use super::connection::{Input, State, Turn, Until};
use super::io::ForScript;

impl Turn<'_, '_> {
    /// The script waits; its surroundings stay what they are.
    pub(super) fn begin_to_wait(&mut self) -> Then {
        self.host.enter();
        let State { engine, io, .. } = &mut *self.state;
        Then::Await(match io.at_hand.clone() {
            Some(packet) => packet.show(|packet| engine.verdict_is_pending(Some(packet), io)),
            None => engine.verdict_is_pending(None, io),
        })
    }

    /// Waits for what the waiting script wants next. `None`: nothing happens.
    pub(super) fn wait(&mut self) -> PyResult<Option<Then>> {
        self.tell_script();
        let Some(message) = self.read_letter()? else { return Ok(None) };
        let event = match message {
            FromScript::Verdict(verdict) => {
                self.owner.call_method0("leave")?;
                self.host.leave();
                self.note_failure(&verdict);
                Event::Verdict(verdict, None)
            }
            FromScript::Query(id, query) => Event::Query { id, query },
            FromScript::Abandoned(id) => Event::Abandoned(id),
            FromScript::Moved => Event::Moved,
        };
        Ok(Some(self.hand_over(Input::Event(event))))
    }

    /// The next letter of the script. `None`: there is none, and nothing happens.
    fn read_letter(&self) -> PyResult<Option<FromScript>> {
        let letters = &self.state.letters;
        if let Some(letter) = letters.first() {
            return Ok(Some(letter));
        }
        let limit = self.state.patience;
        let was_in_time = match self.until {
            Until::Answered => {
                let waits = Arc::clone(letters);
                let still =
                    move |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| waits.is_empty();
                let still = PyCFunction::new_closure(self.py, None, None, still)?;
                self.owner.call_method1("begin_to_wait", (&still,))?;
                let was_in_time = self.py.detach(|| letters.wait(limit, None));
                self.owner.call_method1("end_to_wait", (still,))?;
                was_in_time
            }
            Until::Idle => {
                let (noted, question) = (Arc::clone(letters), letters.ask());
                let note = move |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
                    noted.note_idle(question);
                };
                let note = PyCFunction::new_closure(self.py, None, None, note)?;
                self.owner.call_method1("when_idle", (note,))?;
                self.py.detach(|| letters.wait(limit, Some(question)))
            }
        };
        if was_in_time { Ok(letters.first()) } else { Err(self.does_not_end()) }
    }

    fn does_not_end(&self) -> PyErr {
        let hook = self.state.hook.map_or("a hook", Hook::name);
        let script = self.state.script.as_ref();
        let stack = script.and_then(|(_, binding)| binding.stack(self.py).ok()).unwrap_or_default();
        let seconds = self.state.patience.as_secs_f64();
        PyRuntimeError::new_err(format!("{hook} has not ended after {seconds} s:\n{stack}"))
    }

    /// Goes on waiting for the script.
    pub(super) fn go_on(&mut self) -> PyResult<()> {
        match self.state.awaits {
            Awaits::Verdict if !self.state.is_over => match self.wait()? {
                Some(then) => self.follow(then),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The client is gone. A hook that waits is told, and comes to its end.
    pub(super) fn disconnect(&mut self) -> PyResult<()> {
        if self.state.is_over {
            return Ok(());
        }
        if self.state.awaits != Awaits::Verdict {
            return self.end();
        }
        let ended = self.take(Input::Event(Event::Ended(Side::Client)));
        if !self.state.is_over {
            // It does not come to its end.
            self.owner.call_method0("leave")?;
            self.host.leave();
            self.close();
        }
        ended
    }

    fn tell_script(&mut self) {
        for message in std::mem::take(&mut self.state.io.for_script) {
            let Some((_, binding)) = self.state.script.as_mut() else { continue };
            match message {
                ForScript::Resume(id, outcome) => binding.resume(id, outcome),
                ForScript::Cancel => binding.cancel(),
            }
        }
    }
}
