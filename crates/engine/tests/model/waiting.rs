//! A script that waits before it says its verdict: what it asks for meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::{Ask, Event, Hook, Incoming, Injection, Outcome, Query, QueryId, Side, Slot, Verdict};

use wire::statement::statement_id;

use super::client::Origin;
use super::driver::Hands;
use super::packets::{self, Packet};
use super::{At, What, World};

/// A script that waits.
#[derive(Debug)]
pub struct Waits {
    pub ask: Ask,
    /// What it was asked about.
    pub held: Option<(Arc<Packet>, Origin)>,
    /// The result that it was asked about.
    kept: Option<Origin>,
    /// Queries that it was not told about yet.
    open: BTreeSet<QueryId>,
    asked: QueryId,
    results: Vec<(Slot<Injection>, Origin)>,
    pub cancelled: bool,
}

impl Waits {
    /// It is told what became of its queries, and whether it is to end.
    pub fn told(
        &mut self,
        resumed: Vec<(QueryId, Outcome)>,
        cancelled: bool,
        kept: Option<Origin>,
    ) {
        for (id, outcome) in resumed {
            assert!(self.open.remove(&id), "query {id} is nobody's: {outcome:?}");
            if let (Outcome::Answered(result), Some(origin)) = (outcome, kept) {
                self.results.push((result, origin));
            }
        }
        assert!(!(self.cancelled && cancelled), "it is cancelled twice");
        self.cancelled |= cancelled;
        assert!(!self.cancelled || self.open.is_empty(), "nobody resumes {:?}", self.open);
    }
}

impl World<'_> {
    /// The script waits for something before it says its verdict.
    pub(super) fn begin_to_wait(&mut self, n: usize) {
        let conn = &mut self.conns[n];
        let At::Asked(ask) = &conn.at else { panic!("nobody was asked") };
        let held = conn.io.at_hand.take();
        conn.waits = Some(Waits {
            ask: ask.clone(),
            held: held.clone(),
            kept: conn.io.kept,
            open: BTreeSet::new(),
            asked: 0,
            results: Vec::new(),
            cancelled: false,
        });
        let rest: Vec<&[u8]> =
            held.iter().flat_map(|(packet, _)| &packet.rest).map(Vec::as_slice).collect();
        let at_hand = held.as_ref().map(|(packet, _)| Incoming {
            id: packet.id,
            payload: &packet.payload,
            rest: &rest,
        });
        let limit = self.shared.max_kept_bytes;
        let (input, log, servers) = (&mut self.input, &mut self.log, &mut self.ends);
        let mut hands = Hands::new(&mut conn.io, input, log, servers, self.now, limit);
        let awaits = conn.engine.verdict_is_pending(at_hand, &mut hands);
        conn.at = At::Awaits(awaits);
        self.check_servers();
    }

    /// While the script waits, the client may leave, and the script runs queries.
    pub(super) fn while_waiting(&mut self, n: usize) -> Option<What> {
        let waits = self.conns[n].waits.as_mut().expect("a script that waits");
        let hook = waits.ask.hook();
        let event = match self.input.byte() {
            0..=6 => Event::Ended(Side::Client),
            7 => Event::ShutDown,
            8..=9 => Event::Closed,
            10..=12 => Event::LoginTimedOut,
            // It does something, and waits again.
            13..=63 => {
                self.act(n, hook);
                if self.input.chance(64) {
                    return None;
                }
                Event::Moved
            }
            64..=79 if !waits.open.is_empty() => {
                let id = *waits.open.iter().nth(self.input.below(waits.open.len()))?;
                waits.open.remove(&id);
                Event::Abandoned(id)
            }
            80..=159 if !waits.cancelled => {
                waits.asked += 1;
                let id = waits.asked;
                waits.open.insert(id);
                let client = &self.conns[n].io.client;
                let packet = packets::command_of_script(
                    client.capabilities(),
                    &self.shared,
                    &mut self.input,
                );
                Event::Query { id, query: Query::new(0, packet, true, self.now).unwrap() }
            }
            _ => return Some(What::LateVerdict(self.late_decision(n))),
        };
        Some(What::Plain(event))
    }

    /// The script may answer with the result of a query that it ran.
    fn late_decision(&mut self, n: usize) -> Verdict {
        let conn = &mut self.conns[n];
        let waits = conn.waits.as_mut().expect("a script that waits");
        conn.io.chosen = waits.kept.filter(|_| waits.ask.hook() == Hook::ReadQueryResult);
        let about_command = matches!(waits.ask.hook(), Hook::ReadQuery | Hook::ReadQueryResult);
        if about_command
            && self.input.chance(128)
            && let Some((result, origin)) = waits.results.pop()
        {
            conn.io.chosen = Some(origin);
            return Verdict::SendKept(result);
        }
        self.decide(n)
    }
}

impl Hands<'_, '_> {
    /// The command that the script was asked about goes out part by part.
    pub fn send_late(&mut self, id: u8, payload: &[u8]) {
        let is_about_statement = statement_id(payload).is_some() && self.io.tracked.is_some();
        let at_hand = || self.io.at_hand.take().filter(|_| is_about_statement);
        let Some((packet, origin)) = self.io.late.take().or_else(at_hand) else {
            self.late_parts = self.late_parts.checked_sub(1).expect("a packet that was kept");
            return;
        };
        assert!(is_about_statement || packet.payload == payload, "another packet: {payload:02x?}");
        self.late_parts = packet.rest.len();
        let payload = payload.to_vec();
        self.send(Side::Server, Packet { id, payload, ..Packet::clone(&packet) }, origin);
    }

    /// Whether it is the answer to the login that the script was asked about.
    pub fn is_late_answer(&self, payload: &[u8]) -> bool {
        let late = self.io.late.as_ref();
        late.is_some_and(|(packet, origin)| {
            matches!(origin, Origin::Server { .. }) && packet.payload == payload
        })
    }
}
