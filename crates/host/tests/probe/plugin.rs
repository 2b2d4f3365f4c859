//! A minimal plugin for the host's own tests: forwards one server's traffic, or breaks a rule on purpose.
//!
//! `--probe-address` is where it listens, `--probe-backend` the server, `--probe-break` the rule to break,
//! `--probe-trace` a file that gets one line per entry of the plugin's life: its name and the process id
//! (`PROBE_TRACE` in the environment does the same before options are known).
//!
//! **PROBE** The host calls every entry with its own live objects, one call at a time; all pointers here come from
//! there.

use std::ffi::{CStr, c_char, c_int, c_short, c_void};
use std::fs::OpenOptions;
use std::io::Write;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use chassis_sys::network_mysqld_con_state_t as state;
use chassis_sys::network_socket_retval_t::{
    NETWORK_SOCKET_ERROR as ERROR, NETWORK_SOCKET_ERROR_RETRY as RETRY,
    NETWORK_SOCKET_SUCCESS as SUCCESS, Type as Retval,
};
use chassis_sys::{
    CHASSIS_PLUGIN_MAGIC, chassis, chassis_plugin, chassis_plugin_config, event, event_base,
    network_address, network_backends_t, network_mysqld_con, network_queue, network_socket,
    network_socket_tail,
};
use glib_sys::{GOptionEntry, GString};

unsafe extern "C" {
    fn network_socket_new() -> *mut network_socket;
    fn network_socket_free(socket: *mut network_socket);
    fn network_socket_bind(socket: *mut network_socket) -> Retval;
    fn network_socket_connect(socket: *mut network_socket) -> Retval;
    fn network_socket_connect_finish(socket: *mut network_socket) -> Retval;
    fn network_address_set_address(address: *mut network_address, text: *const c_char) -> c_int;
    fn network_address_copy(
        dst: *mut network_address,
        src: *mut network_address,
    ) -> *mut network_address;
    fn network_backends_add(list: *mut network_backends_t, text: *mut c_char, kind: u32) -> c_int;
    fn network_backends_get(
        list: *mut network_backends_t,
        ndx: u32,
    ) -> *mut chassis_sys::network_backend_t;
    fn network_mysqld_queue_append_raw(
        socket: *mut network_socket,
        queue: *mut network_queue,
        packet: *mut GString,
    ) -> c_int;
    fn network_queue_append(queue: *mut network_queue, chunk: *mut GString) -> c_int;
    fn network_mysqld_queue_reset(socket: *mut network_socket) -> c_int;
    fn network_mysqld_con_new() -> *mut network_mysqld_con;
    fn network_mysqld_add_connection(chas: *mut chassis, con: *mut network_mysqld_con);
    fn network_mysqld_con_accept(fd: c_int, events: c_short, con: *mut c_void);
    fn event_set(
        ev: *mut event,
        fd: c_int,
        events: c_short,
        callback: Option<unsafe extern "C" fn(c_int, c_short, *mut c_void)>,
        arg: *mut c_void,
    );
    fn event_base_set(base: *mut event_base, ev: *mut event) -> c_int;
    fn event_add(ev: *mut event, timeout: *const libc::timeval) -> c_int;
}

const EVENT_SIZE: usize = 128;
const EV_READ_PERSIST: c_short = 0x12;
/// SSL, compression, deprecated EOF: the probe follows none of them.
const MASKED: u32 = 0x0800 | 0x20 | 1 << 24;

/// The values of the options, in the order of the option table.
static OPTIONS: [AtomicPtr<c_char>; 4] = [const { AtomicPtr::new(ptr::null_mut()) }; 4];

/// The option table, which lives until the end.
static TABLE: AtomicPtr<[GOptionEntry; 5]> = AtomicPtr::new(ptr::null_mut());

fn option(index: usize) -> Option<String> {
    let value = OPTIONS[index].load(Ordering::Relaxed);
    // SAFETY: GLib stores NULL or a C string.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_string_lossy().into_owned())
}

fn breaks(rule: &str) -> bool {
    option(2).as_deref() == Some(rule)
}

fn trace(line: &str) {
    if let Some(path) = option(3).or_else(|| std::env::var("PROBE_TRACE").ok()) {
        let mut file =
            OpenOptions::new().append(true).create(true).open(path).expect("the trace opens");
        let line = format!("{line} {}\n", std::process::id());
        file.write_all(line.as_bytes()).expect("the trace is written");
    }
}

/// # Safety
/// `socket` is live.
unsafe fn tail(socket: *mut network_socket) -> *mut network_socket_tail {
    socket.wrapping_byte_add(8 + EVENT_SIZE).cast()
}

/// Takes the first received packet of a socket.
unsafe fn take(socket: *mut network_socket) -> *mut GString {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe { glib_sys::g_queue_pop_head((*(*tail(socket)).recv_queue).chunks).cast() }
}

