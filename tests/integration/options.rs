//! The options: on the command line and in the ini file, right and wrong.

use testkit::host::builder::Builder;
use testkit::wait::PATIENCE;
use testkit::{Host, MariaDb, RawClient, Relay, eventually};

use crate::support::*;

/// A host that must not start: exit code not 0 and one line at level critical with both texts.
fn assert_refused(builder: Builder, option: &str, value: &str) {
    let ended = builder.run_to_end();
    assert!(!ended.status.success(), "{option}={value} is accepted\n{}", ended.log);
    assert!(ended.status.code().is_some(), "{option}={value}: a signal ended it\n{}", ended.log);
    let lines = ended.log.lines().filter(|line| line.contains(option) && line.contains(value));
    assert_eq!(lines.count(), 1, "one line with {option} and {value}:\n{}", ended.log);
}

const WRONG: &[(&str, &str)] = &[
    ("pyproxy-address", "127.0.0.1:99999"),
    ("pyproxy-address", "127.0.0.1:-1"),
    ("pyproxy-address", "127.0.0.1:port"),
    ("pyproxy-address", "no.such.host.invalid:4045"),
    ("pyproxy-backend-addresses", "127.0.0.1:70000"),
    ("pyproxy-backend-addresses", "no.such.host.invalid:3306"),
    ("pyproxy-readonly-backend-address", "127.0.0.1:x"),
    ("pyproxy-python-script", "/no/such/script.py"),
    ("pyproxy-script-config", "/no/such/settings.ini"),
    ("pyproxy-connect-timeout", "-1"),
    ("pyproxy-connect-timeout", "soon"),
    ("pyproxy-connect-timeout", "nan"),
    ("pyproxy-read-timeout", "1e30"),
    ("pyproxy-write-timeout", "5s"),
    ("pyproxy-on-script-error", "ignore"),
    ("pyproxy-venv", "/no/such/environment"),
    ("pyproxy-http-address", "127.0.0.1:0"),
    ("pyproxy-http-address", "localhost"),
    ("pyproxy-http-address", "no.such.host.invalid:80"),
];

#[test]
fn wrong_values_in_the_ini_file() {
    for (option, value) in WRONG {
        let builder = Host::builder().backend(refusing()).option(option, value);
        assert_refused(builder, option, value);
    }
}

#[test]
fn wrong_values_on_the_command_line() {
    for (option, value) in WRONG {
        // What stands in the ini file is right; the command line wins.
        let builder = Host::builder().backend(refusing()).argument(format!("--{option}={value}"));
        assert_refused(builder, option, value);
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = server_saying("taken");
    let address = taken.address().to_string();
    let builder = Host::builder().backend(refusing()).option("pyproxy-address", &address);
    assert_refused(builder, "pyproxy-address", &address);
}

#[test]
fn a_backend_listed_twice_is_named() {
    let address = refusing().to_string();
    let list = format!("{address},{address}");
    let builder = Host::builder().option("pyproxy-backend-addresses", list);
    assert_refused(builder, "pyproxy-backend-addresses", &address);
}

#[test]
fn nothing_is_half_started() {
    let listening = testkit::ports::free_port();
    let ended = Host::builder()
        .backend(refusing())
        .option("pyproxy-address", format!("127.0.0.1:{listening}"))
        .option("pyproxy-connect-timeout", "soon")
        .script("print('script ran', flush=True)")
        .run_to_end();
    assert!(!ended.status.success());
    assert_eq!(ended.stdout, "", "the script ran though an option is wrong");
    assert!(!ended.log.contains("listening"), "{}", ended.log);
}

#[test]
fn clients_are_not_accepted_before_the_script_is_loaded() {
    let port = testkit::ports::free_port();
    let host = Host::builder()
        .backend(db())
        .listen_port(port)
        .script(&format!(
            r#"
import socket

with socket.socket() as probe:
    print("refused:", probe.connect_ex(("127.0.0.1", {port})) != 0, flush=True)
"#
        ))
        .start();
    host.wait_for_stdout("refused: True\n");
}

#[test]
fn a_script_that_does_not_load_stops_the_start() {
    for (source, trace) in [
        ("def read_query(proxy, packet)\n    pass\n", "SyntaxError"),
        ("import no_such_module\n", "ModuleNotFoundError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("raise SystemExit(0)\n", "SystemExit"),
    ] {
        let ended = Host::builder().backend(refusing()).script(source).run_to_end();
        assert!(!ended.status.success(), "{trace}: starts all the same\n{}", ended.log);
        assert!(ended.status.code().is_some(), "{trace}: a signal ended it\n{}", ended.log);
        assert!(ended.log.contains(trace), "{trace}: no traceback\n{}", ended.log);
        assert!(ended.log.contains("hooks.py"), "{trace}: the file is named\n{}", ended.log);
    }
}

#[test]
fn help_lists_every_option() {
    let ended = Host::builder().backend(refusing()).argument("--help-pyproxy").run_to_end();
    assert!(ended.status.success());
    for option in [
        "--pyproxy-address",
        "--pyproxy-backend-addresses",
        "--pyproxy-readonly-backend-address",
        "--pyproxy-read-only-backend-addresses",
        "--pyproxy-python-script",
        "--pyproxy-script-config",
        "--pyproxy-skip-profiling",
        "--no-pyproxy",
        "--pyproxy-pool-no-change-user",
        "--pyproxy-connect-timeout",
        "--pyproxy-read-timeout",
        "--pyproxy-write-timeout",
        "--pyproxy-on-script-error",
        "--pyproxy-reload",
        "--pyproxy-venv",
    ] {
        // A line that starts with the name has no short option before it.
        let names_it = |line: &&str| {
            let rest = line.trim_start().strip_prefix(option);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '=']))
        };
        assert_eq!(ended.stdout.lines().filter(names_it).count(), 1, "{option}:\n{}", ended.stdout);
    }
}

