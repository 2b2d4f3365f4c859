//! The side that is not awaited is watched as well.

use engine::{Awaits, Event, Side};

use super::connection::Connection;
use super::peer::Read;
use super::tools::Tools;

impl Connection {
    /// Whether the client has left, while something else is awaited, and nothing that it said before is still to be done.
    pub(super) fn client_left(&mut self, tools: &mut Tools) -> bool {
        let client = &mut self.io.client;
        if !client.has_hung_up() {
            return false;
        }
        if client.is_broken() {
            return true;
        }
        loop {
            if client.input.command().is_some() {
                return false;
            }
            match client.read(&mut tools.buffers) {
                Read::Some => {}
                Read::Nothing | Read::End => return true,
            }
        }
    }

    /// Whether the server spoke, or went, while the client is awaited.
    pub(super) fn server_spoke(&mut self, tools: &mut Tools) -> bool {
        if self.awaits == Awaits::File {
            // It waits for the end of the file before it says anything.
            return false;
        }
        let Some(server) = self.io.server.as_mut() else { return false };
        if server.input.packet().is_some() {
            self.feed(Side::Server, tools);
            return true;
        }
        if !server.is_readable() {
            return false;
        }
        match server.read(&mut tools.buffers) {
            Read::Some => true,
            Read::Nothing => false,
            Read::End => self.tell(Event::Ended(Side::Server), tools),
        }
    }
}
