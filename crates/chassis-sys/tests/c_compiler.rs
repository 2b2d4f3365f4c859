//! The C compiler's word on our headers: every size, offset and value that was recorded from a mysql-proxy 0.8.5 build
//! (`layout-0.8.5-x86_64.json`) is a `_Static_assert` over `include/` and `chassis-headers/`.
//!
//! `layout.rs` proves the same of the Rust bindings; this proves the text that they are made from.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use chassis_sys::layout::{SOCKET_EVENT_OFFSET, SOCKET_TAIL, STRUCTS};
use serde_json::Value;

/// What the headers take from GLib and libc.
const FOREIGN_STRUCTS: [(&str, &str); 2] =
    [("GTimeVal", "GTimeVal"), ("timeval", "struct timeval")];
const SCALARS: [&str; 11] = [
    "gboolean", "gchar", "gint", "guint", "guint8", "guint16", "guint32", "gpointer", "off_t",
    "size_t", "time_t",
];
const ENUMS: [&str; 4] =
    ["network_mysqld_con_state_t", "network_socket_retval_t", "backend_state_t", "backend_type_t"];

/// C source that is made of assertions.
struct Assertions(String);

impl Assertions {
    fn equal(&mut self, expression: &str, number: &Value) {
        assert!(number.is_i64() || number.is_u64(), "{expression}: {number} is no number");
        writeln!(self.0, "_Static_assert({expression} == {number}, \"{expression}\");")
            .expect("text");
    }

    fn structure(&mut self, c_type: &str, facts: &Value) {
        self.equal(&format!("sizeof({c_type})"), &facts["size"]);
        self.equal(&format!("_Alignof({c_type})"), &facts["align"]);
        for member in members(facts) {
            self.member(c_type, member, &member["offset"]);
        }
    }

    fn member(&mut self, c_type: &str, member: &Value, offset: &Value) {
        let name = member["name"].as_str().expect("a name");
        self.equal(&format!("offsetof({c_type}, {name})"), offset);
        self.equal(&format!("sizeof((({c_type} *)0)->{name})"), &member["size"]);
    }
}

fn members(structure: &Value) -> &Vec<Value> {
    structure["members"].as_array().expect("members")
}

fn assertions() -> String {
    let facts: Value =
        serde_json::from_str(include_str!("layout-0.8.5-x86_64.json")).expect("valid JSON");
    let mut all = Assertions("#include \"include/chassis-abi.h\"\n".to_owned());
    for (name, _, _) in STRUCTS {
        all.structure(name, &facts["structs"][name]);
    }
    for (name, c_type) in FOREIGN_STRUCTS {
        all.structure(c_type, &facts["structs"][name]);
    }
    let socket = &facts["structs"]["network_socket"];
    for member in members(socket) {
        // What is behind `struct event` is a struct of its own here, and begins where that ends.
        if let Some(offset) = member["event_rel"].as_u64() {
            let event = u64::try_from(SOCKET_EVENT_OFFSET).expect("small");
            all.member("network_socket_tail", member, &Value::from(offset - event));
        } else if member["name"] != "event" {
            all.member("network_socket", member, &member["offset"]);
        }
    }
    for name in ENUMS {
        all.equal(&format!("sizeof({name})"), &facts["enums"][name]["size"]);
        for (value, number) in facts["enums"][name]["values"].as_object().expect("values") {
            all.equal(value, number);
        }
    }
    for name in SCALARS {
        all.equal(&format!("sizeof({name})"), &facts["scalar_types"][name]["size"]);
    }
    all.equal("CHASSIS_PLUGIN_MAGIC", &facts["constants"]["CHASSIS_PLUGIN_MAGIC"]);
    all.0
}

/// Has the C compiler read `source`, which includes our headers from `root`.
fn compile(name: &str, source: &str, root: &Path) -> Output {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("c");
    fs::write(&file, source).expect("written");
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut build = cc::Build::new();
    build.cargo_metadata(false).target(&triple).host(&triple).opt_level(0).std("c11").include(root);
    let compiler = build.try_get_compiler().expect("a C compiler (package gcc, or CC)");
    compiler.to_command().args(["-Werror", "-fsyntax-only"]).arg(file).output().expect("it runs")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("workspace root")
}

/// A copy of the headers in which `name` says `new` in place of `old`.
fn changed(copy: &str, name: &str, old: &str, new: &str) -> PathBuf {
    let root_of_copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(copy);
    for folder in ["include", "chassis-headers"] {
        fs::create_dir_all(root_of_copy.join(folder)).expect("made");
        for entry in fs::read_dir(root().join(folder)).expect("a folder").flatten() {
            let target = root_of_copy.join(folder).join(entry.file_name());
            fs::copy(entry.path(), target).expect("copied");
        }
    }
    let header = root_of_copy.join("chassis-headers").join(name);
    let text = fs::read_to_string(&header).expect("a header");
    assert_eq!(text.matches(old).count(), 1, "{old} in {name}");
    fs::write(header, text.replace(old, new)).expect("written");
    root_of_copy
}

#[test]
fn the_headers_are_as_recorded() {
    let source = assertions();
    let expected: usize = STRUCTS.iter().map(|(_, _, members)| 2 + 2 * members.len()).sum();
    assert!(source.matches("_Static_assert").count() > expected + 2 * SOCKET_TAIL.len());
    let output = compile("as_recorded", &source, root());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_not_as_recorded_does_not_compile() {
    let source = assertions();
    // What is done to the headers: name, header, old text, new text, and what the compiler must name.
    let defects = [
        (
            "swapped",
            "con.h",
            "gboolean resultset_is_needed;\n    gboolean resultset_is_finished;",
            "gboolean resultset_is_finished;\n    gboolean resultset_is_needed;",
            "offsetof(network_mysqld_con, resultset_is_needed)",
        ),
        ("missing", "chassis.h", "    gchar *user;\n", "", "offsetof(chassis, priv)"),
        (
            "added",
            "backend.h",
            "    GString *uuid;",
            "    long more;\n    GString *uuid;",
            "sizeof(network_backend_t)",
        ),
        (
            "narrowed",
            "socket.h",
            "off_t to_read;",
            "int to_read;",
            "sizeof(((network_socket_tail *)0)->to_read)",
        ),
        ("renumbered", "con.h", "CON_STATE_ERROR = 16", "CON_STATE_ERROR = 36", "CON_STATE_ERROR"),
    ];
    for (name, header, old, new, complaint) in defects {
        let root = changed(name, header, old, new);
        let output = compile(name, &source, &root);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{name} compiles");
        assert!(said.contains(complaint), "{name}: {said}");
    }
}
