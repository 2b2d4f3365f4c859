//! What scripts get wrong is named, where it was written.

use testkit::{Host, MariaDb};

use crate::support::*;

/// A host that must not start; its log.
fn refused(script: &str) -> String {
    let ended = Host::builder().backend(db()).script(script).run_to_end();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    ended.log
}

/// The log of a host after a query that the script fails.
fn failing(script: &str) -> String {
    let host = Host::builder().backend(db()).script(script).start();
    let mut client = host.client();
    assert_query_fails(&mut client, "SELECT 1", "read_query");
    assert!(client.query("SELECT 2").is_ok(), "the connection goes on");
    host.log()
}

#[test]
fn a_wrong_number_of_parameters_stops_the_start() {
    for (script, text) in [
        (
            "def read_query(packet): pass",
            "calls read_query(proxy, packet), but the script has read_query(packet)",
        ),
        ("def init(): pass", "calls init(proxy), but the script has init()"),
        (
            "def shutdown(proxy, why): pass",
            "calls shutdown(proxy), but the script has shutdown(proxy, why)",
        ),
    ] {
        let log = refused(script);
        assert!(log.contains(text), "{script}:\n{log}");
    }
}

#[test]
fn a_coroutine_where_no_hook_can_wait_is_named_as_what_it_is() {
    let script = "async def later(): pass\ndef read_query(proxy, packet): return later()";
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-event-loop", "chassis")
        .script(script)
        .start();
    assert_query_fails(&mut host.client(), "SELECT 1", "read_query");
    let log = host.log();
    assert!(log.contains("read_query returned a coroutine (hooks cannot wait here"), "{log}");
    assert!(!log.contains("never awaited"), "{log}");
}

#[test]
fn an_attribute_that_is_not_there_is_named_with_its_object() {
    for (expression, text) in [
        ("proxy.response.errmessage", "proxy.response has no attribute \"errmessage\""),
        ("proxy.connection.client.user", "'pyproxy.Socket' object has no attribute 'user'"),
        ("proxy.querys", "'pyproxy.Proxy' object has no attribute 'querys'"),
    ] {
        let log = failing(&format!("def read_query(proxy, packet): {expression}"));
        assert!(log.contains(text), "{log}");
    }
}

#[test]
fn a_connection_has_its_number_and_its_character_set() {
    let host = Host::with_script(
        r#"
        import pyproxy

        def read_query(proxy, packet):
            c = proxy.connection
            print(c.id, c.client.charset, c.server.charset, pyproxy.__version__, flush=True)
            if packet[1:] == b"fail": raise LookupError
        "#,
    );
    let version = env!("CARGO_PKG_VERSION");
    for number in 1..3 {
        let mut client = host.login(&MariaDb::user().charset(8));
        client.query("SELECT 1").unwrap();
        host.wait_for_stdout(&format!("{number} 8 8 {version}\n"));
        assert_query_fails(&mut client, "fail", "read_query");
        assert!(host.log().contains(&format!("connection {number} (")), "{}", host.log());
        client.quit();
    }
}

#[test]
fn unknown_keys_text_for_numbers_and_packets_without_a_command_are_named() {
    for (statement, text) in [
        (
            "proxy.response = {'type': 0, 'resulset': {'fields': [('a', 3)], 'rows': [[1]]}}",
            "proxy.response has an unknown key \"resulset\" (did you mean resultset?)",
        ),
        (
            "proxy.response.type = 255; proxy.response.errmesg = 'no'",
            "proxy.response has an unknown key \"errmesg\" (did you mean errmsg?)",
        ),
        (
            "proxy.response = {'type': 0, 'resultset': {'fields': [('id', 3)], 'rows': [['x']]}}",
            "row 0: \"x\" is no number, as column \"id\" has",
        ),
        (
            "proxy.queries.append(1, b'SELECT 1')",
            "packet begins with 0x53, which is no command of the protocol: SQL in bytes needs",
        ),
    ] {
        let log = failing(&format!(
            "def read_query(proxy, packet):\n    {statement}\n    return proxy.PROXY_SEND_RESULT\n"
        ));
        assert!(log.contains(text), "{statement}\n{log}");
    }
}

#[test]
fn a_name_that_nearly_is_a_hook_stops_the_start() {
    let log = refused("def read_qeury(proxy, packet): pass\n");
    assert!(
        log.contains("the script's function read_qeury is no hook: did you mean read_query?"),
        "{log}"
    );
}

#[test]
fn a_script_without_a_hook_is_told_of_once() {
    let host = Host::builder().backend(db()).script("x = 1\n").start();
    assert_in_step(&mut host.client());
    let log = host.log();
    assert_eq!(log.matches("there is no hook in this script, it does nothing").count(), 1, "{log}");
}

/// A host with this file of settings, whose script reads `[limits]`.
fn with_settings(settings: &str) -> testkit::host::builder::Builder {
    Host::builder()
        .backend(db())
        .file("settings.ini", settings)
        .option_to_file("pyproxy-script-config", "settings.ini")
        .script(
            r#"
            from pyproxy.settings import section
            limits = section("limits", rows=1)
            def read_query(proxy, packet): pass
            "#,
        )
}

#[test]
fn a_misspelt_section_stops_the_start_and_one_of_others_is_told_of() {
    let ended = with_settings("[limit]\nrows = 5\n").run_to_end();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    assert!(
        ended.log.contains("no script reads section [limit]: did you mean [limits]?"),
        "{}",
        ended.log
    );
    assert!(!ended.log.contains("Traceback"), "{}", ended.log);

    let host = with_settings("[mysql-proxy]\n[limits]\nrows = 5\n[mysqld]\nport = 1\n").start();
    assert_in_step(&mut host.client());
    assert_eq!(host.log().matches("no script reads [mysqld]").count(), 1, "{}", host.log());
}

#[test]
fn a_ready_made_script_that_needs_settings_does_not_start_without() {
    let log = refused("from pyproxy.hooks.masking import *\n");
    assert!(
        log.contains("pyproxy-script-config is not set: [masking_rules], and masking does nothing"),
        "{log}"
    );
}

#[test]
fn a_module_that_hides_one_of_pythons_own_is_named() {
    for (hidden, script) in [
        // The module is found in place of Python's, and has not what somebody else imports.
        ("random", "import tempfile\n"),
        ("wave", "import wave\nwave.open\n"),
        ("colorsys", "from colorsys import rgb_to_hsv\n"),
    ] {
        let file = format!("{hidden}.py");
        let ended =
            Host::builder().backend(db()).file(&file, "x = 1\n").script(script).run_to_end();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
        let text = format!("{file} hides Python's own module {hidden}: rename it");
        assert_eq!(ended.log.matches(&text).count(), 1, "{}", ended.log);
    }
    let ended = Host::builder()
        .backend(db())
        .file("wave.py", "x = 1\n")
        .script("import no_such_module\n")
        .run_to_end();
    assert!(!ended.log.contains("hides"), "{}", ended.log);
}
