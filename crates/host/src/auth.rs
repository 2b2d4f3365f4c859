//! What a socket learned from a handshake or a login. Here only made, copied and freed: parsing is a plugin's task.
//!
//! Layouts: `chassis-headers/auth.h`.

use std::ffi::c_char;

use chassis_sys::{network_mysqld_auth_challenge, network_mysqld_auth_response};
use glib_sys::GString;
use wire::Capabilities;

use crate::exports::export;
use crate::glib;

/// What a new challenge or response starts with: the 4.1 protocol and its authentication.
const FIRST: Capabilities = Capabilities::PROTOCOL_41.union(Capabilities::SECURE_CONNECTION);

/// The server's handshake.
#[repr(C)]
pub struct Challenge {
    protocol_version: u8,
    server_version_str: *mut c_char,
    /// As a number: 5.1.14 is 50114.
    pub server_version: u32,
    thread_id: u32,
    auth_plugin_data: *mut GString,
    capabilities: u32,
    charset: u8,
    server_status: u16,
    auth_plugin_name: *mut GString,
}

/// The client's login.
#[repr(C)]
pub struct Response {
    client_capabilities: u32,
    server_capabilities: u32,
    max_packet_size: u32,
    charset: u8,
    username: *mut GString,
    auth_plugin_data: *mut GString,
    database: *mut GString,
    auth_plugin_name: *mut GString,
}

const _: () = assert!(size_of::<Challenge>() == 48);
const _: () = assert!(size_of::<Response>() == 48);

export! {
    /// An empty challenge.
    fn network_mysqld_auth_challenge_new() -> *mut network_mysqld_auth_challenge {
        let challenge: *mut Challenge = glib::alloc_zeroed();
        // SAFETY: fresh memory of a challenge.
        unsafe {
            (*challenge).auth_plugin_data = glib::new_string(b"");
            (*challenge).auth_plugin_name = glib::new_string(b"");
            (*challenge).capabilities = FIRST.classic();
        }
        challenge.cast()
    }

    /// Frees it; NULL is fine.
    fn network_mysqld_auth_challenge_free(challenge: *mut network_mysqld_auth_challenge) {
        let challenge: *mut Challenge = challenge.cast();
        // SAFETY: NULL, or a challenge of this host that the caller gives up (ABI).
        unsafe {
            if let Some(members) = challenge.as_ref() {
                glib::free(members.server_version_str);
                glib::free_string(members.auth_plugin_data);
                glib::free_string(members.auth_plugin_name);
                glib::free(challenge);
            }
        }
    }

    /// A copy; NULL for NULL.
    fn network_mysqld_auth_challenge_copy(src: *mut network_mysqld_auth_challenge)
    -> *mut network_mysqld_auth_challenge as fn_network_mysqld_auth_challenge_copy {
        // SAFETY: NULL or a live challenge of this host (ABI); the copy is fresh.
        unsafe {
            let Some(src) = src.cast::<Challenge>().as_ref() else {
                return std::ptr::null_mut();
            };
            let copy: *mut Challenge = network_mysqld_auth_challenge_new().cast();
            (*copy).protocol_version = src.protocol_version;
            (*copy).server_version = src.server_version;
            (*copy).thread_id = src.thread_id;
            (*copy).capabilities = src.capabilities;
            (*copy).charset = src.charset;
            (*copy).server_status = src.server_status;
            if let Some(version) = glib::c_bytes(src.server_version_str) {
                (*copy).server_version_str = glib::strdup(version);
            }
            glib::append((*copy).auth_plugin_data, glib::bytes(src.auth_plugin_data));
            glib::append((*copy).auth_plugin_name, glib::bytes(src.auth_plugin_name));
            copy.cast()
        }
    }

    /// An empty response to a server with these capabilities.
    fn network_mysqld_auth_response_new(server_capabilities: u32) -> *mut network_mysqld_auth_response {
        let response: *mut Response = glib::alloc_zeroed();
        // SAFETY: fresh memory of a response.
        unsafe {
            (*response).client_capabilities = FIRST.classic();
            (*response).server_capabilities = server_capabilities;
            (*response).username = glib::new_string(b"");
            (*response).auth_plugin_data = glib::new_string(b"");
            (*response).database = glib::new_string(b"");
            (*response).auth_plugin_name = glib::new_string(b"");
        }
        response.cast()
    }

    /// Frees it; NULL is fine.
    fn network_mysqld_auth_response_free(response: *mut network_mysqld_auth_response) {
        let response: *mut Response = response.cast();
        // SAFETY: NULL, or a response of this host that the caller gives up (ABI).
        unsafe {
            if let Some(members) = response.as_ref() {
                glib::free_string(members.username);
                glib::free_string(members.auth_plugin_data);
                glib::free_string(members.database);
                glib::free_string(members.auth_plugin_name);
                glib::free(response);
            }
        }
    }
}
