//! Compile-time proof of the layouts: a wrong size or offset does not build.
//!
//! The same table is compared with the recorded facts of a real 0.8.5 build by `tests/layout.rs`.

use std::mem::{offset_of, size_of};

/// A struct of the ABI: its name, size in bytes and the offset of each member.
pub type StructLayout = (&'static str, usize, &'static [(&'static str, usize)]);

macro_rules! layouts {
    ($($name:ident: $size:literal { $($member:ident: $offset:literal),* $(,)? })*) => {
        $(const _: () = {
            assert!(size_of::<crate::$name>() == $size);
            $(assert!(offset_of!(crate::$name, $member) == $offset);)*
        };)*

        /// Every struct whose members are used, as asserted above.
        pub const STRUCTS: &[StructLayout] = &[
            $((stringify!($name), $size, &[$((stringify!($member), $offset)),*])),*
        ];
    };
}

layouts! {
    chassis: 104 { event_base: 0, event_hdr_version: 8, modules: 16, base_dir: 24, user: 32, priv_: 40,
        priv_shutdown: 48, priv_free: 56, log: 64, stats: 72, event_thread_count: 80, threads: 88,
        shutdown_hooks: 96 }
    chassis_private: 24 { cons: 0, sc: 8, backends: 16 }
    chassis_plugin: 120 { magic: 0, option_grp_name: 8, name: 16, version: 24, module: 32, stats: 40,
        new_stats: 48, free_stats: 56, get_stats: 64, config: 72, init: 80, destroy: 88, get_options: 96,
        apply_config: 104, get_global_state: 112 }
    network_mysqld_con: 336 { state: 0, server: 8, client: 16, plugins: 24, config: 184, srv: 192,
        is_listen_socket: 200, auth_result_state: 204, auth_switch_to_method: 208, auth_switch_to_data: 216,
        auth_switch_to_round: 224, auth_next_packet_is_from_server: 228, resultset_is_needed: 232,
        resultset_is_finished: 236, com_quit_seen: 240, local_file_data_is_finished: 244, parse: 248,
        plugin_con_state: 272, timestamps: 280, connect_timeout: 288, read_timeout: 304, write_timeout: 320 }
    network_mysqld_con_parse: 24 { command: 0, data: 8, data_free: 16 }
    network_mysqld_hooks: 160 { con_init: 0, con_connect_server: 8, con_read_handshake: 16,
        con_send_handshake: 24, con_read_auth: 32, con_send_auth: 40, con_read_auth_result: 48,
        con_send_auth_result: 56, con_read_query: 64, con_read_query_result: 72, con_send_query_result: 80,
        con_timer_elapsed: 88, con_cleanup: 96, con_read_local_infile_data: 104,
        con_send_local_infile_data: 112, con_read_local_infile_result: 120,
        con_send_local_infile_result: 128, con_read_auth_old_password: 136,
        con_send_auth_old_password: 144, con_timeout: 152 }
    network_address: 128 { addr: 0, name: 112, len: 120, can_unlink_socket: 124 }
    network_queue: 24 { chunks: 0, len: 8, offset: 16 }
    network_backend_t: 56 { addr: 0, state: 8, type_: 12, state_since: 16, pool: 32, connected_clients: 40,
        uuid: 48 }
    network_backends_t: 32 { backends: 0, backends_mutex: 8, backend_last_check: 16 }
}

macro_rules! socket_tail {
    ($($member:ident: $offset:literal),* $(,)?) => {
        const _: () = {
            $(assert!(offset_of!(crate::network_socket_tail, $member) + 8 == $offset);)*
        };

        /// Members of `network_socket` behind `struct event`: offset minus `sizeof(struct event)`.
        pub const SOCKET_TAIL: &[(&str, usize)] = &[$((stringify!($member), $offset)),*];
    };
}

socket_tail! {
    src: 8, dst: 16, socket_type: 24, last_packet_id: 28, packet_id_is_reset: 32, recv_queue: 40,
    recv_queue_raw: 48, send_queue: 56, header_read: 64, to_read: 72, challenge: 80, response: 88,
    is_authed: 96, default_db: 104,
}

/// Offset of `struct event` in `network_socket`.
pub const SOCKET_EVENT_OFFSET: usize = 8;
/// Size of `network_socket` minus `sizeof(struct event)`.
pub const SOCKET_SIZE_REL: usize = 112;

const _: () =
    assert!(size_of::<crate::network_socket_tail>() + SOCKET_EVENT_OFFSET == SOCKET_SIZE_REL);
const _: () = assert!(offset_of!(crate::network_socket, fd) == 0);
