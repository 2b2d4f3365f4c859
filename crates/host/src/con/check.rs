//! Broken rules end the process: the original hangs, crashes or leaks then, and a test must not pass.
//!
//! Facts: `docs/internals/states.md#rules-for-a-plugin`, `docs/internals/abi.md#what-aborts-the-process`.

use super::object::{Con, Side};
use super::state::State;
use crate::log;
use crate::packet;

/// Reports a broken rule and ends the process.
pub fn violation(state: Option<State>, place: &str, rule: &str) -> ! {
    let state = state.map_or("unknown state".into(), |state| state.name().to_string_lossy());
    log::fatal(&format!("plugin broke a rule of the host: {state}, {place}: {rule}"))
}

/// A state that uses a side needs its socket.
pub fn has_side(con: &Con, state: State, side: Side) {
    if con.side(side).is_none() {
        violation(Some(state), "on entry", &format!("there is no {side:?} socket"));
    }
}

/// What the plugin queued is whole packets. Called before the first attempt to send.
pub fn send_queue(con: &Con, state: State, side: Side) {
    let Some(socket) = con.side(side) else { return };
    let queue = socket.to_send();
    let offset = queue.offset();
    for (index, chunk) in queue.chunks().enumerate() {
        if chunk.is_empty() {
            violation(
                Some(state),
                "on entry",
                &format!("chunk {index} of the {side:?} send queue is empty"),
            );
        }
        // A first chunk that was sent in part may start anywhere; one junk byte in front of whole packets keeps the
        // host from tracking the command (`docs/internals/states.md#what-the-host-reads-of-a-command`).
        let start = if index == 0 { offset } else { 0 };
        let packets = chunk.get(start..).unwrap_or_default();
        // The last word to a client that speaks the compressed protocol.
        let is_last_word = state == State::SendError && packet::is_plain_frame(packets);
        if start <= 1 && !packet::is_whole_packets(packets) && !is_last_word {
            let shown = &packets[..packets.len().min(packet::HEADER_LEN)];
            violation(
                Some(state),
                "on entry",
                &format!(
                    "chunk {index} of the {side:?} send queue ({} bytes, starting {shown:02x?}) is not whole packets",
                    packets.len()
                ),
            );
        }
    }
}

/// Packets of an earlier exchange would be taken for the answer to this one.
pub fn received_is_empty(con: &Con, state: State, side: Side, place: &str) {
    let count = con.side(side).map_or(0, |socket| socket.received().count());
    if count > 0 {
        violation(
            Some(state),
            place,
            &format!("{count} packets are left in the {side:?} receive queue"),
        );
    }
}
