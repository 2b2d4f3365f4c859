//! `con_send_query_result` and `con_send_local_infile_result`: what was queued for the client is written (host contract
//! 2.11).

use super::connection::Infile;
use super::injections;
use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::Reply;

/// Goes on with the stream, the file, the next queued query, or the client's next command.
pub fn send_query_result(step: &mut Step<'_>) -> Verdict {
    if step.conn.exchange.streaming {
        step.con.set_resultset_is_finished(false);
        step.conn.exchange.streaming = false;
        return step.go(ConState::ReadQueryResult);
    }
    if step.conn.exchange.infile != Infile::No {
        return step.go(ConState::ReadLocalInfileData);
    }
    if step.conn.exchange.answered && step.session().close_after_result {
        return step.go(ConState::CloseClient);
    }
    if let Some(verdict) = injections::start_next(step) {
        return verdict;
    }
    if !step.conn.exchange.answered {
        // What was left in the queue had no answer, and the client still waits for one.
        step.conn.exchange.answered = true;
        step.send_to_client(&Reply::proxy_error("no result was left for this command"));
        step.client.reset_packet_ids();
        return step.go(the_other_writing_state(step));
    }
    step.go(ConState::ReadQuery)
}

/// Two states write to the client and come back here. The host wants a state that differs from the present one.
fn the_other_writing_state(step: &Step<'_>) -> ConState {
    if step.con.state() == Some(ConState::SendLocalInfileResult) {
        ConState::SendQueryResult
    } else {
        ConState::SendLocalInfileResult
    }
}
