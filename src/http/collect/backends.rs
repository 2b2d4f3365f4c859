//! Backends, connections to them, and the pool.

use engine::{BackendKind, BackendState};
use metrics::{Exposition, Kind};

use crate::drive::Context;

/// A backend as it is now.
struct Backend {
    ndx: usize,
    address: String,
    kind: &'static str,
    state: BackendState,
    clients: u64,
}

const STATES: [(BackendState, &str); 3] =
    [(BackendState::Unknown, "unknown"), (BackendState::Up, "up"), (BackendState::Down, "down")];

pub fn collect(ctx: &Context, out: &mut Exposition) {
    let backends: Vec<_> = (0..ctx.backends.len()).filter_map(|ndx| backend(ctx, ndx)).collect();
    let help = "1 for the state that a backend is in: what the last connect to it told.";
    let mut samples = out.family(Kind::Gauge, "pyproxy_backend_state", help);
    for backend in &backends {
        for (state, name) in STATES {
            let labels =
                [("backend", backend.address.as_str()), ("kind", backend.kind), ("state", name)];
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
    let help = "Idle connections in the pool.";
    number("pyproxy_pool_idle_connections", help, &|it| count(ctx.shared.pool().of(it.ndx).len()));
    let help = "Clients that wait for a connection to a backend that is full.";
    out.family(Kind::Gauge, "pyproxy_backend_waiting_clients", help)
        .number(&[], count(capacity.waiting()));
}

fn backend(ctx: &Context, ndx: usize) -> Option<Backend> {
    let backend = ctx.backends.get(ndx)?;
    let kind = match backend.kind() {
        BackendKind::ReadWrite => "rw",
        BackendKind::ReadOnly => "ro",
    };
    let (address, state) = (backend.address().name, backend.state());
    Some(Backend { ndx, address, kind, state, clients: backend.connected_clients().into() })
}
