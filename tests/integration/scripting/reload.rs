//! `pyproxy-reload`: new connections get the new version of the script (`docs/scripting.md#modules-output-threads`).

use std::thread::sleep;
use std::time::Duration;

use testkit::wait::PATIENCE;
use testkit::{Host, RawClient, eventually};

use crate::support::*;

/// The plugin looks at the file once a second: after this long, the next client makes it look. Nothing tells a test that
/// it could have looked and did not.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1100);

/// A script that answers `version` with its number and says when it comes and goes.
fn version(number: u32) -> String {
    format!(
        r#"
import atexit

mine = {number}
print("load {number}")


def init(proxy):
    print("init {number}", proxy.connection, proxy.globals.config.reload)


def shutdown(proxy):
    print("shutdown {number}", proxy.connection)


def read_query(proxy, packet):
    if b"version" in packet:
        proxy.response = {{
            "type": proxy.MYSQLD_PACKET_OK,
            "resultset": {{"fields": [("v", proxy.MYSQL_TYPE_LONG)], "rows": [[mine]]}},
        }}
        return proxy.PROXY_SEND_RESULT
"#
    )
}

fn ask(client: &mut RawClient) -> String {
    client.query("version").unwrap().value()
}

/// Puts a version in the place of the script, as an editor does.
fn replace(host: &Host, source: &str) {
    let (new, script) = (host.file("new.py"), host.file("hooks.py"));
    std::fs::write(&new, source).unwrap();
    std::fs::rename(&new, &script).unwrap();
}

fn wait_for_version(host: &Host, number: &str) -> RawClient {
    let mut newest = None;
    let came = eventually(PATIENCE, || {
        let mut client = host.client();
        let is_new = ask(&mut client) == number;
        newest = Some(client);
        is_new
    });
    assert!(came, "version {number} is not used:\n{}", host.log());
    newest.unwrap()
}

#[test]
fn new_connections_get_the_new_version_and_open_ones_keep_theirs() {
    let host =
        Host::builder().backend(db()).script(&version(1)).option("pyproxy-reload", "true").start();
    let mut old = host.client();
    assert_eq!(ask(&mut old), "1");
    replace(&host, &version(2));
    let mut new = wait_for_version(&host, "2");
    assert_eq!((ask(&mut old), ask(&mut new)), ("1".into(), "2".into()));
    assert!(!host.stdout().contains("shutdown 1"), "its last connection is still there");
    old.quit();
    // The last connection of a version takes it along.
    host.wait_for_stdout("shutdown 1 None\n");
    assert_eq!(ask(&mut new), "2");
    drop(new);
    let stdout = host.stop().stdout;
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "load 1",
            "init 1 None True",
            "load 2",
            "init 2 None True",
            "shutdown 1 None",
            "shutdown 2 None"
        ]
    );
}

#[test]
fn a_version_that_does_not_load_is_logged_and_not_used() {
    let host =
        Host::builder().backend(db()).script(&version(1)).option("pyproxy-reload", "true").start();
    for (source, trace) in [
        ("def read_query(proxy, packet)\n    pass\n", "SyntaxError"),
        ("import no_such_module\n", "ModuleNotFoundError: No"),
        ("raise SystemExit(0)\n", "SystemExit: 0"),
        ("def init(proxy): raise KeyError('in init')\n", "KeyError: 'in init'"),
    ] {
        replace(&host, source);
        let logged = eventually(PATIENCE, || {
            assert_eq!(ask(&mut host.client()), "1", "{trace}");
            host.log().contains(trace)
        });
        assert!(logged, "{trace} is not in the log:\n{}", host.log());
        // It is tried, and told of, once.
        for _ in 0..3 {
            assert_eq!(ask(&mut host.client()), "1");
        }
        assert_eq!(host.log().matches(trace).count(), 1, "{}", host.log());
    }
    assert!(!host.stdout().contains("shutdown"), "{}", host.stdout());
    replace(&host, &version(2));
    wait_for_version(&host, "2");
}

