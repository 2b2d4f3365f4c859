//! The size of libevent's `struct event`, which the host embeds in `network_socket`.
//!
//! Facts: `docs/internals/abi.md#libevent`. The host refuses to start unless the libevent it runs with is of the series
//! it was compiled with, so what the loaded library says holds for the host's structs.

use std::ffi::{CStr, c_char, c_void};

use chassis_sys::layout::SOCKET_EVENT_OFFSET;
use chassis_sys::{self as sys, Func};

use super::api::{HostError, Lookup};

/// `sizeof(struct event)` in libevent 1.4 (which cannot tell it), in bytes.
const SIZE_1_4: usize = 128;

/// Asks the loaded libevent.
pub fn struct_size(lookup: Lookup<'_>) -> Result<usize, HostError> {
    let version = lookup(c"event_get_version")
        .map(|address| {
            // SAFETY: INV-3: event_get_version has this signature in every libevent and returns a static string.
            let text: *const c_char = unsafe {
                std::mem::transmute::<*mut c_void, Func<sys::fn_event_get_version>>(address)()
            };
            // SAFETY: as above.
            unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
        })
        .unwrap_or_default();
    let told = lookup(c"event_get_struct_event_size").map(|address| {
        // SAFETY: INV-3: this function has this signature wherever it exists.
        unsafe {
            std::mem::transmute::<*mut c_void, Func<sys::fn_event_get_struct_event_size>>(address)()
        }
    });
    size_for(&version, told)
}

/// The size for a libevent of `version` that says `told` (`None`: it has no function that tells).
fn size_for(version: &str, told: Option<usize>) -> Result<usize, HostError> {
    match told {
        Some(size) if (64..=512).contains(&size) && size % 8 == 0 => Ok(size),
        Some(size) => Err(HostError::Event(format!("libevent {version} says {size} bytes"))),
        None if version.starts_with("1.4") => Ok(SIZE_1_4),
        None => Err(HostError::Event(format!("libevent version {version:?} is unknown"))),
    }
}

/// The members of a `network_socket` behind its `struct event` of `event_size` bytes.
///
/// Computes an address only; reading through it is the caller's duty (INV-2).
#[inline]
pub fn socket_tail(
    socket: *mut sys::network_socket,
    event_size: usize,
) -> *mut sys::network_socket_tail {
    socket.wrapping_byte_add(SOCKET_EVENT_OFFSET + event_size).cast()
}

/// The `struct event` inside a `network_socket`.
#[inline]
pub fn socket_event(socket: *mut sys::network_socket) -> *mut sys::event {
    socket.wrapping_byte_add(SOCKET_EVENT_OFFSET).cast()
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;

    use super::*;

    #[test]
    fn sizes_of_the_three_series() {
        assert_eq!(size_for("1.4.15-stable", None), Ok(128));
        assert_eq!(size_for("2.0.22-stable", Some(136)), Ok(136));
        assert_eq!(size_for("2.1.12-stable", Some(128)), Ok(128));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(size_for("3.0", None).is_err());
        assert!(size_for("2.1", Some(0)).is_err());
        assert!(size_for("2.1", Some(131)).is_err());
    }

    /// A hand-made `network_socket` of each series: the tail is found where that series puts it.
    #[test]
    fn the_tail_is_found_in_sockets_of_every_series() {
        for (event_size, src_offset, socket_size) in [(128, 136, 240), (136, 144, 248)] {
            let mut memory = vec![0u64; socket_size / 8];
            let marker = NonNull::<sys::network_address>::dangling().as_ptr();
            memory[src_offset / 8] = u64::try_from(marker.addr()).expect("64-bit");
            let socket: *mut sys::network_socket = memory.as_mut_ptr().cast();
            let tail = socket_tail(socket, event_size);
            // SAFETY: the tail lies inside `memory`, which outlives this read; all-zero members are valid.
            let (src, reset) = unsafe { ((*tail).src, (*tail).packet_id_is_reset) };
            assert_eq!(src.addr(), marker.addr());
            assert_eq!(reset, 0);
            // SAFETY: as above, for a write.
            unsafe { (*tail).is_authed = 1 };
            assert_eq!(memory[(event_size + 96) / 8], 1);
        }
    }
}
