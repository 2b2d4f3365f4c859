//! Backends, connections to them, and the pool.

use engine::{BackendKind, BackendState};
use metrics::{Distribution, Exposition, Kind};

use crate::drive::Context;

/// A backend as it is now.
struct Backend {
    ndx: usize,
    address: String,
    kind: &'static str,
    state: BackendState,
    clients: u64,
}

pub fn collect(ctx: &Context, out: &mut Exposition) {
    let backends: Vec<_> = (0..ctx.backends.len()).filter_map(|ndx| backend(ctx, ndx)).collect();
    let help =
        "1 for the state that a backend is in: what the last connect told, or what somebody wants.";
    let mut samples = out.family(Kind::Gauge, "pyproxy_backend_state", help);
    for backend in &backends {
        for state in BackendState::SETTABLE {
            let labels = [
                ("backend", backend.address.as_str()),
                ("kind", backend.kind),
                ("state", state.name()),
            ];
            samples.number(&labels, u64::from(backend.state == state));
        }
    }
    let mut number = |name, help, value: &dyn Fn(&Backend) -> u64| {
        let mut samples = out.family(Kind::Gauge, name, help);
        for backend in &backends {
            samples.number(&[("backend", &backend.address)], value(backend));
        }
    };
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let capacity = &ctx.shared.capacity;
    number("pyproxy_backend_clients", "Clients that use a connection to the backend.", &|it| {
        it.clients
    });
    let help = "Connections to the backend, idle ones and those that are being made as well.";
    number("pyproxy_backend_connections", help, &|it| count(capacity.open(it.ndx)));
    let help = "The most connections that the backend may have; 0: any number.";
    number("pyproxy_backend_max_connections", help, &|it| count(capacity.limit(it.ndx)));
    let help = "Clients that wait for a connection to a backend that is full.";
    out.family(Kind::Gauge, "pyproxy_backend_waiting_clients", help)
        .number(&[], count(capacity.waiting()));
    times(ctx, &backends, out);
    pool(ctx, &backends, out);
}

fn times(ctx: &Context, backends: &[Backend], out: &mut Exposition) {
    let of = |backend: &Backend| ctx.shared.stats.backends.get(backend.ndx);
    let help = "How long connects to the backend took.";
    let mut samples = out.family(Kind::Histogram, "pyproxy_backend_connect_seconds", help);
    for backend in backends {
        if let Some(stats) = of(backend) {
            samples.distribution(&[("backend", &backend.address)], &stats.connects.read());
        }
    }
    let help = "Connects to the backend that failed.";
    let mut samples = out.family(Kind::Counter, "pyproxy_backend_connect_failures", help);
    for backend in backends {
        if let Some(stats) = of(backend) {
            samples.number(&[("backend", &backend.address)], stats.failures.get());
        }
    }
    let help = "How long commands took that the backend answered, hooks included.";
    let mut samples = out.family(Kind::Histogram, "pyproxy_command_seconds", help);
    for backend in backends {
        if let Some(stats) = of(backend) {
            let mut sum = Distribution::default();
            stats.answers.all().for_each(|own| own.add_to(&mut sum));
            samples.distribution(&[("backend", &backend.address)], &sum);
        }
    }
}

fn pool(ctx: &Context, backends: &[Backend], out: &mut Exposition) {
    let pools: Vec<_> = backends
        .iter()
        .filter_map(|backend| {
            let stats = ctx.shared.stats.backends.get(backend.ndx)?;
            let mut pool = ctx.shared.pool();
            let of = pool.of(backend.ndx);
            Some((backend.address.as_str(), of.len(), of.closed, stats))
        })
        .collect();
    let help = "Idle connections in the pool.";
    let mut samples = out.family(Kind::Gauge, "pyproxy_pool_idle_connections", help);
    for (address, idle, ..) in &pools {
        samples.number(&[("backend", address)], u64::try_from(*idle).unwrap_or(u64::MAX));
    }
    let help = "How often a client wanted an idle connection, by whether it got one.";
    let mut samples = out.family(Kind::Counter, "pyproxy_pool_requests", help);
    for (address, .., stats) in &pools {
        samples
            .number(&[("backend", address), ("result", "hit")], stats.pool_hits.get())
            .number(&[("backend", address), ("result", "miss")], stats.pool_misses.get());
    }
    let help = "Connections that the pool closed, or did not take, by reason.";
    let mut samples = out.family(Kind::Counter, "pyproxy_pool_closed_connections", help);
    for (address, _, closed, stats) in &pools {
        for (reason, count) in [
            ("server", closed.by_server),
            ("certificates", closed.by_certificates),
            ("room", closed.for_others),
            ("backend", closed.by_state),
            ("state", stats.unpoolable.get()),
        ] {
            samples.number(&[("backend", address), ("reason", reason)], count);
        }
    }
}

fn backend(ctx: &Context, ndx: usize) -> Option<Backend> {
    let backend = ctx.backends.get(ndx).filter(|_| ctx.shared.is_listed(ndx))?;
    let kind = match backend.kind() {
        BackendKind::ReadWrite => "rw",
        BackendKind::ReadOnly => "ro",
    };
    let (address, state) = (backend.address().name, backend.state());
    Some(Backend { ndx, address, kind, state, clients: backend.connected_clients().into() })
}