/// Forwards the first received packet of `from`, returns its payload's first byte and length.
unsafe fn forward(from: *mut network_socket, to: *mut network_socket) -> (u8, usize) {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        let packet = take(from);
        let len = (*packet).len - 4;
        let first = if len == 0 { 0 } else { (*packet).str.add(4).cast::<u8>().read() };
        network_mysqld_queue_append_raw(to, (*tail(to)).send_queue, packet);
        (first, len)
    }
}

unsafe fn reset_both(con: *mut network_mysqld_con) {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        network_mysqld_queue_reset((*con).client);
        network_mysqld_queue_reset((*con).server);
    }
}

unsafe extern "C" fn init(_: *mut chassis, con: *mut network_mysqld_con) -> Retval {
    trace("init");
    if !breaks("dead-state") {
        // SAFETY: PROBE: the caller passes live objects of the host.
        unsafe { (*con).state = state::CON_STATE_CONNECT_SERVER };
    }
    SUCCESS
}

unsafe extern "C" fn connect_server(chas: *mut chassis, con: *mut network_mysqld_con) -> Retval {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        let backend = network_backends_get((*(*chas).priv_).backends, 0);
        match option(2).as_deref() {
            Some("no-server") => return SUCCESS,
            Some("send-query-without-server") => (*con).state = state::CON_STATE_SEND_QUERY,
            Some("retry-for-ever") => return RETRY,
            Some("bad-state") => (*con).state = 99,
            Some(rule @ ("empty-chunk" | "bad-header")) => {
                let bytes: &[u8] = if rule == "empty-chunk" { b"" } else { b"\x05\0\0\0ab" };
                let chunk =
                    glib_sys::g_string_new_len(bytes.as_ptr().cast(), bytes.len().cast_signed());
                network_queue_append((*tail((*con).client)).send_queue, chunk);
                return SUCCESS;
            }
            _ => {
                if (*con).server.is_null() {
                    (*con).server = network_socket_new();
                    network_address_copy((*tail((*con).server)).dst, (*backend).addr);
                    match network_socket_connect((*con).server) {
                        SUCCESS => {}
                        RETRY => return RETRY,
                        _ => return ERROR,
                    }
                } else if network_socket_connect_finish((*con).server) != SUCCESS {
                    network_socket_free((*con).server);
                    (*con).server = ptr::null_mut();
                    return ERROR;
                }
                (*backend).connected_clients += 1;
                (*con).state = state::CON_STATE_READ_HANDSHAKE;
                return SUCCESS;
            }
        }
        // The rest breaks a rule in the state it chose: it needs a server only to get past this one.
        (*con).server = network_socket_new();
        SUCCESS
    }
}

unsafe extern "C" fn read_handshake(_: *mut chassis, con: *mut network_mysqld_con) -> Retval {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        let packet = glib_sys::g_queue_peek_head((*(*tail((*con).server)).recv_queue).chunks)
            .cast::<GString>();
        let bytes = std::slice::from_raw_parts_mut((*packet).str.cast::<u8>(), (*packet).len);
        let version_end = 5 + bytes[5..].iter().position(|&byte| byte == 0).expect("a version");
        let caps = version_end + 1 + 4 + 8 + 1;
        for (shift, at) in [(0, caps), (8, caps + 1), (16, caps + 5), (24, caps + 6)] {
            bytes[at] &= !MASKED.to_le_bytes()[shift / 8];
        }
        forward((*con).server, (*con).client);
        (*con).state = state::CON_STATE_SEND_HANDSHAKE;
    }
    SUCCESS
}

unsafe extern "C" fn read_auth(_: *mut chassis, con: *mut network_mysqld_con) -> Retval {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        forward((*con).client, (*con).server);
        (*con).state = state::CON_STATE_SEND_AUTH;
    }
    SUCCESS
}

unsafe extern "C" fn read_auth_result(_: *mut chassis, con: *mut network_mysqld_con) -> Retval {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        let (first, _) = forward((*con).server, (*con).client);
        if first == 0 {
            reset_both(con);
        }
        (*con).state = state::CON_STATE_SEND_AUTH_RESULT;
    }
    SUCCESS
}

unsafe extern "C" fn read_query(_: *mut chassis, con: *mut network_mysqld_con) -> Retval {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        (*con).resultset_is_finished = 0;
        (*con).plugin_con_state = ptr::null_mut();
        if breaks("client-queue") {
            (*con).state = state::CON_STATE_SEND_QUERY;
            return SUCCESS;
        }
        if breaks("empty-send-queue") {
            glib_sys::g_string_free(take((*con).client), 1);
            (*con).state = state::CON_STATE_SEND_QUERY;
            return SUCCESS;
        }
        if breaks("stale-answer") {
            let stale = glib_sys::g_string_new_len([0u8; 4].as_ptr().cast(), 4);
            network_queue_append((*tail((*con).server)).recv_queue, stale);
        }
        while (*(*(*tail((*con).client)).recv_queue).chunks).length > 0 {
            forward((*con).client, (*con).server);
        }
        (*con).state = state::CON_STATE_SEND_QUERY;
    }
    SUCCESS
}

