//! The proxy's end of a connection to a fake server, and the line between the two.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{Address, Link};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::payloads;

/// Whether both ends are there, and what the server sent that nobody has read yet.
#[derive(Debug, Default)]
struct State {
    is_closed: AtomicBool,
    /// Each packet has its sequence id: several commands may be on their way before the first answer is read.
    unread: Mutex<VecDeque<(u8, Vec<u8>)>>,
}

impl State {
    fn unread(&self) -> MutexGuard<'_, VecDeque<(u8, Vec<u8>)>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }
}

/// The line between the proxy and one connection of a fake server. Either end may close it.
#[pyclass(frozen, module = "pyproxy._native")]
#[derive(Debug)]
pub struct Line(Arc<State>);

#[pymethods]
impl Line {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// Whether it was closed.
    #[getter]
    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Hangs up.
    fn close(&self) {
        self.0.close();
    }
}

/// The proxy's end.
#[derive(Debug)]
pub struct ServerEnd {
    line: Arc<State>,
    /// Has a method that takes a payload and gives those of its answer. `None` if nobody will ever ask.
    server: Option<Py<PyAny>>,
    src: Address,
    dst: Address,
}

impl ServerEnd {
    /// For a connection of a fake server, whose greeting, if it has one, is there to be read.
    pub fn new(
        server: &Bound<'_, PyAny>,
        greeting: Option<Vec<u8>>,
        src: Address,
        dst: Address,
    ) -> PyResult<Self> {
        let line = server.getattr("line")?.cast::<Line>()?.get().0.clone();
        line.unread().extend(greeting.map(|packet| (0, packet)));
        Ok(Self { line, server: Some(server.clone().unbind()), src, dst })
    }

    /// With nobody at the other end.
    pub fn alone(src: Address, dst: Address) -> Self {
        Self { line: Arc::default(), server: None, src, dst }
    }

    /// Whether the server hung up, and all that it said was read.
    pub fn has_hung_up(&self) -> bool {
        self.line.is_closed() && self.line.unread().is_empty()
    }

    /// Throws away what the server sent.
    pub fn discard(&self) {
        self.line.unread().clear();
    }

    /// Lets the server answer a payload whose last packet has the id in front of `next_id`.
    pub fn deliver(&self, py: Python<'_>, payload: &[u8], next_id: u8) -> PyResult<()> {
        let Some(server) = &self.server else { return Ok(()) };
        if self.line.is_closed() {
            return Ok(());
        }
        let answer = server.bind(py).call_method1("receive", (PyBytes::new(py, payload),))?;
        let mut ids = (0..=u8::MAX).cycle().skip(next_id.into());
        for payload in answer.try_iter()? {
            let payload = payload?.cast_into::<PyBytes>()?;
            let packets = payloads::packets(payload.as_bytes()).map(<[u8]>::to_vec);
            let numbered = packets.zip(ids.by_ref()).map(|(packet, id)| (id, packet));
            self.line.unread().extend(numbered);
        }
        Ok(())
    }

    /// The next packet of the server, with its sequence id.
    pub fn read(&self) -> Option<(u8, Vec<u8>)> {
        self.line.unread().pop_front()
    }
}

/// What the engine holds of it. Dropping it hangs up.
#[derive(Debug)]
pub struct ServerLink(Arc<ServerEnd>);

impl ServerLink {
    /// The link to a server.
    pub fn new(end: ServerEnd) -> Self {
        Self(Arc::new(end))
    }

    /// The end behind a link, all of which are ours.
    pub fn end(link: &dyn Link) -> Option<Arc<ServerEnd>> {
        let link: &dyn Any = link;
        link.downcast_ref::<Self>().map(|link| Arc::clone(&link.0))
    }
}

impl Drop for ServerLink {
    fn drop(&mut self) {
        self.0.line.close();
    }
}

impl Link for ServerLink {
    fn is_quiet(&self) -> bool {
        !self.0.line.is_closed() && self.0.line.unread().is_empty()
    }

    fn addresses(&self) -> (Address, Address) {
        (self.0.src.clone(), self.0.dst.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> ServerLink {
        ServerLink::new(ServerEnd::alone(Address::default(), Address::default()))
    }

    #[test]
    fn a_server_that_spoke_or_left_is_not_quiet() {
        let link = link();
        assert!(link.is_quiet());
        link.0.line.unread().push_back((0, b"bye".to_vec()));
        assert!(!link.is_quiet());
        link.0.line.close();
        assert!(!link.0.has_hung_up(), "its last words are to be read");
        assert_eq!(link.0.read(), Some((0, b"bye".to_vec())));
        assert!(link.0.has_hung_up() && !link.is_quiet());
    }

    #[test]
    fn who_drops_the_link_hangs_up() {
        let link = link();
        let line = Line(Arc::clone(&link.0.line));
        assert!(ServerLink::end(&link).is_some() && !line.is_closed());
        drop(link);
        assert!(line.is_closed());
    }
}
