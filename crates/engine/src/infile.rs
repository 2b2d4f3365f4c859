//! LOAD DATA LOCAL INFILE: the client's file and the server's verdict on it.

use wire::result::Step as Progress;

use crate::engine::Step;
use crate::exchange::Infile;
use crate::turn::Turn;
use crate::{Awaits, Incoming, Reply, Side};

impl Turn<'_> {
    /// One packet of the file arrived; an empty one ends it.
    pub fn file(&mut self, packet: Incoming<'_>) {
        let is_last = packet.payload.is_empty();
        let for_server =
            self.state.exchange.infile == Infile::ForServer && self.session.server.is_some();
        if for_server {
            self.forward(Side::Server, packet);
        }
        if !is_last {
            return self.go(Step::File, Awaits::File);
        }
        self.state.exchange.infile = Infile::No;
        if for_server {
            return self.go(Step::FileAnswer, Awaits::FileAnswer);
        }
        if let Some(due) = self.state.exchange.due.take() {
            self.send_to_client(&Reply::ok(self.session.status()));
            due.given();
        }
        self.command_done();
    }

    /// The server's answer to the file.
    pub fn file_answer(&mut self, packet: Incoming<'_>) {
        let Some(progress) = self.follow(packet) else { return };
        match progress {
            Progress::Done => self.answer_done(packet),
            Progress::More => {
                // Another statement of the same command has a result, too.
                self.keep_or_forward(packet);
                self.go(Step::Answer, Awaits::MoreAnswer);
            }
            progress => {
                log::error!("{}: unexpected answer to a file: {progress:?}", self.name());
                self.broken("cannot follow the server's answer, see the proxy log");
            }
        }
    }
}
