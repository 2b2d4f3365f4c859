//! What only the plugin's own loop knows: without it these numbers are not told.

use metrics::{Exposition, Kind};

use super::connections::SIDES;
use crate::drive::Context;

pub fn collect(ctx: &Context, out: &mut Exposition) {
    let bytes = SIDES.map(|(side, name)| (name, ctx.counts.bytes(side)));
    let help = "Bytes that came from clients and servers, without TLS and compression.";
    let mut samples = out.family(Kind::Counter, "pyproxy_read_bytes", help);
    for (side, (read, _)) in bytes {
        samples.number(&[("side", side)], read);
    }
    let help = "Bytes that were sent to clients and servers, without TLS and compression.";
    let mut samples = out.family(Kind::Counter, "pyproxy_written_bytes", help);
    for (side, (_, written)) in bytes {
        samples.number(&[("side", side)], written);
    }
    let help = "How long a thread was busy before it looked for events again: the longest that one had to wait.";
    out.family(Kind::Histogram, "pyproxy_event_loop_delay_seconds", help)
        .distribution(&[], &ctx.counts.rounds());
}
