//! Links the system's libevent and GModule, and exports the host's functions to the plugins it loads.

fn main() {
    let libevent = pkg_config::Config::new()
        .range_version("2.1".."2.2")
        .probe("libevent")
        .expect("libevent 2.1 with its headers (Debian: libevent-dev)");
    let gmodule = pkg_config::Config::new()
        .probe("gmodule-no-export-2.0")
        .expect("GModule with its headers (Debian: libglib2.0-dev)");
    // What `chassis.event_hdr_version` tells a plugin: the version this host was compiled against.
    println!(
        "cargo:rustc-env=LIBEVENT_HEADER_VERSION={}-stable",
        libevent.version.trim_end_matches("-stable")
    );
    println!("cargo:rustc-env=GLIB_HEADER_VERSION={}", gmodule.version);
    // A plugin finds the host's functions in the global scope of the process, so the executable exports them, and
    // only them.
    for names in ["chassis_*", "lua_scope_*", "network_*"] {
        println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol={names}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