#[test]
fn a_mended_module_of_a_version_that_did_not_load_is_used() {
    let host =
        Host::builder().backend(db()).script(&version(1)).option("pyproxy-reload", "true").start();
    let init = "import helper\n\n\ndef init(proxy):\n    helper.check()\n";
    let with_helper = |number: u32| version(number).replace("\ndef init", "\ndef unused") + init;
    std::fs::write(host.file("helper.py"), "def check():\n    raise KeyError('helper')\n").unwrap();
    replace(&host, &with_helper(2));
    let failed = eventually(PATIENCE, || {
        assert_eq!(ask(&mut host.client()), "1");
        host.log().contains("KeyError: 'helper'")
    });
    assert!(failed, "{}", host.log());
    std::fs::write(host.file("helper.py"), "def check():\n    print('checked')\n").unwrap();
    replace(&host, &with_helper(3));
    wait_for_version(&host, "3");
    host.wait_for_stdout("checked\n");
}

#[test]
fn a_script_that_is_away_for_a_moment() {
    let host =
        Host::builder().backend(db()).script(&version(1)).option("pyproxy-reload", "true").start();
    std::fs::remove_file(host.file("hooks.py")).unwrap();
    sleep(BETWEEN_LOOKS);
    assert_eq!(ask(&mut host.client()), "1");
    replace(&host, &version(2));
    wait_for_version(&host, "2");
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn without_the_option_a_change_means_nothing() {
    let host = Host::with_script(&version(1));
    replace(&host, &version(2));
    sleep(BETWEEN_LOOKS);
    assert_eq!(ask(&mut host.client()), "1");
    assert_eq!(host.stop().stdout, "load 1\ninit 1 None False\nshutdown 1 None\n");
}

const WITH_SETTINGS: &str = "
import pyproxy
import helper
from pyproxy.settings import raw, section

settings = section('mine', text='default', count=1)
rules = raw('rules')
section('other', n=1)


def read_query(proxy, packet):
    if b'count' in packet:
        settings.count += 1
        return pyproxy.Ok()
    if b'version' in packet:
        values = settings.text, settings.count, helper.settings.word, rules.get('a')
        return pyproxy.Rows(['v'], [(' '.join(map(str, values)),)])
";

/// Changes the file with the settings, and waits until a new client finds them.
fn set(host: &Host, text: &str, found: &str) {
    let (new, file) = (host.file("new.ini"), host.file("settings.ini"));
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, &file).unwrap();
    wait_for_version(host, found);
}

#[test]
fn settings_come_with_the_script() {
    let host = Host::builder()
        .backend(db())
        .script(WITH_SETTINGS)
        .file(
            "helper.py",
            "from pyproxy.settings import section\nsettings = section('helper', word='w')",
        )
        .file("settings.ini", "[mine]\ntext = one\n")
        .option_to_file("pyproxy-script-config", "settings.ini")
        .option("pyproxy-reload", "true")
        .start();
    let mut client = host.client();
    assert_eq!(ask(&mut client), "one 1 w None");
    // What was changed meanwhile stays, unless the file has something new to say of it.
    client.query("count").unwrap().ok();
    set(&host, "[mine]\ntext = two\n[helper]\nword = x\n[rules]\na = b\n", "two 2 x b");
    // Sections are shared by all versions.
    assert_eq!(ask(&mut client), "two 2 x None");
    set(&host, "[mine]\ncount = 5\n[helper]\nword = y\n", "default 5 y None");
    // A file that cannot be used changes nothing.
    let wrong = "[mine]\ntext = three\n[helper]\nword = z\n[other]\nn = six\n";
    set(&host, wrong, "default 5 y None");
    let says = "settings.ini: [other] n=six: expected a whole number";
    let logged = eventually(PATIENCE, || {
        assert_eq!(ask(&mut host.client()), "default 5 y None");
        host.log().contains(says)
    });
    assert!(logged, "{}", host.log());
    assert!(host.log().contains("settings.ini changed, but the new version does not load"));
    set(&host, "[mine]\ntext = four\n", "four 1 w None");
    // And defaults come from the script.
    replace(&host, &WITH_SETTINGS.replace("count=1", "count=9"));
    wait_for_version(&host, "four 9 w None");
}
