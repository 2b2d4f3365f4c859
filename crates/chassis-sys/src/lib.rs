//! Raw declarations of the plugin ABI of mysql-proxy 0.8.3, 0.8.4 and 0.8.5.
//!
//! `chassis-headers/` states the ABI in C, `include/chassis-abi.h` is the entry header, bindgen made the private
//! module `bindings` of it, and [`layout`] proves every offset at compile time. The bundled host implements this
//! ABI and the plugin uses it, so both are checked against one declaration. Declares no symbol to link: functions
//! are types here (`fn_*`), looked up at run time by the plugin and defined by a host.

mod bindings {
    #![allow(
        missing_docs,
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        unused_imports,
        unused_qualifications,
        deprecated,
        clippy::all,
        clippy::pedantic,
        clippy::restriction
    )]
    include!("bindings.rs");
}
pub mod layout;

pub use bindings::*;

/// The start of the host's [`chassis_log`], the same in all releases. The rest is the host's alone.
#[repr(C)]
#[derive(Debug)]
pub struct chassis_log_head {
    /// The host's log drops messages of levels above this one, a GLogLevelFlags. Read for each message.
    pub min_lvl: std::ffi::c_uint,
}

/// Strips the `Option` that bindgen puts around every function pointer type.
pub trait FnPtr {
    /// The plain function pointer.
    type Fn: Copy;
}

impl<F: Copy> FnPtr for Option<F> {
    type Fn = F;
}

/// The non-null form of a bindgen function pointer type: `Func<fn_network_socket_new>`.
pub type Func<T> = <T as FnPtr>::Fn;
