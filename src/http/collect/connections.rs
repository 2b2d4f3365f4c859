//! Clients, their commands, and what they got.

use engine::{Counter, Side, Source};
use metrics::{Exposition, Kind};
use wire::Command;

use crate::drive::Context;

pub fn collect(ctx: &Context, out: &mut Exposition) {
    let stats = &ctx.shared.stats;
    // In this order: who comes in between is not counted as gone.
    let closed = stats.closed_connections.get();
    let accepted = stats.connections.get();
    out.family(Kind::Gauge, "pyproxy_connections", "Clients that are connected.")
        .number(&[], accepted.saturating_sub(closed));
    out.family(Kind::Counter, "pyproxy_connections_accepted", "Clients that were accepted.")
        .number(&[], accepted);
    let of_address = stats.refused_addresses.get();
    let refused = [
        ("max_connections", stats.refused_connections.get().saturating_sub(of_address)),
        ("max_connections_per_address", of_address),
        ("max_connections_per_user", stats.refused_users.get()),
        ("backend_max_connections", stats.full_backends.get()),
    ];
    let help = "Clients that were refused, by the limit that was reached.";
    let mut samples = out.family(Kind::Counter, "pyproxy_connections_refused", help);
    for (reason, count) in refused {
        samples.number(&[("reason", reason)], count);
    }
    let timeouts = [
        ("login", &stats.login_timeouts),
        ("query", &stats.query_timeouts),
        ("idle", &stats.idle_timeouts),
    ];
    let help = "What took too long, by the time limit.";
    let mut samples = out.family(Kind::Counter, "pyproxy_timeouts", help);
    for (limit, count) in timeouts {
        samples.number(&[("limit", limit)], count.get());
    }
    let help = "TLS handshakes that were completed, by version.";
    let mut samples = out.family(Kind::Counter, "pyproxy_tls_handshakes", help);
    for (side, name) in SIDES {
        for (version, count) in stats.tls.all(side) {
            samples.number(&[("side", name), ("version", version)], count);
        }
    }
    commands(ctx, out);
    errors(ctx, out);
}

/// The two sides, and what they are called.
pub const SIDES: [(Side, &str); 2] = [(Side::Client, "client"), (Side::Server, "server")];

fn commands(ctx: &Context, out: &mut Exposition) {
    let stats = &ctx.shared.stats;
    let help = "Commands of clients, by their kind.";
    let mut samples = out.family(Kind::Counter, "pyproxy_commands", help);
    let mut known = 0;
    for command in Command::ALL {
        let count = stats.commands.of(*command);
        known += count;
        samples.number(&[("command", &command.word())], count);
    }
    samples.number(&[("command", "other")], stats.commands.all().saturating_sub(known));
    let numbers: [(&str, &str, &Counter); 2] = [
        ("pyproxy_queued_queries", "Queries of scripts that were sent.", &stats.queued_queries),
        ("pyproxy_malformed_packets", "Packets that made no sense.", &stats.malformed_packets),
    ];
    for (name, help, count) in numbers {
        out.family(Kind::Counter, name, help).number(&[], count.get());
    }
}

fn errors(ctx: &Context, out: &mut Exposition) {
    let help = "Errors that clients got, by who made them and by number.";
    let mut samples = out.family(Kind::Counter, "pyproxy_errors", help);
    for (source, code, count) in ctx.shared.stats.errors.all() {
        let source = match source {
            Source::Server => "server",
            Source::Proxy => "proxy",
        };
        let code = code.map_or_else(|| "other".to_owned(), |code| code.to_string());
        samples.number(&[("source", source), ("code", &code)], count);
    }
}
