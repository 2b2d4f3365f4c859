//! LOAD DATA LOCAL INFILE: the client's file and the server's verdict on it (host contract 2.13).

use wire::result::Step as Progress;

use super::connection::Infile;
use super::read_query_result::{broken, finish, keep_or_forward, note_changes};
use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::Reply;

/// One packet of the file arrived; an empty one ends it.
pub fn read_local_infile_data(step: &mut Step<'_>) -> Verdict {
    let Some(packet) = step.client.pop_received() else { return Verdict::Error };
    let is_last = packet.payload().is_empty();
    step.con.set_local_file_data_is_finished(is_last);
    let is_awaited = step.conn.exchange.infile != Infile::RequestedByScript && step.has_server();
    if is_awaited {
        step.with_server(|server| server.append(packet));
    } else if is_last {
        step.conn.exchange.infile = Infile::No;
        step.conn.exchange.answered = true;
        let status = step.session().status();
        step.send_to_client(&Reply::ok(status));
        step.client.reset_packet_ids();
        return step.go(ConState::SendLocalInfileResult);
    }
    if is_last {
        step.conn.exchange.infile = Infile::No;
        return step.go(ConState::SendLocalInfileData);
    }
    // While the file goes on the host alternates between reading and writing by itself.
    Verdict::Success
}

/// The server's answer to the file.
pub fn read_local_infile_result(step: &mut Step<'_>) -> Verdict {
    let Some(packet) = step.with_server(|server| server.pop_received()).flatten() else {
        return Verdict::Error;
    };
    match step.conn.tracker.feed(packet.payload()) {
        Ok(Progress::Done) => {
            note_changes(step, packet.payload());
            keep_or_forward(step, packet);
            finish(step, ConState::SendLocalInfileResult)
        }
        Ok(Progress::More) => {
            // Another statement of the same command has a result, too.
            keep_or_forward(step, packet);
            step.con.set_resultset_is_finished(false);
            step.go(ConState::ReadQueryResult)
        }
        Ok(progress) => {
            log::error!("connection {}: unexpected answer to a file: {progress:?}", step.id());
            broken(step, "cannot follow the server's answer, see the proxy log")
        }
        Err(e) => {
            log::error!("connection {}: cannot follow the server's answer: {e}", step.id());
            broken(step, "cannot follow the server's answer, see the proxy log")
        }
    }
}
