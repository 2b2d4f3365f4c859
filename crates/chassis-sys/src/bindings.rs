// Generated from include/chassis-abi.h by tests/regenerate.rs: do not edit.
use glib_sys::{GString, GQueue, GPtrArray, GHashTable, GOptionEntry, GMutex, GTimeVal};
use libc::{timeval};
use libc::{off_t, socklen_t};
pub type GModule = ::std::os::raw::c_void;

pub const CHASSIS_PLUGIN_MAGIC: u32 = 524289;
pub const EV_READ: u32 = 2;
pub const EV_PERSIST: u32 = 16;
pub type gchar = ::std::os::raw::c_char;
pub type gint = ::std::os::raw::c_int;
pub type gboolean = ::std::os::raw::c_int;
pub type guint = ::std::os::raw::c_uint;
pub type guint8 = u8;
pub type guint16 = u16;
pub type guint32 = u32;
pub type gpointer = *mut ::std::os::raw::c_void;
pub type sa_family_t = ::std::os::raw::c_ushort;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct sockaddr {
    pub sa_family: sa_family_t,
    pub sa_data: [::std::os::raw::c_char; 14usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr"][::std::mem::size_of::<sockaddr>() - 16usize];
    ["Alignment of sockaddr"][::std::mem::align_of::<sockaddr>() - 2usize];
    [
        "Offset of field: sockaddr::sa_family",
    ][::std::mem::offset_of!(sockaddr, sa_family) - 0usize];
    [
        "Offset of field: sockaddr::sa_data",
    ][::std::mem::offset_of!(sockaddr, sa_data) - 2usize];
};
pub type in_addr_t = u32;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in_addr {
    pub s_addr: in_addr_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in_addr"][::std::mem::size_of::<in_addr>() - 4usize];
    ["Alignment of in_addr"][::std::mem::align_of::<in_addr>() - 4usize];
    [
        "Offset of field: in_addr::s_addr",
    ][::std::mem::offset_of!(in_addr, s_addr) - 0usize];
};
pub type in_port_t = u16;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_addr {
    pub __in6_u: in6_addr__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union in6_addr__bindgen_ty_1 {
    pub __u6_addr8: [u8; 16usize],
    pub __u6_addr16: [u16; 8usize],
    pub __u6_addr32: [u32; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of in6_addr__bindgen_ty_1",
    ][::std::mem::size_of::<in6_addr__bindgen_ty_1>() - 16usize];
    [
        "Alignment of in6_addr__bindgen_ty_1",
    ][::std::mem::align_of::<in6_addr__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: in6_addr__bindgen_ty_1::__u6_addr8",
    ][::std::mem::offset_of!(in6_addr__bindgen_ty_1, __u6_addr8) - 0usize];
    [
        "Offset of field: in6_addr__bindgen_ty_1::__u6_addr16",
    ][::std::mem::offset_of!(in6_addr__bindgen_ty_1, __u6_addr16) - 0usize];
    [
        "Offset of field: in6_addr__bindgen_ty_1::__u6_addr32",
    ][::std::mem::offset_of!(in6_addr__bindgen_ty_1, __u6_addr32) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_addr"][::std::mem::size_of::<in6_addr>() - 16usize];
    ["Alignment of in6_addr"][::std::mem::align_of::<in6_addr>() - 4usize];
    [
        "Offset of field: in6_addr::__in6_u",
    ][::std::mem::offset_of!(in6_addr, __in6_u) - 0usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct sockaddr_in {
    pub sin_family: sa_family_t,
    pub sin_port: in_port_t,
    pub sin_addr: in_addr,
    pub sin_zero: [::std::os::raw::c_uchar; 8usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr_in"][::std::mem::size_of::<sockaddr_in>() - 16usize];
    ["Alignment of sockaddr_in"][::std::mem::align_of::<sockaddr_in>() - 4usize];
    [
        "Offset of field: sockaddr_in::sin_family",
    ][::std::mem::offset_of!(sockaddr_in, sin_family) - 0usize];
    [
        "Offset of field: sockaddr_in::sin_port",
    ][::std::mem::offset_of!(sockaddr_in, sin_port) - 2usize];
    [
        "Offset of field: sockaddr_in::sin_addr",
    ][::std::mem::offset_of!(sockaddr_in, sin_addr) - 4usize];
    [
        "Offset of field: sockaddr_in::sin_zero",
    ][::std::mem::offset_of!(sockaddr_in, sin_zero) - 8usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct sockaddr_in6 {
    pub sin6_family: sa_family_t,
    pub sin6_port: in_port_t,
    pub sin6_flowinfo: u32,
    pub sin6_addr: in6_addr,
    pub sin6_scope_id: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr_in6"][::std::mem::size_of::<sockaddr_in6>() - 28usize];
    ["Alignment of sockaddr_in6"][::std::mem::align_of::<sockaddr_in6>() - 4usize];
    [
        "Offset of field: sockaddr_in6::sin6_family",
    ][::std::mem::offset_of!(sockaddr_in6, sin6_family) - 0usize];
    [
        "Offset of field: sockaddr_in6::sin6_port",
    ][::std::mem::offset_of!(sockaddr_in6, sin6_port) - 2usize];
    [
        "Offset of field: sockaddr_in6::sin6_flowinfo",
    ][::std::mem::offset_of!(sockaddr_in6, sin6_flowinfo) - 4usize];
    [
        "Offset of field: sockaddr_in6::sin6_addr",
    ][::std::mem::offset_of!(sockaddr_in6, sin6_addr) - 8usize];
    [
        "Offset of field: sockaddr_in6::sin6_scope_id",
    ][::std::mem::offset_of!(sockaddr_in6, sin6_scope_id) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct sockaddr_un {
    pub sun_family: sa_family_t,
    pub sun_path: [::std::os::raw::c_char; 108usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr_un"][::std::mem::size_of::<sockaddr_un>() - 110usize];
    ["Alignment of sockaddr_un"][::std::mem::align_of::<sockaddr_un>() - 2usize];
    [
        "Offset of field: sockaddr_un::sun_family",
    ][::std::mem::offset_of!(sockaddr_un, sun_family) - 0usize];
    [
        "Offset of field: sockaddr_un::sun_path",
    ][::std::mem::offset_of!(sockaddr_un, sun_path) - 2usize];
};
#[repr(C)]
pub struct network_address {
    pub addr: network_address__bindgen_ty_1,
    pub name: *mut GString,
    pub len: socklen_t,
    pub can_unlink_socket: gboolean,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union network_address__bindgen_ty_1 {
    pub ipv4: sockaddr_in,
    pub ipv6: sockaddr_in6,
    pub un: sockaddr_un,
    pub common: sockaddr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of network_address__bindgen_ty_1",
    ][::std::mem::size_of::<network_address__bindgen_ty_1>() - 112usize];
    [
        "Alignment of network_address__bindgen_ty_1",
    ][::std::mem::align_of::<network_address__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: network_address__bindgen_ty_1::ipv4",
    ][::std::mem::offset_of!(network_address__bindgen_ty_1, ipv4) - 0usize];
    [
        "Offset of field: network_address__bindgen_ty_1::ipv6",
    ][::std::mem::offset_of!(network_address__bindgen_ty_1, ipv6) - 0usize];
    [
        "Offset of field: network_address__bindgen_ty_1::un",
    ][::std::mem::offset_of!(network_address__bindgen_ty_1, un) - 0usize];
    [
        "Offset of field: network_address__bindgen_ty_1::common",
    ][::std::mem::offset_of!(network_address__bindgen_ty_1, common) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of network_address"][::std::mem::size_of::<network_address>() - 128usize];
    ["Alignment of network_address"][::std::mem::align_of::<network_address>() - 8usize];
    [
        "Offset of field: network_address::addr",
    ][::std::mem::offset_of!(network_address, addr) - 0usize];
    [
        "Offset of field: network_address::name",
    ][::std::mem::offset_of!(network_address, name) - 112usize];
    [
        "Offset of field: network_address::len",
    ][::std::mem::offset_of!(network_address, len) - 120usize];
    [
        "Offset of field: network_address::can_unlink_socket",
    ][::std::mem::offset_of!(network_address, can_unlink_socket) - 124usize];
};
pub type fn_network_address_new = ::std::option::Option<
    unsafe extern "C" fn() -> *mut network_address,
>;
pub type fn_network_address_free = ::std::option::Option<
    unsafe extern "C" fn(addr: *mut network_address),
>;
pub type fn_network_address_set_address = ::std::option::Option<
    unsafe extern "C" fn(addr: *mut network_address, address: *const gchar) -> gint,
>;
pub type fn_network_address_copy = ::std::option::Option<
    unsafe extern "C" fn(
        dst: *mut network_address,
        src: *mut network_address,
    ) -> *mut network_address,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct network_queue {
    pub chunks: *mut GQueue,
    pub len: usize,
    pub offset: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of network_queue"][::std::mem::size_of::<network_queue>() - 24usize];
    ["Alignment of network_queue"][::std::mem::align_of::<network_queue>() - 8usize];
    [
        "Offset of field: network_queue::chunks",
    ][::std::mem::offset_of!(network_queue, chunks) - 0usize];
    [
        "Offset of field: network_queue::len",
    ][::std::mem::offset_of!(network_queue, len) - 8usize];
    [
        "Offset of field: network_queue::offset",
    ][::std::mem::offset_of!(network_queue, offset) - 16usize];
};
pub type fn_network_queue_append = ::std::option::Option<
    unsafe extern "C" fn(
        queue: *mut network_queue,
        chunk: *mut GString,
    ) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct network_mysqld_auth_challenge {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct network_mysqld_auth_response {
    _unused: [u8; 0],
}
pub type fn_network_mysqld_auth_challenge_copy = ::std::option::Option<
    unsafe extern "C" fn(
        src: *mut network_mysqld_auth_challenge,
    ) -> *mut network_mysqld_auth_challenge,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct event {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct network_socket {
    pub fd: ::std::os::raw::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of network_socket"][::std::mem::size_of::<network_socket>() - 4usize];
    ["Alignment of network_socket"][::std::mem::align_of::<network_socket>() - 4usize];
    [
        "Offset of field: network_socket::fd",
    ][::std::mem::offset_of!(network_socket, fd) - 0usize];
};
#[repr(C)]
pub struct network_socket_tail {
    pub src: *mut network_address,
    pub dst: *mut network_address,
    pub socket_type: ::std::os::raw::c_int,
    pub last_packet_id: guint8,
    pub packet_id_is_reset: gboolean,
    pub recv_queue: *mut network_queue,
    pub recv_queue_raw: *mut network_queue,
    pub send_queue: *mut network_queue,
    pub header_read: off_t,
    pub to_read: off_t,
    pub challenge: *mut network_mysqld_auth_challenge,
    pub response: *mut network_mysqld_auth_response,
    pub is_authed: gboolean,
    pub default_db: *mut GString,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of network_socket_tail",
    ][::std::mem::size_of::<network_socket_tail>() - 104usize];
    [
        "Alignment of network_socket_tail",
    ][::std::mem::align_of::<network_socket_tail>() - 8usize];
    [
        "Offset of field: network_socket_tail::src",
    ][::std::mem::offset_of!(network_socket_tail, src) - 0usize];
    [
        "Offset of field: network_socket_tail::dst",
    ][::std::mem::offset_of!(network_socket_tail, dst) - 8usize];
    [
        "Offset of field: network_socket_tail::socket_type",
    ][::std::mem::offset_of!(network_socket_tail, socket_type) - 16usize];
    [
        "Offset of field: network_socket_tail::last_packet_id",
    ][::std::mem::offset_of!(network_socket_tail, last_packet_id) - 20usize];
    [
        "Offset of field: network_socket_tail::packet_id_is_reset",
    ][::std::mem::offset_of!(network_socket_tail, packet_id_is_reset) - 24usize];
    [
        "Offset of field: network_socket_tail::recv_queue",
    ][::std::mem::offset_of!(network_socket_tail, recv_queue) - 32usize];
    [
        "Offset of field: network_socket_tail::recv_queue_raw",
    ][::std::mem::offset_of!(network_socket_tail, recv_queue_raw) - 40usize];
    [
        "Offset of field: network_socket_tail::send_queue",
    ][::std::mem::offset_of!(network_socket_tail, send_queue) - 48usize];
    [
        "Offset of field: network_socket_tail::header_read",
    ][::std::mem::offset_of!(network_socket_tail, header_read) - 56usize];
    [
        "Offset of field: network_socket_tail::to_read",
    ][::std::mem::offset_of!(network_socket_tail, to_read) - 64usize];
    [
        "Offset of field: network_socket_tail::challenge",
    ][::std::mem::offset_of!(network_socket_tail, challenge) - 72usize];
    [
        "Offset of field: network_socket_tail::response",
    ][::std::mem::offset_of!(network_socket_tail, response) - 80usize];
    [
        "Offset of field: network_socket_tail::is_authed",
    ][::std::mem::offset_of!(network_socket_tail, is_authed) - 88usize];
    [
        "Offset of field: network_socket_tail::default_db",
    ][::std::mem::offset_of!(network_socket_tail, default_db) - 96usize];
};
pub mod network_socket_retval_t {
    pub type Type = ::std::os::raw::c_uint;
    pub const NETWORK_SOCKET_SUCCESS: Type = 0;
    pub const NETWORK_SOCKET_WAIT_FOR_EVENT: Type = 1;
    pub const NETWORK_SOCKET_ERROR: Type = 2;
    pub const NETWORK_SOCKET_ERROR_RETRY: Type = 3;
}
pub type fn_network_socket_new = ::std::option::Option<
    unsafe extern "C" fn() -> *mut network_socket,
>;
pub type fn_network_socket_free = ::std::option::Option<
    unsafe extern "C" fn(sock: *mut network_socket),
>;
pub type fn_network_socket_bind = ::std::option::Option<
    unsafe extern "C" fn(sock: *mut network_socket) -> network_socket_retval_t::Type,
>;
pub type fn_network_socket_connect = ::std::option::Option<
    unsafe extern "C" fn(sock: *mut network_socket) -> network_socket_retval_t::Type,
>;
pub type fn_network_socket_connect_finish = ::std::option::Option<
    unsafe extern "C" fn(sock: *mut network_socket) -> network_socket_retval_t::Type,
>;
pub type fn_network_mysqld_queue_append_raw = ::std::option::Option<
    unsafe extern "C" fn(
        sock: *mut network_socket,
        queue: *mut network_queue,
        packet: *mut GString,
    ) -> ::std::os::raw::c_int,
>;
pub type fn_network_mysqld_queue_append = ::std::option::Option<
    unsafe extern "C" fn(
        sock: *mut network_socket,
        queue: *mut network_queue,
        data: *const ::std::os::raw::c_char,
        len: usize,
    ) -> ::std::os::raw::c_int,
>;
pub type fn_network_mysqld_queue_reset = ::std::option::Option<
    unsafe extern "C" fn(sock: *mut network_socket) -> ::std::os::raw::c_int,
>;
pub type fn_network_mysqld_write = ::std::option::Option<
    unsafe extern "C" fn(
        chas: *mut chassis,
        sock: *mut network_socket,
    ) -> network_socket_retval_t::Type,
>;
pub mod backend_state_t {
    pub type Type = ::std::os::raw::c_uint;
    pub const BACKEND_STATE_UNKNOWN: Type = 0;
    pub const BACKEND_STATE_UP: Type = 1;
    pub const BACKEND_STATE_DOWN: Type = 2;
}
pub mod backend_type_t {
    pub type Type = ::std::os::raw::c_uint;
    pub const BACKEND_TYPE_UNKNOWN: Type = 0;
    pub const BACKEND_TYPE_RW: Type = 1;
    pub const BACKEND_TYPE_RO: Type = 2;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct network_connection_pool {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct network_backend_t {
    pub addr: *mut network_address,
    pub state: backend_state_t::Type,
    pub type_: backend_type_t::Type,
    pub state_since: GTimeVal,
    pub pool: *mut network_connection_pool,
    pub connected_clients: guint,
    pub uuid: *mut GString,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of network_backend_t"][::std::mem::size_of::<network_backend_t>() - 56usize];
    [
        "Alignment of network_backend_t",
    ][::std::mem::align_of::<network_backend_t>() - 8usize];
    [
        "Offset of field: network_backend_t::addr",
    ][::std::mem::offset_of!(network_backend_t, addr) - 0usize];
    [
        "Offset of field: network_backend_t::state",
    ][::std::mem::offset_of!(network_backend_t, state) - 8usize];
    [
        "Offset of field: network_backend_t::type_",
    ][::std::mem::offset_of!(network_backend_t, type_) - 12usize];
    [
        "Offset of field: network_backend_t::state_since",
    ][::std::mem::offset_of!(network_backend_t, state_since) - 16usize];
    [
        "Offset of field: network_backend_t::pool",
    ][::std::mem::offset_of!(network_backend_t, pool) - 32usize];
    [
        "Offset of field: network_backend_t::connected_clients",
    ][::std::mem::offset_of!(network_backend_t, connected_clients) - 40usize];
    [
        "Offset of field: network_backend_t::uuid",
    ][::std::mem::offset_of!(network_backend_t, uuid) - 48usize];
};
#[repr(C)]
pub struct network_backends_t {
    pub backends: *mut GPtrArray,
    pub backends_mutex: *mut GMutex,
    pub backend_last_check: GTimeVal,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of network_backends_t",
    ][::std::mem::size_of::<network_backends_t>() - 32usize];
    [
        "Alignment of network_backends_t",
    ][::std::mem::align_of::<network_backends_t>() - 8usize];
    [
        "Offset of field: network_backends_t::backends",
    ][::std::mem::offset_of!(network_backends_t, backends) - 0usize];
    [
        "Offset of field: network_backends_t::backends_mutex",
    ][::std::mem::offset_of!(network_backends_t, backends_mutex) - 8usize];
    [
        "Offset of field: network_backends_t::backend_last_check",
    ][::std::mem::offset_of!(network_backends_t, backend_last_check) - 16usize];
};
pub type fn_network_backends_new = ::std::option::Option<
    unsafe extern "C" fn() -> *mut network_backends_t,
>;
pub type fn_network_backends_free = ::std::option::Option<
    unsafe extern "C" fn(backends: *mut network_backends_t),
>;
pub type fn_network_backends_add = ::std::option::Option<
    unsafe extern "C" fn(
        backends: *mut network_backends_t,
        address: *mut gchar,
        type_: backend_type_t::Type,
    ) -> ::std::os::raw::c_int,
>;
pub type fn_network_backends_get = ::std::option::Option<
    unsafe extern "C" fn(
        backends: *mut network_backends_t,
        ndx: guint,
    ) -> *mut network_backend_t,
>;
pub type fn_network_backends_count = ::std::option::Option<
    unsafe extern "C" fn(backends: *mut network_backends_t) -> guint,
>;
pub type fn_network_backends_check = ::std::option::Option<
    unsafe extern "C" fn(backends: *mut network_backends_t) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct lua_scope {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_log {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_stats_t {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_event_threads_t {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_shutdown_hooks_t {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct event_base {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_private {
    pub cons: *mut GPtrArray,
    pub sc: *mut lua_scope,
    pub backends: *mut network_backends_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of chassis_private"][::std::mem::size_of::<chassis_private>() - 24usize];
    ["Alignment of chassis_private"][::std::mem::align_of::<chassis_private>() - 8usize];
    [
        "Offset of field: chassis_private::cons",
    ][::std::mem::offset_of!(chassis_private, cons) - 0usize];
    [
        "Offset of field: chassis_private::sc",
    ][::std::mem::offset_of!(chassis_private, sc) - 8usize];
    [
        "Offset of field: chassis_private::backends",
    ][::std::mem::offset_of!(chassis_private, backends) - 16usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis {
    pub event_base: *mut event_base,
    pub event_hdr_version: *mut gchar,
    pub modules: *mut GPtrArray,
    pub base_dir: *mut gchar,
    pub user: *mut gchar,
    pub priv_: *mut chassis_private,
    pub priv_shutdown: ::std::option::Option<
        unsafe extern "C" fn(chas: *mut chassis, priv_: *mut chassis_private),
    >,
    pub priv_free: ::std::option::Option<
        unsafe extern "C" fn(chas: *mut chassis, priv_: *mut chassis_private),
    >,
    pub log: *mut chassis_log,
    pub stats: *mut chassis_stats_t,
    pub event_thread_count: gint,
    pub threads: *mut chassis_event_threads_t,
    pub shutdown_hooks: *mut chassis_shutdown_hooks_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of chassis"][::std::mem::size_of::<chassis>() - 104usize];
    ["Alignment of chassis"][::std::mem::align_of::<chassis>() - 8usize];
    [
        "Offset of field: chassis::event_base",
    ][::std::mem::offset_of!(chassis, event_base) - 0usize];
    [
        "Offset of field: chassis::event_hdr_version",
    ][::std::mem::offset_of!(chassis, event_hdr_version) - 8usize];
    [
        "Offset of field: chassis::modules",
    ][::std::mem::offset_of!(chassis, modules) - 16usize];
    [
        "Offset of field: chassis::base_dir",
    ][::std::mem::offset_of!(chassis, base_dir) - 24usize];
    ["Offset of field: chassis::user"][::std::mem::offset_of!(chassis, user) - 32usize];
    [
        "Offset of field: chassis::priv_",
    ][::std::mem::offset_of!(chassis, priv_) - 40usize];
    [
        "Offset of field: chassis::priv_shutdown",
    ][::std::mem::offset_of!(chassis, priv_shutdown) - 48usize];
    [
        "Offset of field: chassis::priv_free",
    ][::std::mem::offset_of!(chassis, priv_free) - 56usize];
    ["Offset of field: chassis::log"][::std::mem::offset_of!(chassis, log) - 64usize];
    [
        "Offset of field: chassis::stats",
    ][::std::mem::offset_of!(chassis, stats) - 72usize];
    [
        "Offset of field: chassis::event_thread_count",
    ][::std::mem::offset_of!(chassis, event_thread_count) - 80usize];
    [
        "Offset of field: chassis::threads",
    ][::std::mem::offset_of!(chassis, threads) - 88usize];
    [
        "Offset of field: chassis::shutdown_hooks",
    ][::std::mem::offset_of!(chassis, shutdown_hooks) - 96usize];
};
pub type fn_chassis_is_shutdown = ::std::option::Option<
    unsafe extern "C" fn() -> gboolean,
>;
pub type fn_chassis_set_shutdown_location = ::std::option::Option<
    unsafe extern "C" fn(where_: *const gchar),
>;
pub type fn_lua_scope_get = ::std::option::Option<
    unsafe extern "C" fn(sc: *mut lua_scope, where_: *const ::std::os::raw::c_char),
>;
pub type fn_lua_scope_release = ::std::option::Option<
    unsafe extern "C" fn(sc: *mut lua_scope, where_: *const ::std::os::raw::c_char),
>;
pub mod network_mysqld_con_state_t {
    pub type Type = ::std::os::raw::c_uint;
    pub const CON_STATE_INIT: Type = 0;
    pub const CON_STATE_CONNECT_SERVER: Type = 1;
    pub const CON_STATE_READ_HANDSHAKE: Type = 2;
    pub const CON_STATE_SEND_HANDSHAKE: Type = 3;
    pub const CON_STATE_READ_AUTH: Type = 4;
    pub const CON_STATE_SEND_AUTH: Type = 5;
    pub const CON_STATE_READ_AUTH_RESULT: Type = 6;
    pub const CON_STATE_SEND_AUTH_RESULT: Type = 7;
    pub const CON_STATE_READ_AUTH_OLD_PASSWORD: Type = 8;
    pub const CON_STATE_SEND_AUTH_OLD_PASSWORD: Type = 9;
    pub const CON_STATE_READ_QUERY: Type = 10;
    pub const CON_STATE_SEND_QUERY: Type = 11;
    pub const CON_STATE_READ_QUERY_RESULT: Type = 12;
    pub const CON_STATE_SEND_QUERY_RESULT: Type = 13;
    pub const CON_STATE_CLOSE_CLIENT: Type = 14;
    pub const CON_STATE_SEND_ERROR: Type = 15;
    pub const CON_STATE_ERROR: Type = 16;
    pub const CON_STATE_CLOSE_SERVER: Type = 17;
    pub const CON_STATE_READ_LOCAL_INFILE_DATA: Type = 18;
    pub const CON_STATE_SEND_LOCAL_INFILE_DATA: Type = 19;
    pub const CON_STATE_READ_LOCAL_INFILE_RESULT: Type = 20;
    pub const CON_STATE_SEND_LOCAL_INFILE_RESULT: Type = 21;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_plugin_config {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_timestamps_t {
    _unused: [u8; 0],
}
pub type network_mysqld_hook = ::std::option::Option<
    unsafe extern "C" fn(
        chas: *mut chassis,
        con: *mut network_mysqld_con,
    ) -> network_socket_retval_t::Type,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct network_mysqld_hooks {
    pub con_init: network_mysqld_hook,
    pub con_connect_server: network_mysqld_hook,
    pub con_read_handshake: network_mysqld_hook,
    pub con_send_handshake: network_mysqld_hook,
    pub con_read_auth: network_mysqld_hook,
    pub con_send_auth: network_mysqld_hook,
    pub con_read_auth_result: network_mysqld_hook,
    pub con_send_auth_result: network_mysqld_hook,
    pub con_read_query: network_mysqld_hook,
    pub con_read_query_result: network_mysqld_hook,
    pub con_send_query_result: network_mysqld_hook,
    pub con_timer_elapsed: network_mysqld_hook,
    pub con_cleanup: network_mysqld_hook,
    pub con_read_local_infile_data: network_mysqld_hook,
    pub con_send_local_infile_data: network_mysqld_hook,
    pub con_read_local_infile_result: network_mysqld_hook,
    pub con_send_local_infile_result: network_mysqld_hook,
    pub con_read_auth_old_password: network_mysqld_hook,
    pub con_send_auth_old_password: network_mysqld_hook,
    pub con_timeout: network_mysqld_hook,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of network_mysqld_hooks",
    ][::std::mem::size_of::<network_mysqld_hooks>() - 160usize];
    [
        "Alignment of network_mysqld_hooks",
    ][::std::mem::align_of::<network_mysqld_hooks>() - 8usize];
    [
        "Offset of field: network_mysqld_hooks::con_init",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_init) - 0usize];
    [
        "Offset of field: network_mysqld_hooks::con_connect_server",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_connect_server) - 8usize];
    [
        "Offset of field: network_mysqld_hooks::con_read_handshake",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_read_handshake) - 16usize];
    [
        "Offset of field: network_mysqld_hooks::con_send_handshake",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_send_handshake) - 24usize];
    [
        "Offset of field: network_mysqld_hooks::con_read_auth",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_read_auth) - 32usize];
    [
        "Offset of field: network_mysqld_hooks::con_send_auth",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_send_auth) - 40usize];
    [
        "Offset of field: network_mysqld_hooks::con_read_auth_result",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_read_auth_result) - 48usize];
    [
        "Offset of field: network_mysqld_hooks::con_send_auth_result",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_send_auth_result) - 56usize];
    [
        "Offset of field: network_mysqld_hooks::con_read_query",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_read_query) - 64usize];
    [
        "Offset of field: network_mysqld_hooks::con_read_query_result",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_read_query_result) - 72usize];
    [
        "Offset of field: network_mysqld_hooks::con_send_query_result",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_send_query_result) - 80usize];
    [
        "Offset of field: network_mysqld_hooks::con_timer_elapsed",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_timer_elapsed) - 88usize];
    [
        "Offset of field: network_mysqld_hooks::con_cleanup",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_cleanup) - 96usize];
    [
        "Offset of field: network_mysqld_hooks::con_read_local_infile_data",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_read_local_infile_data)
        - 104usize];
    [
        "Offset of field: network_mysqld_hooks::con_send_local_infile_data",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_send_local_infile_data)
        - 112usize];
    [
        "Offset of field: network_mysqld_hooks::con_read_local_infile_result",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_read_local_infile_result)
        - 120usize];
    [
        "Offset of field: network_mysqld_hooks::con_send_local_infile_result",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_send_local_infile_result)
        - 128usize];
    [
        "Offset of field: network_mysqld_hooks::con_read_auth_old_password",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_read_auth_old_password)
        - 136usize];
    [
        "Offset of field: network_mysqld_hooks::con_send_auth_old_password",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_send_auth_old_password)
        - 144usize];
    [
        "Offset of field: network_mysqld_hooks::con_timeout",
    ][::std::mem::offset_of!(network_mysqld_hooks, con_timeout) - 152usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct network_mysqld_con_parse {
    pub command: ::std::os::raw::c_int,
    pub data: gpointer,
    pub data_free: ::std::option::Option<unsafe extern "C" fn(data: gpointer)>,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of network_mysqld_con_parse",
    ][::std::mem::size_of::<network_mysqld_con_parse>() - 24usize];
    [
        "Alignment of network_mysqld_con_parse",
    ][::std::mem::align_of::<network_mysqld_con_parse>() - 8usize];
    [
        "Offset of field: network_mysqld_con_parse::command",
    ][::std::mem::offset_of!(network_mysqld_con_parse, command) - 0usize];
    [
        "Offset of field: network_mysqld_con_parse::data",
    ][::std::mem::offset_of!(network_mysqld_con_parse, data) - 8usize];
    [
        "Offset of field: network_mysqld_con_parse::data_free",
    ][::std::mem::offset_of!(network_mysqld_con_parse, data_free) - 16usize];
};
#[repr(C)]
pub struct network_mysqld_con {
    pub state: network_mysqld_con_state_t::Type,
    pub server: *mut network_socket,
    pub client: *mut network_socket,
    pub plugins: network_mysqld_hooks,
    pub config: *mut chassis_plugin_config,
    pub srv: *mut chassis,
    pub is_listen_socket: ::std::os::raw::c_int,
    pub auth_result_state: guint8,
    pub auth_switch_to_method: *mut GString,
    pub auth_switch_to_data: *mut GString,
    pub auth_switch_to_round: guint32,
    pub auth_next_packet_is_from_server: gboolean,
    pub resultset_is_needed: gboolean,
    pub resultset_is_finished: gboolean,
    pub com_quit_seen: gboolean,
    pub local_file_data_is_finished: gboolean,
    pub parse: network_mysqld_con_parse,
    pub plugin_con_state: *mut ::std::os::raw::c_void,
    pub timestamps: *mut chassis_timestamps_t,
    pub connect_timeout: timeval,
    pub read_timeout: timeval,
    pub write_timeout: timeval,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of network_mysqld_con",
    ][::std::mem::size_of::<network_mysqld_con>() - 336usize];
    [
        "Alignment of network_mysqld_con",
    ][::std::mem::align_of::<network_mysqld_con>() - 8usize];
    [
        "Offset of field: network_mysqld_con::state",
    ][::std::mem::offset_of!(network_mysqld_con, state) - 0usize];
    [
        "Offset of field: network_mysqld_con::server",
    ][::std::mem::offset_of!(network_mysqld_con, server) - 8usize];
    [
        "Offset of field: network_mysqld_con::client",
    ][::std::mem::offset_of!(network_mysqld_con, client) - 16usize];
    [
        "Offset of field: network_mysqld_con::plugins",
    ][::std::mem::offset_of!(network_mysqld_con, plugins) - 24usize];
    [
        "Offset of field: network_mysqld_con::config",
    ][::std::mem::offset_of!(network_mysqld_con, config) - 184usize];
    [
        "Offset of field: network_mysqld_con::srv",
    ][::std::mem::offset_of!(network_mysqld_con, srv) - 192usize];
    [
        "Offset of field: network_mysqld_con::is_listen_socket",
    ][::std::mem::offset_of!(network_mysqld_con, is_listen_socket) - 200usize];
    [
        "Offset of field: network_mysqld_con::auth_result_state",
    ][::std::mem::offset_of!(network_mysqld_con, auth_result_state) - 204usize];
    [
        "Offset of field: network_mysqld_con::auth_switch_to_method",
    ][::std::mem::offset_of!(network_mysqld_con, auth_switch_to_method) - 208usize];
    [
        "Offset of field: network_mysqld_con::auth_switch_to_data",
    ][::std::mem::offset_of!(network_mysqld_con, auth_switch_to_data) - 216usize];
    [
        "Offset of field: network_mysqld_con::auth_switch_to_round",
    ][::std::mem::offset_of!(network_mysqld_con, auth_switch_to_round) - 224usize];
    [
        "Offset of field: network_mysqld_con::auth_next_packet_is_from_server",
    ][::std::mem::offset_of!(network_mysqld_con, auth_next_packet_is_from_server)
        - 228usize];
    [
        "Offset of field: network_mysqld_con::resultset_is_needed",
    ][::std::mem::offset_of!(network_mysqld_con, resultset_is_needed) - 232usize];
    [
        "Offset of field: network_mysqld_con::resultset_is_finished",
    ][::std::mem::offset_of!(network_mysqld_con, resultset_is_finished) - 236usize];
    [
        "Offset of field: network_mysqld_con::com_quit_seen",
    ][::std::mem::offset_of!(network_mysqld_con, com_quit_seen) - 240usize];
    [
        "Offset of field: network_mysqld_con::local_file_data_is_finished",
    ][::std::mem::offset_of!(network_mysqld_con, local_file_data_is_finished)
        - 244usize];
    [
        "Offset of field: network_mysqld_con::parse",
    ][::std::mem::offset_of!(network_mysqld_con, parse) - 248usize];
    [
        "Offset of field: network_mysqld_con::plugin_con_state",
    ][::std::mem::offset_of!(network_mysqld_con, plugin_con_state) - 272usize];
    [
        "Offset of field: network_mysqld_con::timestamps",
    ][::std::mem::offset_of!(network_mysqld_con, timestamps) - 280usize];
    [
        "Offset of field: network_mysqld_con::connect_timeout",
    ][::std::mem::offset_of!(network_mysqld_con, connect_timeout) - 288usize];
    [
        "Offset of field: network_mysqld_con::read_timeout",
    ][::std::mem::offset_of!(network_mysqld_con, read_timeout) - 304usize];
    [
        "Offset of field: network_mysqld_con::write_timeout",
    ][::std::mem::offset_of!(network_mysqld_con, write_timeout) - 320usize];
};
pub type fn_network_mysqld_con_new = ::std::option::Option<
    unsafe extern "C" fn() -> *mut network_mysqld_con,
>;
pub type fn_network_mysqld_con_free = ::std::option::Option<
    unsafe extern "C" fn(con: *mut network_mysqld_con),
>;
pub type fn_network_mysqld_add_connection = ::std::option::Option<
    unsafe extern "C" fn(chas: *mut chassis, con: *mut network_mysqld_con),
>;
pub type fn_network_mysqld_con_accept = ::std::option::Option<
    unsafe extern "C" fn(
        fd: ::std::os::raw::c_int,
        events: ::std::os::raw::c_short,
        listen_con: *mut ::std::os::raw::c_void,
    ),
>;
pub type fn_network_mysqld_con_reset_command_response_state = ::std::option::Option<
    unsafe extern "C" fn(con: *mut network_mysqld_con),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_plugin_stats_t {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct chassis_plugin {
    pub magic: ::std::os::raw::c_long,
    pub option_grp_name: *mut gchar,
    pub name: *mut gchar,
    pub version: *mut gchar,
    pub module: *mut GModule,
    pub stats: *mut chassis_plugin_stats_t,
    pub new_stats: ::std::option::Option<
        unsafe extern "C" fn() -> *mut chassis_plugin_stats_t,
    >,
    pub free_stats: ::std::option::Option<
        unsafe extern "C" fn(stats: *mut chassis_plugin_stats_t),
    >,
    pub get_stats: ::std::option::Option<
        unsafe extern "C" fn(stats: *mut chassis_plugin_stats_t) -> *mut GHashTable,
    >,
    pub config: *mut chassis_plugin_config,
    pub init: ::std::option::Option<
        unsafe extern "C" fn() -> *mut chassis_plugin_config,
    >,
    pub destroy: ::std::option::Option<
        unsafe extern "C" fn(config: *mut chassis_plugin_config),
    >,
    pub get_options: ::std::option::Option<
        unsafe extern "C" fn(config: *mut chassis_plugin_config) -> *mut GOptionEntry,
    >,
    pub apply_config: ::std::option::Option<
        unsafe extern "C" fn(
            chas: *mut chassis,
            config: *mut chassis_plugin_config,
        ) -> ::std::os::raw::c_int,
    >,
    pub get_global_state: ::std::option::Option<
        unsafe extern "C" fn(
            config: *mut chassis_plugin_config,
            member: *const ::std::os::raw::c_char,
        ) -> *mut ::std::os::raw::c_void,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of chassis_plugin"][::std::mem::size_of::<chassis_plugin>() - 120usize];
    ["Alignment of chassis_plugin"][::std::mem::align_of::<chassis_plugin>() - 8usize];
    [
        "Offset of field: chassis_plugin::magic",
    ][::std::mem::offset_of!(chassis_plugin, magic) - 0usize];
    [
        "Offset of field: chassis_plugin::option_grp_name",
    ][::std::mem::offset_of!(chassis_plugin, option_grp_name) - 8usize];
    [
        "Offset of field: chassis_plugin::name",
    ][::std::mem::offset_of!(chassis_plugin, name) - 16usize];
    [
        "Offset of field: chassis_plugin::version",
    ][::std::mem::offset_of!(chassis_plugin, version) - 24usize];
    [
        "Offset of field: chassis_plugin::module",
    ][::std::mem::offset_of!(chassis_plugin, module) - 32usize];
    [
        "Offset of field: chassis_plugin::stats",
    ][::std::mem::offset_of!(chassis_plugin, stats) - 40usize];
    [
        "Offset of field: chassis_plugin::new_stats",
    ][::std::mem::offset_of!(chassis_plugin, new_stats) - 48usize];
    [
        "Offset of field: chassis_plugin::free_stats",
    ][::std::mem::offset_of!(chassis_plugin, free_stats) - 56usize];
    [
        "Offset of field: chassis_plugin::get_stats",
    ][::std::mem::offset_of!(chassis_plugin, get_stats) - 64usize];
    [
        "Offset of field: chassis_plugin::config",
    ][::std::mem::offset_of!(chassis_plugin, config) - 72usize];
    [
        "Offset of field: chassis_plugin::init",
    ][::std::mem::offset_of!(chassis_plugin, init) - 80usize];
    [
        "Offset of field: chassis_plugin::destroy",
    ][::std::mem::offset_of!(chassis_plugin, destroy) - 88usize];
    [
        "Offset of field: chassis_plugin::get_options",
    ][::std::mem::offset_of!(chassis_plugin, get_options) - 96usize];
    [
        "Offset of field: chassis_plugin::apply_config",
    ][::std::mem::offset_of!(chassis_plugin, apply_config) - 104usize];
    [
        "Offset of field: chassis_plugin::get_global_state",
    ][::std::mem::offset_of!(chassis_plugin, get_global_state) - 112usize];
};
pub type fn_chassis_plugin_for_name = ::std::option::Option<
    unsafe extern "C" fn(chas: *mut chassis, name: *mut gchar) -> *mut chassis_plugin,
>;
pub type fn_chassis_shutdown_hooks_register = ::std::option::Option<
    unsafe extern "C" fn(),
>;
pub type fn_chassis_event_add_with_timeout = ::std::option::Option<
    unsafe extern "C" fn(chas: *mut chassis, ev: *mut event, timeout: *mut timeval),
>;
pub type fn_event_callback = ::std::option::Option<
    unsafe extern "C" fn(
        fd: ::std::os::raw::c_int,
        events: ::std::os::raw::c_short,
        arg: *mut ::std::os::raw::c_void,
    ),
>;
pub type fn_event_set = ::std::option::Option<
    unsafe extern "C" fn(
        ev: *mut event,
        fd: ::std::os::raw::c_int,
        events: ::std::os::raw::c_short,
        callback: fn_event_callback,
        arg: *mut ::std::os::raw::c_void,
    ),
>;
pub type fn_event_base_set = ::std::option::Option<
    unsafe extern "C" fn(base: *mut event_base, ev: *mut event) -> ::std::os::raw::c_int,
>;
pub type fn_event_add = ::std::option::Option<
    unsafe extern "C" fn(
        ev: *mut event,
        timeout: *const timeval,
    ) -> ::std::os::raw::c_int,
>;
pub type fn_event_get_version = ::std::option::Option<
    unsafe extern "C" fn() -> *const ::std::os::raw::c_char,
>;
pub type fn_event_get_struct_event_size = ::std::option::Option<
    unsafe extern "C" fn() -> usize,
>;
