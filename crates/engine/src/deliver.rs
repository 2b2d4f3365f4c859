//! What becomes of the result of a queued query.

use crate::reply::hook_failed;
use crate::turn::Turn;
use crate::{Effect, Hook, Injection, OnScriptError, Reply, Side, Slot, Verdict};

/// Giving back less memory than this is not worth the walk through the heap, in bytes.
const LARGE: usize = 8 << 20;

impl Turn<'_> {
    pub(crate) fn result_verdict(&mut self, verdict: Verdict, injection: &Slot<Injection>) {
        if let Some(injection) = injection.take() {
            let size = injection.packets.bytes();
            if injection.query.resultset_is_needed {
                self.deliver(injection, verdict);
            } else {
                self.sent_already(&injection, &verdict);
            }
            if size > LARGE {
                self.driver.effect(Effect::Trim);
            }
        }
        self.result_done();
    }

    /// The rows passed while they arrived: the hook could look at the counters only.
    fn sent_already(&mut self, injection: &Injection, verdict: &Verdict) {
        if matches!(verdict, Verdict::SendResult(_) | Verdict::SendKept(_) | Verdict::IgnoreResult)
        {
            log::warn!(
                "{}: the result of query {} was sent already: it can be replaced or dropped only with \
                 resultset_is_needed",
                self.name(),
                injection.query.id
            );
        }
    }

    /// Sends a kept result, what the script wants instead, or nothing.
    fn deliver(&mut self, mut injection: Injection, verdict: Verdict) {
        if verdict == Verdict::IgnoreResult {
            return;
        }
        let Some(due) = self.state.exchange.due.take() else {
            // Of a failure the log knows already.
            if verdict != Verdict::Failed {
                log::warn!(
                    "{}: the result of query {} is dropped: the client has its result already",
                    self.name(),
                    injection.query.id
                );
            }
            return;
        };
        let rejects = self.state.settings.on_script_error == OnScriptError::Reject;
        match verdict {
            Verdict::SendResult(reply) if !self.asks_in_vain(&reply, Hook::ReadQueryResult) => {
                self.note_prepared(reply.packets().first().map_or(&[], Vec::as_slice));
                self.send_to_client(&reply);
            }
            Verdict::SendResult(_) | Verdict::Failed if rejects => {
                self.send_to_client(&Reply::proxy_error(&hook_failed(Hook::ReadQueryResult)));
            }
            Verdict::SendKept(result) => match result.take() {
                Some(mut other) => self.send_kept(&mut other),
                None => self.send_kept(&mut injection),
            },
            _ => self.send_kept(&mut injection),
        }
        due.given();
    }

    /// Answers the client's command with the result of a query that the script ran.
    pub fn answer_with(&mut self, result: &Slot<Injection>, hook: Hook) {
        let Some(mut injection) = result.take() else {
            return self.fail_command(&hook_failed(hook));
        };
        let size = injection.packets.bytes();
        if let Some(due) = self.state.exchange.due.take() {
            self.send_kept(&mut injection);
            due.given();
        }
        drop(injection);
        if size > LARGE {
            self.driver.effect(Effect::Trim);
        }
        self.command_done();
    }

    /// Sends what was kept of a result and is not with the client yet.
    pub fn send_kept(&mut self, injection: &mut Injection) {
        if let Some(first) = injection.packets.get(0) {
            self.note_prepared(first);
        }
        if let Some(error) = injection.error.as_ref().filter(|_| !injection.packets.is_empty()) {
            self.count_error_of_server(error);
        }
        self.note_rows(&injection.summary);
        for payload in injection.packets.from(injection.sent) {
            let id = self.state.client_ids.next_part();
            self.driver.effect(Effect::SendPart { to: Side::Client, id, payload });
        }
        injection.sent = injection.packets.len();
    }

    /// The result was too large to be kept: the script is not asked about it.
    pub fn refuse_large(&mut self) {
        if let Some(due) = self.state.exchange.due.take() {
            let limit = self.shared.max_kept_bytes;
            let message = format!("the result is larger than pyproxy-max-kept-bytes={limit}");
            self.send_to_client(&Reply::proxy_error(&message));
            due.given();
        }
        self.result_done();
    }

    /// Goes on behind the result of a queued query.
    fn result_done(&mut self) {
        if !self.state.exchange.is_answered() && self.session.server.is_none() {
            self.session.queries.clear();
        }
        self.command_done();
    }
}