/// `plugin_con_state` counts the EOF packets of the answer.
unsafe extern "C" fn read_query_result(_: *mut chassis, con: *mut network_mysqld_con) -> Retval {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        let eofs = (*con).plugin_con_state.addr();
        let first_packet = (*con).resultset_is_needed == 0
            && eofs == 0
            && (*tail((*con).client)).last_packet_id == 0;
        let (first, len) = forward((*con).server, (*con).client);
        let is_eof = first == 0xfe && len < 9;
        let eofs = eofs + usize::from(is_eof);
        (*con).plugin_con_state = ptr::without_provenance_mut(eofs);
        if first == 0xff || eofs == 2 || (first_packet && first == 0) {
            (*con).resultset_is_finished = 1;
            reset_both(con);
            (*con).state = state::CON_STATE_SEND_QUERY_RESULT;
        }
    }
    SUCCESS
}

unsafe extern "C" fn cleanup(chas: *mut chassis, con: *mut network_mysqld_con) -> Retval {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        trace(if (*con).client.is_null() { "cleanup-listener" } else { "cleanup" });
        if !(*con).client.is_null() && !(*con).server.is_null() && !breaks("lost-count") {
            let backend = network_backends_get((*(*chas).priv_).backends, 0);
            (*backend).connected_clients = (*backend).connected_clients.saturating_sub(1);
        }
    }
    SUCCESS
}

unsafe extern "C" fn get_options(_: *mut chassis_plugin_config) -> *mut GOptionEntry {
    let entry = |name: &'static CStr, index: usize| GOptionEntry {
        long_name: name.as_ptr(),
        short_name: 0,
        flags: 0,
        arg: glib_sys::G_OPTION_ARG_STRING,
        arg_data: OPTIONS[index].as_ptr().cast(),
        description: c"for tests".as_ptr(),
        arg_description: ptr::null(),
    };
    let end = GOptionEntry { long_name: ptr::null(), ..entry(c"", 0) };
    let table = [
        entry(c"probe-address", 0),
        entry(c"probe-backend", 1),
        entry(c"probe-break", 2),
        entry(c"probe-trace", 3),
        end,
    ];
    let table = Box::into_raw(Box::new(table));
    TABLE.store(table, Ordering::Relaxed);
    table.cast()
}

unsafe extern "C" fn apply_config(chas: *mut chassis, config: *mut chassis_plugin_config) -> c_int {
    trace("apply_config");
    if breaks("apply") {
        return 1;
    }
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        let con = network_mysqld_con_new();
        network_mysqld_add_connection(chas, con);
        (*con).config = config;
        let hooks = &mut (*con).plugins;
        hooks.con_init = Some(init);
        hooks.con_connect_server = Some(connect_server);
        hooks.con_read_handshake = Some(read_handshake);
        hooks.con_read_auth = Some(read_auth);
        hooks.con_read_auth_result = Some(read_auth_result);
        hooks.con_read_query = Some(read_query);
        hooks.con_read_query_result = Some(read_query_result);
        hooks.con_cleanup = Some(cleanup);
        let listener = network_socket_new();
        (*con).server = listener;
        if network_address_set_address((*tail(listener)).dst, OPTIONS[0].load(Ordering::Relaxed))
            != 0
            || network_socket_bind(listener) != SUCCESS
        {
            return 1;
        }
        if let Some(backend) = option(1) {
            let text = format!("{backend}\0");
            network_backends_add((*(*chas).priv_).backends, text.as_ptr().cast_mut().cast(), 1);
        }
        let ev: *mut event = listener.byte_add(8).cast();
        event_set(ev, (*listener).fd, EV_READ_PERSIST, Some(network_mysqld_con_accept), con.cast());
        event_base_set((*chas).event_base, ev);
        event_add(ev, ptr::null());
    }
    trace("listening");
    0
}

unsafe extern "C" fn destroy(_: *mut chassis_plugin_config) {
    trace("destroy");
    // SAFETY: PROBE: the last call; option values are NULL or g_malloc memory, the table is that of get_options.
    unsafe {
        OPTIONS.iter().for_each(|value| {
            glib_sys::g_free(value.swap(ptr::null_mut(), Ordering::Relaxed).cast())
        });
        let table = TABLE.load(Ordering::Relaxed);
        if !table.is_null() {
            drop(Box::from_raw(table));
        }
    }
}

/// The entry of the plugin.
///
/// # Safety
/// Called by the host with its table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_init(plugin: *mut chassis_plugin) -> c_int {
    // SAFETY: PROBE: the caller passes live objects of the host.
    unsafe {
        (*plugin).magic = i64::from(CHASSIS_PLUGIN_MAGIC);
        (*plugin).name = glib_sys::g_strdup(c"probe".as_ptr());
        (*plugin).version = glib_sys::g_strdup(c"1.2.3".as_ptr());
        (*plugin).get_options = Some(get_options);
        (*plugin).apply_config = Some(apply_config);
        (*plugin).destroy = Some(destroy);
    }
    0
}
