//! The functions that plugins find in the global scope of the process.
//!
//! Each is defined in the module of its subject with [`export!`]; the table here keeps all of them in the executable
//! and lets it check at start that they were really exported.

use std::ffi::{CStr, c_void};

/// Defines exported C functions. `as fn_name` checks the signature against the declaration the plugin is built with.
macro_rules! export {
    ($(
        $(#[$doc:meta])*
        fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $(as $abi:ident)? $body:block
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// Every pointer is what the plugin ABI asks for: a live object of this host (NULL only where said), not used
        /// by another thread meanwhile.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $ty),*) $(-> $ret)? $body
        $(const _: chassis_sys::Func<chassis_sys::$abi> = $name;)?
    )*};
}
pub(crate) use export;

/// One exported function.
pub struct Export {
    name: &'static CStr,
    address: *const c_void,
}

// SAFETY: the address of a function never changes and is only compared.
unsafe impl Sync for Export {}

macro_rules! table {
    ($($module:ident: $($name:ident)*;)*) => {
        /// All exported functions.
        pub static EXPORTS: &[Export] = &[$($(Export {
            name: match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("a literal with one NUL at its end"),
            },
            address: crate::$module::$name as *const c_void,
        },)*)*];
    };
}

table! {
    address: network_address_new network_address_free network_address_set_address network_address_copy
        network_address_refresh_name;
    queue: network_queue_new network_queue_free network_queue_append network_queue_pop_string
        network_queue_peek_string;
    auth: network_mysqld_auth_challenge_new network_mysqld_auth_challenge_free
        network_mysqld_auth_challenge_copy network_mysqld_auth_response_new network_mysqld_auth_response_free;
    socket: network_socket_new network_socket_free;
    transfer: network_socket_set_non_blocking network_socket_to_read network_socket_read network_socket_write
        network_mysqld_read network_mysqld_con_get_packet network_mysqld_write;
    framing: network_mysqld_queue_append_raw network_mysqld_queue_append network_mysqld_queue_reset
        network_mysqld_queue_sync;
    connect: network_socket_bind network_socket_connect network_socket_connect_finish network_socket_accept;
    answer: network_mysqld_con_send_ok network_mysqld_con_send_error network_mysqld_con_send_error_full;
    backend: network_backends_new network_backends_free network_backends_add network_backends_get
        network_backends_count network_backends_check;
    shutdown: chassis_is_shutdown chassis_set_shutdown_location chassis_shutdown_hook_new
        chassis_shutdown_hook_free chassis_shutdown_hooks_register;
    plugins: chassis_plugin_for_name;
    lua_scope: lua_scope_get lua_scope_release;
    log: chassis_log_rotate;
    options: chassis_resolve_path;
    event_threads: chassis_event_add chassis_event_add_with_timeout chassis_event_add_local
        chassis_event_add_local_with_timeout;
    con: network_mysqld_con_new network_mysqld_con_free network_mysqld_add_connection
        network_mysqld_con_accept network_mysqld_con_handle network_mysqld_con_state_get_name
        network_mysqld_con_reset_command_response_state network_mysqld_con_command_states_init;
}

/// Names of the functions a plugin would not find. Empty unless the executable was linked otherwise than
/// `build.rs` says.
pub fn missing() -> Vec<String> {
    EXPORTS
        .iter()
        .filter(|export| {
            // SAFETY: the name is a C string; dlsym has no other precondition.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, export.name.as_ptr()) };
            !std::ptr::eq(found, export.address)
        })
        .map(|export| export.name.to_string_lossy().into_owned())
        .collect()
}