#[test]
fn everything_on_the_command_line() {
    let port = testkit::ports::free_port();
    let _host = Host::builder()
        .listen_port(port)
        .option("pyproxy-address", "")
        .argument(format!("--pyproxy-address=127.0.0.1:{port}"))
        .argument(format!("--pyproxy-backend-addresses={}", refusing()))
        .argument(format!("--pyproxy-backend-addresses={}", db()))
        .argument("--pyproxy-connect-timeout=0.5")
        .argument("--pyproxy-skip-profiling")
        .script("def read_query(proxy, packet): raise RuntimeError('not skipped')")
        .start();
    let mut client = RawClient::login(([127, 0, 0, 1], port).into(), &MariaDb::user()).unwrap();
    assert_in_step(&mut client);
}

#[test]
fn the_command_line_wins_over_the_ini_file() {
    let host = Host::builder()
        .backend(refusing())
        .argument(format!("--pyproxy-backend-addresses={}", db()))
        .option("pyproxy-on-script-error", "reject")
        .argument("--pyproxy-on-script-error=forward")
        .script("def read_query(proxy, packet): raise RuntimeError('forwarded')")
        .start();
    assert_in_step(&mut host.client());
}

#[test]
fn comma_list_and_blanks() {
    let relays = [Relay::start(db()), Relay::start(db()), Relay::start(db())];
    let list = format!("{}, {} ,{}", relays[0].address(), relays[1].address(), relays[2].address());
    let host = Host::builder().option("pyproxy-backend-addresses", list).with_counters().start();
    let _clients: Vec<_> = (0..6).map(|_| host.client()).collect();
    assert_eq!(host.connected_clients(), [2, 2, 2]);
}

#[test]
fn repeated_on_the_command_line() {
    let relays = [Relay::start(db()), Relay::start(db()), Relay::start(db())];
    let [a, b, c] = relays.each_ref().map(Relay::address);
    let host = Host::builder()
        .argument(format!("--pyproxy-backend-addresses={a},{b}"))
        .argument(format!("--pyproxy-backend-addresses={c}"))
        .with_counters()
        .start();
    assert_eq!(host.connected_clients().len(), 3);
}

#[test]
fn both_names_for_read_only_backends() {
    let one = refusing();
    let two = refusing();
    let host = Host::builder()
        .backend(db())
        .readonly(one)
        .option("pyproxy-read-only-backend-addresses", two)
        .with_counters()
        .start();
    let kinds: Vec<_> =
        host.counters().into_iter().map(|backend| (backend.address, backend.kind)).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert_eq!(kinds[0], (db().to_string(), 1));
    assert!(kinds.contains(&(one.to_string(), 2)) && kinds.contains(&(two.to_string(), 2)));
}

