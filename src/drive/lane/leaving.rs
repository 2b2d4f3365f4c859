//! Connections that leave their backends.

use engine::{Awaits, Event};

use super::connection::Connection;
use super::tools::Tools;

impl Connection {
    /// Looks whether the backend is one that clients leave, and leaves it if it can now. Whether it did.
    #[inline]
    pub fn leave_backend(&mut self, tools: &mut Tools) -> bool {
        tools.ctx.shared.leaving.any() && self.leave_now(tools)
    }

    #[cold]
    fn leave_now(&mut self, tools: &mut Tools) -> bool {
        let ends = |awaits| matches!(awaits, Awaits::Close | Awaits::Abort);
        if ends(self.awaits) {
            return false;
        }
        let attached = {
            let session = self.engine.session().lock();
            session.and_then(|session| session.server.as_ref().map(|server| server.backend))
        };
        if !attached.is_some_and(|ndx| tools.ctx.shared.is_left(ndx)) {
            return false;
        }
        self.tell(Event::BackendLeft, tools);
        ends(self.awaits)
    }
}
