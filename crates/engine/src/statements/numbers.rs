//! The numbers of statements: in commands on their way to the server, and in its answers to preparations.

use std::borrow::Cow;
use std::sync::Arc;

use wire::reply::{PrepareOk, is_ok};
use wire::statement::{BoundTypes, statement_id};
use wire::{Command, MAX_PAYLOAD};

use super::{NO_STATEMENT, ServerStatement};
use crate::turn::Turn;
use crate::{Incoming, Side};

/// Where a number stands in every command about a statement, and in the answer to a preparation.
const NUMBER_AT: std::ops::Range<usize> = 1..5;

/// A payload with another number.
fn numbered(payload: &[u8], number: u32) -> Vec<u8> {
    let mut other = payload.to_vec();
    if let Some(place) = other.get_mut(NUMBER_AT) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    other
}

impl Turn<'_> {
    /// The statement that a command is about, if it is one of the client's and the commands of clients run on more than one server
    /// connection.
    pub fn statement_of(&self, packet: &[u8]) -> Option<u32> {
        let number = statement_id(packet).filter(|_| self.shared.tracks_sessions())?;
        let number = self.session.statements.resolved(number);
        self.session.statements.get(number).map(|_| number)
    }

    /// A command as the attached server takes it, as far as it is about a statement. `None`: the server is told nothing.
    pub fn about_statement<'p>(&mut self, packet: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        let number = statement_id(packet).filter(|_| self.shared.tracks_sessions());
        let Some(number) = number else { return Some(Cow::Borrowed(packet)) };
        let statements = &mut self.session.statements;
        let number = statements.resolved(number);
        let Some(server) = self.session.server.as_mut() else { return Some(Cow::Borrowed(packet)) };
        let capabilities = server.capabilities();
        let on_server = &mut server.session.statements.0;
        if packet.first() == Some(&Command::STMT_CLOSE.0) {
            statements.close(number);
            return on_server.remove(&number).map(|it| Cow::Owned(numbered(packet, it.id)));
        }
        let known = statements.prepared.get_mut(&number);
        let (Some(statement), Some(there)) = (known, on_server.get_mut(&number)) else {
            // Unless it is another one there, the server says what it says to everyone.
            let is_another = on_server.values().any(|it| it.id == number);
            let number = if is_another { NO_STATEMENT } else { number };
            return Some(Cow::Owned(numbered(packet, number)));
        };
        let mut packet = numbered(packet, there.id);
        // A packet that cannot be read is the server's to refuse.
        if let Ok(Some(place)) = BoundTypes::find(&packet, capabilities, statement.params) {
            match (place.bytes(&packet), &statement.types) {
                (Some(same), Some(types)) if *same == **types => {}
                (Some(types), _) => {
                    statements.kept -= statement.kept();
                    statement.types = Some(Arc::from(types));
                    statements.kept += statement.kept();
                }
                (None, Some(types)) if there.types.as_ref() != Some(types) => {
                    packet = place.insert(&packet, types);
                }
                (None, _) => {}
            }
            there.types.clone_from(&statement.types);
        }
        Some(Cow::Owned(packet))
    }

    /// A statement that the client closes is closed, wherever its commands run.
    pub fn note_closed_statement(&mut self, packet: &[u8]) {
        if packet.first() == Some(&Command::STMT_CLOSE.0)
            && let Some(number) = self.statement_of(packet)
        {
            self.session.statements.close(number);
        }
    }

    /// Passes a command of the client on.
    pub fn forward_about_statement(&mut self, packet: Incoming<'_>) {
        if self.statement_number(packet.payload).is_none() {
            return self.forward(Side::Server, packet);
        }
        let payload = packet.joined();
        let Some(other) = self.about_statement(&payload) else { return };
        let is_one_part = packet.rest.is_empty();
        if !is_one_part || other.len() >= MAX_PAYLOAD && !packet.is_continued() {
            return self.send_to_server(&other);
        }
        // Of one whose rest is passed on behind it, the length stays.
        let payload = other.get(..MAX_PAYLOAD).unwrap_or(&other);
        let is_held = std::mem::replace(&mut self.state.at_hand_is_held, true);
        self.forward(Side::Server, Incoming { payload, ..packet });
        self.state.at_hand_is_held = is_held;
    }

    fn statement_number(&self, packet: &[u8]) -> Option<u32> {
        statement_id(packet).filter(|_| self.shared.tracks_sessions())
    }

    /// What is sent next prepares a statement, if this is a preparation.
    pub fn expect_statement(&mut self, packet: &[u8]) {
        let text = packet.split_first().filter(|(command, _)| **command == Command::STMT_PREPARE.0);
        let text = text.filter(|_| self.shared.tracks_sessions());
        self.state.exchange.numbers = text.map(|(_, text)| Arc::from(text));
    }

    /// The first packet of an answer to a preparation, with a number of the client's own.
    pub fn numbered_answer(&mut self, packet: Incoming<'_>) {
        let text = self.state.exchange.numbers.take();
        let prepared = PrepareOk::parse(packet.payload).ok().filter(|_| is_ok(packet.payload));
        let (Some(text), Some(prepared)) = (text, prepared) else {
            self.session.statements.last = None;
            return self.translated_answer(packet);
        };
        let (state, database) = (&self.session.state, &self.session.client.default_db);
        let number = self.session.statements.add(text, prepared.params, state, database);
        if let Some(server) = self.session.server.as_mut() {
            let there = ServerStatement { id: prepared.statement_id, types: None };
            server.session.statements.0.insert(number, there);
        }
        let payload = numbered(packet.payload, number);
        self.state.at_hand_is_held = true;
        self.translated_answer(Incoming { payload: &payload, ..packet });
        self.state.at_hand_is_held = false;
    }
}
