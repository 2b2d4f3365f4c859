//! `pyproxy-check-config`: says whether the plugin would start, and with what.

use testkit::Host;
use testkit::host::builder::Builder;

use crate::support::*;

fn checked(builder: Builder) -> Builder {
    builder.argument("--pyproxy-check-config")
}

#[test]
fn a_good_configuration_is_told_and_nobody_listens() {
    // Somebody else serves clients there.
    let taken = server_saying("taken");
    let script =
        "def init(proxy): print('init runs', flush=True)\ndef read_query(proxy, packet): pass\n";
    let builder = Host::builder()
        .backend(refusing())
        .option("pyproxy-address", taken.address().to_string())
        .option("pyproxy-http-address", taken.address().to_string())
        .option("pyproxy-slow-query", "1")
        .option("pyproxy-slow-log", "/tmp/no-such-file-of-a-check.log")
        .script(script);
    let ended = checked(builder).run_to_end();
    assert!(ended.status.success(), "{}\n{}", ended.stdout, ended.log);
    for line in [
        "pyproxy: the configuration is good\n",
        &format!("pyproxy: clients: at {}, served by threads of the plugin\n", taken.address()),
        "pyproxy: read-write backends: 127.0.0.1:",
        "init runs\n",
        &format!("pyproxy: HTTP endpoint: at {}\n", taken.address()),
    ] {
        assert!(ended.stdout.contains(line), "{line:?} is missing:\n{}", ended.stdout);
    }
    assert!(ended.log.contains("hooks: read_query"), "{}", ended.log);
    assert!(!ended.log.contains("listening on"), "{}", ended.log);
    assert!(!std::path::Path::new("/tmp/no-such-file-of-a-check.log").exists());
}

#[test]
fn a_wrong_one_is_one_line_and_a_failure() {
    let wrong_script = "import nothing_of_this_name\n";
    let cases = [
        (Host::builder().option("pyproxy-connect-timeout", "soon"), "pyproxy-connect-timeout=soon"),
        (Host::builder().script(wrong_script), "nothing_of_this_name"),
        (
            Host::builder()
                .option("pyproxy-slow-query", "1")
                .option("pyproxy-slow-log", "/no/such/folder/slow.log"),
            "pyproxy-slow-log=/no/such/folder/slow.log",
        ),
    ];
    let twice = Host::builder().plugins(&["pyproxy", "pyproxy"]);
    let cases = cases.into_iter().chain([(twice, "this is for plugins=pyproxy alone")]);
    for (builder, what) in cases {
        let ended = checked(builder.backend(refusing())).run_to_end();
        assert!(!ended.status.success(), "{what}: accepted\n{}", ended.log);
        assert!(ended.status.code().is_some(), "{what}: a signal ended it\n{}", ended.log);
        assert!(ended.stdout.contains(what), "{what} is missing:\n{}", ended.stdout);
        assert!(ended.log.contains(what), "{what} is missing:\n{}", ended.log);
        assert!(!ended.stdout.contains("is good"), "{}", ended.stdout);
    }
}