#[test]
fn skip_profiling_in_the_ini_file() {
    for (value, skips) in [("true", true), ("1", true), ("false", false), ("0", false)] {
        let host = Host::builder()
            .backend(db())
            .option("pyproxy-skip-profiling", value)
            .script("def read_query(proxy, packet): raise RuntimeError('not skipped')")
            .start();
        let mut client = host.client();
        let answer = client.query("SELECT 1").unwrap();
        assert_eq!(answer.packets[0].is_err(), !skips, "pyproxy-skip-profiling={value}");
    }
}

const SIGTERM: u32 = 15;

/// Whether the process has a handler for the signal.
fn catches(pid: u32, signal: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
}

#[test]
fn no_pyproxy_loads_and_does_not_listen() {
    let host = Host::builder().backend(refusing()).option("no-pyproxy", "true").start();
    // The host catches SIGTERM when it has started all plugins.
    let starts = eventually(PATIENCE, || catches(host.pid(), SIGTERM));
    assert!(starts, "{}", host.log());
    assert!(!testkit::ports::is_listening(host.address().port()));
}

#[test]
fn time_outs_with_fractions() {
    // `failures::timeouts` has what each of them does; here both ways of setting one.
    for on_command_line in [false, true] {
        let builder = Host::builder().backend(db());
        let host = if on_command_line {
            builder.argument("--pyproxy-read-timeout=0.4").start()
        } else {
            builder.option("pyproxy-read-timeout", "0.4").start()
        };
        let start = std::time::Instant::now();
        let mut client = host.client();
        client.read_to_close();
        let waited = start.elapsed().as_millis();
        assert!((300..10_000).contains(&waited), "0.4 s took {waited} ms");
    }
}

#[test]
fn relative_script_and_its_neighbours() {
    // A relative path counts from basedir; the script's folder is on the module path, the current
    // directory is not.
    let host = Host::builder()
        .backend(db())
        .script(
            r#"
            import sys
            import neighbour

            print("neighbour", neighbour.VALUE, flush=True)
            print("argv", sys.argv == [__file__], "cwd", "" in sys.path, flush=True)
            "#,
        )
        .file("neighbour.py", "VALUE = 5\n")
        .relative_script()
        .start();
    host.wait_for_stdout("neighbour 5\nargv True cwd False\n");
}

#[test]
fn unix_socket_address() {
    let host = Host::builder()
        .option("pyproxy-backend-addresses", MariaDb::shared().socket().display())
        .start();
    assert_in_step(&mut host.client());
}

#[test]
fn an_unknown_key_in_the_ini_file_is_named_with_the_option_that_was_meant() {
    for (key, option) in
        [("pyproxy-adress", "pyproxy-address"), ("pyproxy_python_script", "pyproxy-python-script")]
    {
        let ended = Host::builder().backend(refusing()).option(key, "1").run_to_end();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
        let text = format!("there is no option {key} (did you mean {option}?)");
        assert!(ended.log.contains(&text), "{}", ended.log);
    }
}

#[test]
fn an_option_that_is_repeated_in_the_ini_file_stops_the_start() {
    // The builder writes one line for an option.
    let twice = format!("{}\npyproxy-backend-addresses = {}", refusing(), refusing());
    let ended = Host::builder().option("pyproxy-backend-addresses", twice).run_to_end();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    let text = "pyproxy-backend-addresses is there twice, and mysql-proxy takes the last one only";
    assert!(ended.log.contains(text), "{}", ended.log);
}

#[test]
fn a_daemon_finds_its_ini_file_by_a_relative_path() {
    // Named in two words, and mysql-proxy has changed its directory before the plugin starts.
    let folder = testkit::scratch::ScratchDir::new("daemon");
    let plugins = folder.file("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let library = testkit::artifacts::plugin_library();
    std::os::unix::fs::symlink(library, plugins.join("libpyproxy.so")).unwrap();
    let log = folder.file("log");
    let text = format!(
        "[mysql-proxy]\nplugins = pyproxy\nplugin-dir = {}\nlog-file = {}\npyproxy-colour = red\n",
        plugins.display(),
        log.display()
    );
    folder.write("proxy.ini", &text);
    let mut host = testkit::artifacts::host_command();
    host.current_dir(&plugins).args(["--daemon", "--defaults-file", "../proxy.ini"]);
    assert!(host.status().unwrap().success());
    let refused = || {
        std::fs::read_to_string(&log)
            .is_ok_and(|log| log.contains("there is no option pyproxy-colour"))
    };
    assert!(eventually(PATIENCE, refused));
}
