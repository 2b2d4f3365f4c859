//! Python inside the host: extension modules, a virtual environment, the interpreter's settings.

use std::path::Path;

use testkit::{Host, python};

use crate::support::*;

#[test]
fn extension_modules_of_the_standard_library() {
    let mut host = Host::with_script(
        r#"
        import ctypes
        import decimal
        import json
        import socket
        import sqlite3
        import ssl

        db = sqlite3.connect(":memory:")
        value = db.execute("SELECT 40 + 2").fetchone()[0]
        print("sqlite3", value, flush=True)
        print("decimal", decimal.Decimal("0.1") + decimal.Decimal("0.2"), flush=True)
        print("ssl", ssl.create_default_context().check_hostname, flush=True)
        print("ctypes", ctypes.sizeof(ctypes.c_long), flush=True)
        "#,
    );
    host.wait_for_stdout("sqlite3 42\ndecimal 0.3\nssl True\nctypes 8\n");
    host.assert_serves();
}

#[test]
fn extension_module_installed_by_pip() {
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-venv", python::venv().display())
        .script(
            r#"
            import markupsafe
            import markupsafe._speedups

            def read_query(proxy, packet):
                proxy.response = {
                    "type": proxy.MYSQLD_PACKET_OK,
                    "resultset": {
                        "fields": [("escaped", proxy.MYSQL_TYPE_STRING)],
                        "rows": [[str(markupsafe.escape(packet[1:].decode()))]],
                    },
                }
                return proxy.PROXY_SEND_RESULT
            "#,
        )
        .start();
    assert_eq!(host.client().query("<a>").unwrap().value(), "&lt;a&gt;");
}

#[test]
fn without_the_venv_its_modules_are_not_there() {
    let host = Host::with_script(
        r#"
        import importlib.util

        print("pymysql", importlib.util.find_spec("pymysql"), flush=True)
        "#,
    );
    host.wait_for_stdout("pymysql None\n");
}

#[test]
fn signals_stay_with_the_host() {
    let host = Host::with_script(
        r#"
        import signal

        def shutdown(proxy):
            print("shutdown", flush=True)
        "#,
    );
    assert_in_step(&mut host.client());
    host.signal(testkit::process::SIGINT);
    let ended = host.stop();
    assert_eq!(ended.stdout, "shutdown\n", "{ended:?}");
    assert!(!ended.log.contains("KeyboardInterrupt"), "{ended:?}");
}

#[test]
fn standard_streams_are_not_block_buffered() {
    let mut host = Host::with_script(
        r#"
        import sys

        print("a line without flush")
        print("to standard error", file=sys.stderr)
        "#,
    );
    host.wait_for_stdout("a line without flush\n");
    host.wait_for_log("to standard error");
    host.assert_serves();
}

#[test]
fn a_child_process_of_the_script() {
    let host = Host::with_script(
        r#"
        import subprocess

        def read_query(proxy, packet):
            if b"spawn" in packet:
                text = subprocess.run(["echo", "from a child"], capture_output=True).stdout
                proxy.response = {
                    "type": proxy.MYSQLD_PACKET_OK,
                    "resultset": {
                        "fields": [("text", proxy.MYSQL_TYPE_STRING)],
                        "rows": [[text]],
                    },
                }
                return proxy.PROXY_SEND_RESULT
        "#,
    );
    assert_eq!(host.client().query("spawn").unwrap().value(), "from a child\n");
}

#[test]
fn starts_after_the_daemon_fork() {
    // The interpreter must not live in a process that forks away: threads and atexit would be lost.
    let builder = Host::builder()
        .backend(db())
        .script(
            r#"
            import os
            import threading
            import time

            with open(os.path.join(os.path.dirname(__file__), "pid"), "w") as file:
                file.write(str(os.getpid()))
            threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()
            "#,
        )
        .option("keepalive", "true");
    let host = builder.start();
    assert_in_step(&mut host.client());
    let worker = std::fs::read_to_string(host.file("pid")).unwrap();
    assert_ne!(worker, host.pid().to_string(), "the script runs in the process that was forked");
    host.stop();
    assert!(testkit::eventually(testkit::wait::PATIENCE, || {
        !Path::new("/proc").join(&worker).exists()
    }));
}
