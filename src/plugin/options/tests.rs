use std::ffi::CStr;
use std::time::Duration;

use super::*;

fn error(change: impl FnOnce(&mut Values)) -> String {
    let mut values = Values::default();
    change(&mut values);
    Options::check(&values).expect_err("a wrong value").to_string()
}

#[test]
fn defaults() {
    let options = Options::check(&Values::default()).expect("defaults are right");
    assert_eq!(options.address, ":4045");
    assert_eq!(options.backends, ["127.0.0.1:3306"]);
    assert!(options.readonly_backends.is_empty() && options.script.is_none());
    assert!(options.enabled && options.pool_change_user && options.profiling);
    let settings = options.settings();
    assert_eq!(settings.on_script_error, OnScriptError::Reject);
    // The host's own defaults are not touched, but a script sees them.
    assert_eq!(options.time_limits().connect.given, None);
    let shown = options.for_scripts();
    for (name, seconds) in [("connect_timeout", 2.0), ("read_timeout", 28800.0)] {
        assert!(shown.contains(&(name, ConfigValue::Seconds(seconds))), "{name}");
    }
}

#[test]
fn lists_may_be_repeated_and_comma_separated() {
    let values = Values {
        backends: vec!["127.0.0.1:1, 127.0.0.1:2".into(), "127.0.0.1:3".into()],
        readonly_backends: vec!["127.0.0.1:4".into()],
        more_readonly_backends: vec!["127.0.0.1:5".into()],
        ..Values::default()
    };
    let options = Options::check(&values).expect("right");
    assert_eq!(options.backends, ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]);
    assert_eq!(options.readonly_backends, ["127.0.0.1:4", "127.0.0.1:5"]);
}

#[test]
fn fractions_of_a_second_survive() {
    let values = Values { connect_timeout: Some("0.7".into()), ..Values::default() };
    let options = Options::check(&values).expect("right");
    assert_eq!(options.time_limits().connect.given, Some(Duration::from_millis(700)));
}

#[test]
fn sizes_have_units() {
    assert_eq!(Options::check(&Values::default()).expect("right").max_kept_bytes, 256 << 20);
    for (text, bytes) in [("1", 1), ("10k", 10 << 10), ("3M", 3 << 20), (" 2G ", 2 << 30)] {
        let values = Values { max_kept_bytes: Some(text.into()), ..Values::default() };
        assert_eq!(Options::check(&values).expect("right").max_kept_bytes, bytes, "{text}");
    }
    for wrong in ["", "0", "0M", "-1", "M", "1T", "1.5M", "99999999999G"] {
        let text = error(|v| v.max_kept_bytes = Some(wrong.into()));
        assert!(text.starts_with(&format!("pyproxy-max-kept-bytes={wrong}: expected a")), "{text}");
    }
}

#[test]
fn versions_begin_as_clients_expect_it() {
    for version in ["8.0.36", "10.11.2-MariaDB", "5.5.5-10.11.2-MariaDB-log"] {
        let values = Values { server_version: Some(version.into()), ..Values::default() };
        let options = Options::check(&values).expect("right");
        assert_eq!(options.server_version.as_deref(), Some(version));
    }
    for wrong in ["", "8", "8.0", "x8.0.36", "8.0.36 of mine", "8.0.36\0", "8.0.36-\u{e4}"] {
        let text = error(|v| v.server_version = Some(wrong.into()));
        assert!(text.contains(": expected a version like 8.0.36"), "{text}");
    }
}

#[test]
fn wrong_values_name_option_and_value() {
    assert_eq!(
        error(|v| v.address = Some("127.0.0.1:99999".into())),
        "pyproxy-address=127.0.0.1:99999: the port must be a number from 1 to 65535"
    );
    assert_eq!(
        error(|v| v.backends = vec!["127.0.0.1:1,127.0.0.1:1".into()]),
        "pyproxy-backend-addresses=127.0.0.1:1: this backend is listed twice"
    );
    assert_eq!(
        error(|v| v.on_script_error = Some("ignore".into())),
        "pyproxy-on-script-error=ignore: expected reject or forward"
    );
    for wrong in ["0", "-1", "x", "NaN", "inf", ""] {
        let text = error(|v| v.read_timeout = Some(wrong.into()));
        assert_eq!(
            text,
            format!("pyproxy-read-timeout={wrong}: expected a number of seconds greater than 0")
        );
    }
    assert!(
        error(|v| v.script = Some("/no/such/script.py".into()))
            .starts_with("pyproxy-python-script=/no/such/script.py: No such file")
    );
    assert!(
        error(|v| v.script_config = Some("/".into()))
            .starts_with("pyproxy-script-config=/: this is not a file")
    );
    assert!(error(|v| v.venv = Some("/".into())).starts_with("pyproxy-venv=/: this is no virt"));
}

#[test]
fn a_default_counts_as_listed() {
    assert_eq!(
        error(|v| v.readonly_backends = vec!["127.0.0.1:3306".into()]),
        "pyproxy-readonly-backend-address=127.0.0.1:3306: this backend is listed twice"
    );
}

#[test]
fn the_parser_gets_every_row() {
    let mut raw = RawOptions::new();
    let end = raw.entries.pop().expect("an end");
    assert!(end.long_name.is_null() && end.arg_data.is_null());
    // SAFETY: static C strings.
    let text = |raw| unsafe { CStr::from_ptr(raw) }.to_str().expect("UTF-8");
    let names: Vec<_> = raw.entries.iter().map(|entry| text(entry.long_name)).collect();
    assert_eq!(names, NAMES);
    let storages: BTreeSet<_> = raw.entries.iter().map(|entry| entry.arg_data).collect();
    assert_eq!(storages.len(), NAMES.len());
    let address = &raw.entries[0];
    assert_eq!(text(address.description), "address to listen on (default: :4045)");
    assert_eq!(text(address.arg_description), "<host:port|path>");
    assert!(raw.entries[6].arg_description.is_null(), "a switch has no argument");
}

#[test]
fn what_the_parser_writes_is_read() {
    let mut raw = RawOptions::new();
    let storage = |raw: &RawOptions, name: &str| {
        let row = NAMES.iter().position(|row| *row == name).expect("a row");
        raw.entries[row].arg_data
    };
    let copy = |text: &CStr| {
        // SAFETY: a C string.
        unsafe { glib_sys::g_strdup(text.as_ptr()) }
    };
    // SAFETY: each pointer leads to storage of the kind that the row names; the texts are given away.
    unsafe {
        *storage(&raw, "pyproxy-venv").cast() = copy(c"/a/venv");
        *storage(&raw, "pyproxy-reload").cast() = 1;
        let list = glib_sys::g_strsplit(c"a b".as_ptr(), c" ".as_ptr(), 0);
        *storage(&raw, "pyproxy-backend-addresses").cast() = list;
    }
    assert!(!raw.entries().is_null());
    let values = raw.values();
    assert_eq!(values.venv.as_deref(), Some("/a/venv"));
    assert!(values.reload && !values.enabled && values.address.is_none());
    assert_eq!(values.backends, ["a", "b"]);
}

#[test]
fn the_documentation_has_every_row_and_no_other() {
    let page = include_str!("../../../docs/options.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: Vec<_> = rows.filter_map(|row| Some(row.split_once('`')?.0)).collect();
    assert_eq!(documented, NAMES);
}
