//! The function table: every host and libevent function the plugin calls, looked up once with `dlsym`.
//!
//! Facts: `docs/internals/abi.md#symbols` (all host libraries are in the global scope),
//! `docs/internals/abi.md#families`.

use std::ffi::{CStr, c_void};
use std::sync::OnceLock;

use chassis_sys::{self as sys, Func};
use thiserror::Error;

use super::event;

/// Why the process around us cannot be used as a host.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HostError {
    /// The plugin was loaded by some other program.
    #[error("this process is not mysql-proxy 0.8.3 or later (missing functions: {0})")]
    NotAHost(String),
    /// mysql-proxy of the older ABI family: its structs have other layouts.
    #[error(
        "this mysql-proxy is older than 0.8.3: its plugin interface differs, pyproxy needs 0.8.3, 0.8.4 or 0.8.5"
    )]
    TooOld,
    /// A 0.8.3+ host without some function.
    #[error("this mysql-proxy lacks functions that pyproxy needs: {0}")]
    Incomplete(String),
    /// `struct event` cannot be measured.
    #[error("cannot tell the size of libevent's struct event: {0}")]
    Event(String),
}

/// Finds the address of a global symbol.
pub type Lookup<'a> = &'a dyn Fn(&CStr) -> Option<*mut c_void>;

/// `dlsym` in the global scope of the process.
pub fn global_symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name is a valid C string; dlsym has no other precondition.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

macro_rules! function_table {
    ($($name:ident: $ty:ident,)*) => {
        /// The looked-up functions and the libevent facts of the host.
        #[derive(Debug)]
        pub struct Api {
            $(#[doc = concat!("The host's `", stringify!($name), "`.")] pub $name: Func<sys::$ty>,)*
            /// `sizeof(struct event)` of the libevent the host was compiled with, in bytes.
            pub event_size: usize,
        }

        /// Names of the functions that must exist.
        const REQUIRED: &[&CStr] = &[$(
            match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("a literal with one NUL at its end"),
            }
        ),*];

        impl Api {
            fn resolve(lookup: Lookup<'_>, event_size: usize) -> Result<Self, HostError> {
                let missing: Vec<_> = REQUIRED
                    .iter()
                    .filter(|name| lookup(name).is_none())
                    .map(|name| name.to_string_lossy())
                    .collect();
                if !missing.is_empty() {
                    return Err(HostError::Incomplete(missing.join(", ")));
                }
                let mut names = REQUIRED.iter();
                $(
                    let address = names
                        .next()
                        .and_then(|name| lookup(name))
                        .ok_or_else(|| HostError::Incomplete(stringify!($name).to_owned()))?;
                    // SAFETY: INV-3: the symbol of this name has this signature in every supported host.
                    let $name = unsafe { std::mem::transmute::<*mut c_void, Func<sys::$ty>>(address) };
                )*
                Ok(Self { $($name,)* event_size })
            }
        }
    };
}

function_table! {
    network_address_new: fn_network_address_new,
    network_address_free: fn_network_address_free,
    network_address_set_address: fn_network_address_set_address,
    network_address_copy: fn_network_address_copy,
    network_queue_append: fn_network_queue_append,
    network_socket_new: fn_network_socket_new,
    network_socket_free: fn_network_socket_free,
    network_socket_bind: fn_network_socket_bind,
    network_socket_connect: fn_network_socket_connect,
    network_socket_connect_finish: fn_network_socket_connect_finish,
    network_mysqld_queue_append_raw: fn_network_mysqld_queue_append_raw,
    network_mysqld_queue_append: fn_network_mysqld_queue_append,
    network_mysqld_queue_reset: fn_network_mysqld_queue_reset,
    network_mysqld_write: fn_network_mysqld_write,
    network_backends_new: fn_network_backends_new,
    network_backends_add: fn_network_backends_add,
    network_backends_get: fn_network_backends_get,
    network_backends_count: fn_network_backends_count,
    network_mysqld_con_new: fn_network_mysqld_con_new,
    network_mysqld_con_free: fn_network_mysqld_con_free,
    network_mysqld_add_connection: fn_network_mysqld_add_connection,
    network_mysqld_con_accept: fn_network_mysqld_con_accept,
    network_mysqld_con_reset_command_response_state:
        fn_network_mysqld_con_reset_command_response_state,
    chassis_is_shutdown: fn_chassis_is_shutdown,
    chassis_set_shutdown_location: fn_chassis_set_shutdown_location,
    chassis_plugin_for_name: fn_chassis_plugin_for_name,
    lua_scope_get: fn_lua_scope_get,
    lua_scope_release: fn_lua_scope_release,
    event_set: fn_event_set,
    event_base_set: fn_event_base_set,
    event_add: fn_event_add,
}

