//! Answers that the proxy makes itself to a command, instead of any server.

use wire::Command;

use super::connection::Infile;
use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::Reply;

/// First byte of a request for a local file.
const LOCAL_INFILE: u8 = 0xfb;

/// Answers the command in progress, from `read_query`: nothing goes to a server.
pub fn answer(step: &mut Step<'_>, reply: &Reply) -> Verdict {
    step.con.forget_command();
    step.con.set_resultset_is_finished(true);
    let command = step.session().command.map_or(Command::SLEEP, Command);
    if command == Command::QUIT {
        step.con.set_com_quit_seen();
        // A client may wait for the close that its server would answer with.
        step.session().close_after_result = true;
    }
    step.conn.exchange.answered = true;
    if !command.has_reply() {
        // The client does not wait: a packet now would be taken for the answer to its next command.
        step.client.reset_packet_ids();
        return step.go(ConState::SendQueryResult);
    }
    step.send_to_client(reply);
    if command == Command::QUERY && reply.first_byte() == Some(LOCAL_INFILE) {
        // The file's packets go on with the numbering of this exchange.
        step.conn.exchange.infile = Infile::RequestedByScript;
        step.conn.exchange.answered = false;
    } else {
        step.client.reset_packet_ids();
    }
    step.go(ConState::SendQueryResult)
}

/// The command failed in the proxy; the connection goes on with the next one.
pub fn fail(step: &mut Step<'_>, message: &str) -> Verdict {
    answer(step, &Reply::proxy_error(message))
}
