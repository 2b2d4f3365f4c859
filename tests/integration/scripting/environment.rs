//! What a script finds around it: paths, arguments, the virtual environment, output and log
//! (`docs/scripting.md#modules-output-threads`).

use testkit::{Host, python};

use crate::support::*;

#[test]
fn module_path_and_arguments() {
    let base = tempfile::tempdir().unwrap();
    let library = base.path().join("lib/mysql-proxy/python");
    std::fs::create_dir_all(&library).unwrap();
    for name in ["beside_host.py", "neighbour.py"] {
        std::fs::write(library.join(name), "WHERE = 'library'\n").unwrap();
    }
    let host = Host::builder()
        .backend(db())
        .option("basedir", base.path().display())
        .file("neighbour.py", "WHERE = 'script folder'\n")
        .script(
            r#"
            import os
            import sys

            import beside_host
            import neighbour

            folder = os.path.dirname(__file__)
            print("first", sys.path[0] == folder)
            print("last", sys.path[-1] == os.path.dirname(beside_host.__file__))
            print("current", "" in sys.path or os.getcwd() in sys.path)
            print("argv", sys.argv == [__file__], os.path.isabs(__file__))
            print(neighbour.WHERE, beside_host.WHERE)
            "#,
        )
        .start();
    assert_eq!(
        host.stop().stdout,
        "first True\nlast True\ncurrent False\nargv True True\nscript folder library\n"
    );
}

#[test]
fn without_a_library_folder_nothing_is_appended() {
    let host = Host::builder()
        .backend(db())
        .relative_script()
        .script("import sys\nprint([p for p in sys.path if 'mysql-proxy' in p])\n")
        .start();
    assert_eq!(host.stop().stdout, "[]\n");
}

#[test]
fn the_script_is_loaded_once() {
    let mut host = Host::builder()
        .backend(db())
        .event_threads(4)
        .script("print('loaded', __name__ != '__main__')\ndef read_query(proxy, packet): pass\n")
        .start();
    for _ in 0..4 {
        host.assert_serves();
    }
    assert_eq!(host.stop().stdout, "loaded True\n");
}

#[test]
fn the_virtual_environment_is_all_that_is_added() {
    let venv = python::venv().display().to_string();
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-venv", &venv)
        .script(
            r#"
            import os
            import sys

            import pymysql

            config = proxy.globals.config
            print(os.path.realpath(sys.prefix) == os.path.realpath(config.venv))
            print(pymysql.__file__.startswith(config.venv))
            print([p for p in sys.path if "site-packages" in p and not p.startswith(config.venv)])
            "#,
        )
        .start();
    assert_eq!(host.stop().stdout, "True\nTrue\n[]\n");
}

/// Python's levels and the host's. The host calls `log::Level::Info` message or info.
const LEVELS: &[(&str, &str)] = &[
    ("critical", "critical"),
    ("error", "critical"),
    ("warning", "warning"),
    ("info", "info"),
    ("debug", "debug"),
];

#[test]
fn every_level_of_logging_has_its_level_in_the_host() {
    let host = Host::with_script(
        r#"
        import logging

        own = logging.getLogger("own.name")

        def read_query(proxy, packet):
            for name in ("critical", "error", "warning", "info", "debug"):
                getattr(logging, name)("root %s ž", name)
                getattr(own, name)("own %s", name)
            try:
                1 / 0
            except ZeroDivisionError:
                own.exception("with its traceback")
        "#,
    );
    host.client().query("SELECT 1").unwrap();
    host.wait_for_log("ZeroDivisionError: division by zero");
    let log = host.log();
    for (python, of_host) in LEVELS {
        for text in [format!("root {python} ž"), format!("own.name: own {python}")] {
            let lines: Vec<_> = log.lines().filter(|line| line.contains(&text)).collect();
            assert_eq!(lines.len(), 1, "{text}:\n{log}");
            assert!(lines[0].contains(&format!("({of_host})")), "{}", lines[0]);
        }
    }
}

#[test]
fn a_lower_level_of_the_host_holds_for_python() {
    let host = Host::builder()
        .backend(db())
        .option("log-level", "warning")
        .script(
            r#"
            import logging

            logging.info("not shown")
            logging.warning("is shown")
            "#,
        )
        .start();
    host.wait_for_log("is shown");
    assert!(!host.log().contains("not shown"));
}

#[test]
fn a_script_that_configures_logging_has_it_its_own_way() {
    let configurations = [
        "logging.basicConfig(stream=sys.stdout, format='mine: %(message)s')",
        "logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))",
        "logging.config.dictConfig({'version': 1, 'root': {'handlers': ['h']}, 'handlers': {'h': \
         {'class': 'logging.StreamHandler', 'stream': 'ext://sys.stdout'}}})",
    ];
    for configuration in configurations {
        let host = Host::with_script(&format!(
            "import logging, logging.config, sys\n{configuration}\nlogging.warning('to stdout')\n\
             def read_query(proxy, packet): raise KeyError('still in the log')\n"
        ));
        host.client().query("SELECT 1").unwrap();
        host.wait_for_stdout("to stdout\n");
        // Tracebacks always go to the host's log.
        host.wait_for_log("KeyError: 'still in the log'");
        assert!(!host.log().contains("to stdout"), "{configuration}\n{}", host.log());
    }
}

#[test]
fn every_traceback_reaches_the_log() {
    let host = Host::with_script(
        r#"
        import threading

        class Noisy:
            def __del__(self):
                raise ValueError("in a finaliser")

        def fail():
            raise LookupError("in a thread")

        def read_query(proxy, packet):
            Noisy()
            thread = threading.Thread(target=fail, name="helper")
            thread.start()
            thread.join()

        def shutdown(proxy):
            raise OSError("in shutdown")
        "#,
    );
    host.client().query("SELECT 1").unwrap();
    let log = host.stop().log;
    for trace in ["ValueError: in a finaliser", "LookupError: in a thread", "OSError: in shutdown"]
    {
        assert!(log.contains(trace), "{trace}:\n{log}");
    }
    assert!(log.contains("helper"), "{log}");
}

#[test]
fn the_interpreter_is_not_torn_down() {
    let host = Host::with_script(
        r#"
        import threading
        import time

        class Last:
            def __del__(self):
                print("torn down")

        last = Last()
        # Would be waited for by an interpreter that ends.
        threading.Thread(target=time.sleep, args=(600,)).start()
        "#,
    );
    assert_in_step(&mut host.client());
    let ended = host.stop();
    assert!(!ended.stdout.contains("torn down"), "{ended:?}");
}

#[test]
fn print_is_line_buffered() {
    let host = Host::with_script(
        r#"
        import sys

        def read_query(proxy, packet):
            print("half a", end="")
            if b"line" in packet:
                print(" line \ud800")
        "#,
    );
    let mut client = host.client();
    client.query("SELECT 'line'").unwrap();
    // Not flushed by anybody, and the process still runs.
    host.wait_for_stdout("half a line \\ud800\n");
    client.query("SELECT 1").unwrap();
    client.quit();
    assert!(host.stop().stdout.ends_with("half a"), "flushed at the end");
}
