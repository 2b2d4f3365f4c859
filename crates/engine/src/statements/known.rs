//! What is known of the client's prepared statements, for a script that is asked about commands, and for who counts them: their commands
//! have a number only.

use std::sync::Arc;

use wire::Command;
use wire::statement::Statements;

use crate::turn::Turn;
use crate::{Hook, Incoming};

impl Turn<'_> {
    /// Takes note of a command that the client sent.
    #[inline]
    pub fn note_statement(&mut self, packet: Incoming<'_>) {
        self.session.execution = None;
        if self.is_asked() || self.shared.counts_queries() {
            self.note_known_statement(packet);
        }
    }

    fn note_known_statement(&mut self, packet: Incoming<'_>) {
        match Command(packet.payload.first().copied().unwrap_or_default()) {
            // A long one need not be joined.
            Command::QUERY => {}
            Command::STMT_PREPARE => {
                self.state.exchange.preparing = packet.joined().get(1..).map(<[u8]>::to_vec);
            }
            _ if !self.is_asked() => {}
            _ => {
                if let Some(known) = self.known_statements() {
                    let execution = known.command(&packet.joined());
                    self.session.execution = execution.map(Arc::new);
                }
            }
        }
    }

    /// The client gets an answer that begins with this payload.
    #[inline]
    pub fn note_prepared(&mut self, payload: &[u8]) {
        if self.state.exchange.preparing.is_some() {
            self.note_known_prepared(payload);
        }
    }

    #[cold]
    fn note_known_prepared(&mut self, payload: &[u8]) {
        let Some(text) = self.state.exchange.preparing.take() else { return };
        if self.shared.counts_queries() {
            self.note_prepared_query(&text, payload);
        }
        if !self.is_asked() {
            return;
        }
        let capabilities = self.session.client.capabilities();
        if let Some(known) = self.known_statements() {
            known.prepared(&text, payload, capabilities);
        }
    }

    /// Whether a script is asked about commands.
    fn is_asked(&self) -> bool {
        self.state.settings.profiling && self.state.hooks.has(Hook::ReadQuery)
    }

    /// They go where the numbers are from.
    fn known_statements(&mut self) -> Option<&mut Statements> {
        if self.shared.tracks_sessions() {
            return Some(&mut self.session.statements.known);
        }
        self.session.server.as_mut().map(|server| &mut server.statements)
    }
}
