//! Hooks that wait: `async def`.

mod ends;
mod hooks;
mod queries;

use testkit::Host;
use testkit::host::builder::Builder;

use crate::support::*;

/// A host with the loop that lets hooks wait, and this script.
fn waiting(script: &str) -> Builder {
    Host::builder().option("pyproxy-event-loop", "own").backend(db()).script(script)
}
