//! The committed bindings are what bindgen makes of `include/` and `chassis-headers/` today.
//!
//! `PYPROXY_UPDATE_BINDINGS=1 cargo test -p chassis-sys --features bindgen` rewrites them.

use std::path::Path;

/// GLib and libc types that come from their own crates instead of from the headers.
const FOREIGN: &[(&str, &[&str])] = &[
    (
        "glib_sys",
        &["GString", "GQueue", "GPtrArray", "GHashTable", "GOptionEntry", "GMutex", "GTimeVal"],
    ),
    ("libc", &["timeval"]),
];

fn generate(root: &Path) -> String {
    let mut builder = bindgen::Builder::default()
        .header(root.join("include/chassis-abi.h").to_string_lossy())
        .allowlist_file(".*/chassis-headers/.*")
        .default_enum_style(bindgen::EnumVariation::ModuleConsts)
        .generate_comments(false)
        .formatter(bindgen::Formatter::Prettyplease)
        .disable_header_comment()
        .raw_line("// Generated from include/chassis-abi.h by tests/regenerate.rs: do not edit.")
        .blocklist_type("_G.*")
        .blocklist_type("off_t|__off_t|socklen_t|__socklen_t|size_t|__time_t|__suseconds_t");
    for (krate, names) in FOREIGN {
        builder = builder.raw_line(format!("use {krate}::{{{}}};", names.join(", ")));
        for name in *names {
            builder = builder.blocklist_type(name);
        }
    }
    builder
        .raw_line("use libc::{off_t, socklen_t};")
        .raw_line("pub type GModule = ::std::os::raw::c_void;")
        .blocklist_type("GModule")
        .generate()
        .expect("bindgen")
        .to_string()
}

#[test]
fn committed_bindings_are_current() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crate_dir.ancestors().nth(2).expect("workspace root");
    let committed = crate_dir.join("src/bindings.rs");
    let fresh = generate(root);
    if std::env::var_os("PYPROXY_UPDATE_BINDINGS").is_some() {
        std::fs::write(&committed, &fresh).expect("write bindings");
    }
    assert_eq!(std::fs::read_to_string(&committed).expect("read bindings"), fresh);
}
