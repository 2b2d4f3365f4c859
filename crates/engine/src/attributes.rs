//! Query attributes (MySQL 8.0.23): named values in front of the text of a query, or behind the parameters of an execution.
//!
//! Scripts see a query without them. What goes on as it came keeps its bytes; a query that a script queues gets the client's
//! attributes if it is the client's, else none.

use std::borrow::Cow;
use std::collections::BTreeSet;

use wire::query_attributes::{self, NONE};
use wire::statement::{
    PARAMETER_COUNT_AVAILABLE, Params, StmtExecute, StmtReset, StmtSendLongData,
};
use wire::{Capabilities, Command, WireError};

use crate::turn::Turn;
use crate::{Hook, Incoming};

/// What came with the client's command in progress.
#[derive(Debug, Default)]
pub struct Attributes {
    block: Vec<u8>,
    hidden: usize,
    /// The text behind attributes, if there are any: a script may queue it again.
    text: Vec<u8>,
    /// A statement, and its parameters whose values were sent ahead of the next execution. Clients do not mix those of
    /// several.
    ahead: (u32, BTreeSet<u16>),
}

impl Attributes {
    /// The attributes as a query carries them, for [`wire::query_attributes::parse`]; empty if there cannot be any, or if
    /// no script asks.
    pub fn block(&self) -> &[u8] {
        &self.block
    }

    /// How many bytes of the client's packet, behind the command byte, scripts do not see.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    fn clear(&mut self) {
        self.block.clear();
        self.hidden = 0;
        // It may have been long.
        self.text = Vec::new();
    }

    /// Those in front of a query. `is_asked`: there is a script to see them.
    fn read_query(&mut self, argument: &[u8], is_asked: bool) -> Result<(), WireError> {
        let (block, text) = query_attributes::split(argument)?;
        self.hidden = block.len();
        if is_asked {
            self.block.extend_from_slice(block);
            if block != NONE {
                self.text.extend_from_slice(text);
            }
        }
        Ok(())
    }

    /// Those of an execution, which are its parameters with names. An execution that cannot be read has none.
    fn read_execution(&mut self, payload: &[u8]) {
        let Ok((statement, flags)) = StmtExecute::cursor(payload) else { return };
        let (of, ahead) = std::mem::take(&mut self.ahead);
        if flags & PARAMETER_COUNT_AVAILABLE == 0 {
            return;
        }
        let ahead = if of == statement { ahead } else { BTreeSet::new() };
        // How many parameters are the statement's own is not known, and makes no difference, but for those that came ahead.
        let own = ahead.last().map_or(0, |last| last.saturating_add(1));
        let Ok(execute) =
            StmtExecute::parse(payload, Capabilities::QUERY_ATTRIBUTES, own, None, &ahead)
        else {
            return;
        };
        let own = match execute.params {
            Params::Typed(params) => params,
            Params::Untyped(_) => Vec::new(),
        };
        let all = own.into_iter().chain(execute.attributes.unwrap_or_default());
        let named: Vec<_> =
            all.filter(|param| !param.name.is_empty() && param.value.is_some()).collect();
        if !named.is_empty() {
            self.block = query_attributes::encode(&named).unwrap_or_default();
        }
    }

    fn sent_ahead(&mut self, payload: &[u8]) {
        let Ok(piece) = StmtSendLongData::parse(payload) else { return };
        if self.ahead.0 != piece.statement_id {
            self.ahead = (piece.statement_id, BTreeSet::new());
        }
        self.ahead.1.insert(piece.param);
    }

    fn reset(&mut self, payload: &[u8]) {
        if StmtReset::parse(payload).is_ok_and(|reset| reset.statement_id == self.ahead.0) {
            self.ahead.1.clear();
        }
    }

    /// A query of a script as a server takes it.
    pub(crate) fn put_before(&self, query: &[u8]) -> Vec<u8> {
        let (command, text) = query.split_at_checked(1).unwrap_or_default();
        let is_clients = !self.text.is_empty() && self.text == text;
        [command, if is_clients { &self.block } else { NONE }, text].concat()
    }
}

impl Turn<'_> {
    /// Learns which attributes a command has. An error if scripts cannot be shown the text that the server would read.
    pub fn read_attributes(&mut self, packet: Incoming<'_>) -> Result<(), WireError> {
        let attributes = &mut self.session.attributes;
        attributes.clear();
        if !self.session.client.capabilities().contains(Capabilities::QUERY_ATTRIBUTES) {
            return Ok(());
        }
        let is_asked = self.state.settings.profiling && self.state.hooks.has(Hook::ReadQuery);
        // A query without a hook is only passed on. One of several parts that is `USE` does not exist.
        let whole = if is_asked { packet.joined() } else { Cow::Borrowed(packet.payload) };
        let Some((command, argument)) = whole.split_first() else { return Ok(()) };
        match Command(*command) {
            Command::QUERY => {
                let read = attributes.read_query(argument, is_asked);
                if is_asked {
                    return read;
                }
            }
            Command::STMT_EXECUTE if is_asked => attributes.read_execution(&whole),
            Command::STMT_SEND_LONG_DATA if is_asked => attributes.sent_ahead(packet.payload),
            Command::STMT_RESET => attributes.reset(&whole),
            _ => {}
        }
        Ok(())
    }

    /// A packet that a script queued, as the attached server takes it.
    pub fn with_attributes<'p>(&self, packet: &'p [u8]) -> Cow<'p, [u8]> {
        let is_query = packet.first() == Some(&Command::QUERY.0);
        let has_attributes =
            self.session.server.as_ref().is_some_and(|server| {
                server.capabilities().contains(Capabilities::QUERY_ATTRIBUTES)
            });
        if is_query && has_attributes {
            Cow::Owned(self.session.attributes.put_before(packet))
        } else {
            Cow::Borrowed(packet)
        }
    }
}
