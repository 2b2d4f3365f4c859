//! What `/metrics` says. `docs/metrics.md` has every family; a test compares it with what the endpoint says.
//!
//! A file for each subject. Names and labels are public: a change of them is one for the changelog.

mod backends;
mod connections;
mod event_loop;
mod hooks;
mod process;
mod queries;

use metrics::{Exposition, Format};

pub use self::process::started_at;

use crate::drive::Context;

/// Everything that is counted.
pub fn text(ctx: &Context, format: Format) -> String {
    let mut exposition = Exposition::new(format);
    process::collect(&mut exposition);
    connections::collect(ctx, &mut exposition);
    if ctx.has_own_loop {
        event_loop::collect(ctx, &mut exposition);
    }
    hooks::collect(ctx, &mut exposition);
    backends::collect(ctx, &mut exposition);
    queries::collect(ctx, &mut exposition);
    exposition.finish()
}
