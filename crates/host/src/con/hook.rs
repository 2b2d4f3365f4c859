//! Calling a plugin's hooks: one at a time in the whole process.
//!
//! Facts: `docs/internals/threads.md#the-mutex`, `docs/internals/states.md#the-states`.

use chassis_sys::network_mysqld_hook;
use chassis_sys::network_socket_retval_t::{
    NETWORK_SOCKET_ERROR, NETWORK_SOCKET_ERROR_RETRY, NETWORK_SOCKET_SUCCESS,
    NETWORK_SOCKET_WAIT_FOR_EVENT, Type as Retval,
};

use super::object::Con;
use super::state::State;
use crate::{log, lua_scope};

/// What a hook returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on with the state the hook left.
    Success,
    /// The hook wants to be called again later; only a few states know this.
    Wait,
    /// It failed.
    Error,
    /// It wants to be called again (connecting).
    Retry,
    /// No such value.
    Unknown,
}

impl Answer {
    fn from_raw(value: Retval) -> Self {
        match value {
            NETWORK_SOCKET_SUCCESS => Self::Success,
            NETWORK_SOCKET_WAIT_FOR_EVENT => Self::Wait,
            NETWORK_SOCKET_ERROR => Self::Error,
            NETWORK_SOCKET_ERROR_RETRY => Self::Retry,
            _ => Self::Unknown,
        }
    }
}

/// Calls a hook under the mutex; `None` when the plugin has none.
pub fn call(con: &mut Con, hook: network_mysqld_hook) -> Option<Answer> {
    let hook = hook?;
    let _one_at_a_time = lua_scope::lock();
    // SAFETY: INV-1: the connection is live and driven by this thread, which lends it to the hook of its own plugin.
    Some(Answer::from_raw(unsafe { hook(con.host(), con.as_ptr()) }))
}

/// Calls the hook of a step that knows only success: anything else ends the connection. A missing hook leaves the
/// state to `default`.
pub fn step(
    con: &mut Con,
    state: State,
    hook: network_mysqld_hook,
    default: impl FnOnce(&mut Con),
) {
    match call(con, hook) {
        None => default(con),
        Some(Answer::Success) => {}
        Some(answer) => fail(con, state, answer, State::Error),
    }
}

/// The hook did not succeed: `next` follows, with a line in the log.
pub fn fail(con: &mut Con, state: State, answer: Answer, next: State) {
    if answer != Answer::Error {
        log::critical(&format!(
            "the hook of {} returned {answer:?}",
            state.name().to_string_lossy()
        ));
    }
    con.set_state(next);
}

/// The plugin's last chance; its result is ignored.
pub fn cleanup(con: &mut Con) {
    let hook = con.hooks().con_cleanup;
    call(con, hook);
}

/// A wait took too long: the plugin may choose how to go on.
pub fn timeout(con: &mut Con) {
    let hook = con.hooks().con_timeout;
    if call(con, hook) != Some(Answer::Success) {
        con.set_state(State::Error);
    }
}