/// Functions that tell the ABI families apart; never called.
const SINCE_0_8_1: &CStr = c"chassis_shutdown_hooks_register";
const SINCE_0_8_3: [&CStr; 2] =
    [c"chassis_event_add_with_timeout", c"network_mysqld_auth_challenge_copy"];
/// Present in every mysql-proxy there ever was.
const ANY_HOST: &CStr = c"network_mysqld_con_new";

/// Refuses what is no host or a host of another ABI family.
fn check_family(lookup: Lookup<'_>) -> Result<(), HostError> {
    if lookup(ANY_HOST).is_none() {
        return Err(HostError::NotAHost(ANY_HOST.to_string_lossy().into_owned()));
    }
    let missing: Vec<_> = SINCE_0_8_3
        .iter()
        .filter(|name| lookup(name).is_none())
        .map(|name| name.to_string_lossy())
        .collect();
    match (missing.is_empty(), lookup(SINCE_0_8_1)) {
        (true, Some(_)) => Ok(()),
        (true, None) => Err(HostError::NotAHost(SINCE_0_8_1.to_string_lossy().into_owned())),
        (false, _) => Err(HostError::TooOld),
    }
}

static API: OnceLock<Api> = OnceLock::new();

/// Looks everything up. Called once from `plugin_init`; later calls change nothing.
pub fn load() -> Result<(), HostError> {
    if API.get().is_none() {
        check_family(&global_symbol)?;
        let event_size = event::struct_size(&global_symbol)?;
        let table = Api::resolve(&global_symbol, event_size)?;
        API.get_or_init(|| table);
    }
    Ok(())
}

/// The table. Every code path that reaches the host runs after [`load`] succeeded.
#[inline]
pub fn api() -> &'static Api {
    API.get().expect("plugin_init looked the host's functions up")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: Option<*mut c_void> = Some(std::ptr::dangling_mut());

    #[test]
    fn a_plain_process_is_no_host() {
        assert!(matches!(check_family(&global_symbol), Err(HostError::NotAHost(_))));
    }

    #[test]
    fn hosts_before_0_8_3_are_refused() {
        let old = |name: &CStr| if SINCE_0_8_3.contains(&name) { None } else { SOME };
        assert_eq!(check_family(&old), Err(HostError::TooOld));
        let ancient = |name: &CStr| if name == ANY_HOST { SOME } else { None };
        assert_eq!(check_family(&ancient), Err(HostError::TooOld));
        assert_eq!(check_family(&|_: &CStr| SOME), Ok(()));
    }

    #[test]
    fn every_missing_function_is_named() {
        let lookup = |name: &CStr| {
            let gone = [c"network_socket_bind", c"event_add"];
            if gone.contains(&name) { None } else { SOME }
        };
        let error = Api::resolve(&lookup, 128).expect_err("incomplete").to_string();
        assert!(error.contains("network_socket_bind") && error.contains("event_add"), "{error}");
        assert!(!error.contains("network_socket_new"), "{error}");
    }
}
