//! Where the plugin listens, and what of the options only a listening host shows.

use std::io::Read;
use std::os::unix::net::UnixStream;

use testkit::wait::PATIENCE;
use testkit::{Host, eventually};

use crate::support::*;

#[test]
fn on_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sock");
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-address", path.display())
        // Said, so that the test does not wait for a TCP port.
        .option("no-pyproxy", "false")
        .script(
            r#"
            import socket

            def connect_server(proxy):
                client = proxy.connection.client
                print(client.dst.name, client.dst.port, client.dst.type == socket.AF_UNIX)
            "#,
        )
        .start();
    let mut connected = None;
    let came = eventually(PATIENCE, || {
        connected = UnixStream::connect(&path).ok();
        connected.is_some()
    });
    assert!(came, "{}", host.log());
    let mut client = connected.unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut start = [0; 5];
    client.read_exact(&mut start).unwrap();
    assert_eq!(start[3..], [0, 10], "the first packet is a handshake");
    host.wait_for_stdout(&format!("{} None True\n", path.display()));
}

#[test]
fn skip_profiling_only_forwards() {
    for profiling in [true, false] {
        let mut builder = Host::builder().backend(db()).script(
            r#"
            def connect_server(proxy):
                print("connect_server")

            def read_query(proxy, packet):
                print("read_query")
                proxy.queries.append(1, packet, True)
                return proxy.PROXY_SEND_QUERY

            def read_query_result(proxy, inj):
                print("read_query_result")
            "#,
        );
        if !profiling {
            builder = builder.argument("--pyproxy-skip-profiling");
        }
        let host = builder.start();
        assert_in_step(&mut host.client());
        let stdout = host.stop().stdout;
        let lines: Vec<_> = stdout.lines().take(3).collect();
        if profiling {
            assert_eq!(lines, ["connect_server", "read_query", "read_query_result"]);
        } else {
            assert_eq!(lines, ["connect_server"]);
        }
    }
}

#[test]
fn no_pyproxy_on_the_command_line_runs_no_script() {
    let host = Host::builder()
        .backend(refusing())
        .option("no-pyproxy", "")
        .argument("--no-pyproxy")
        .script("print('the script runs')")
        .start();
    assert!(!testkit::ports::is_listening(host.address().port()));
    assert_eq!(host.stop().stdout, "");
}

#[test]
fn reload_and_venv_on_the_command_line() {
    let host = Host::builder()
        .backend(db())
        .argument("--pyproxy-reload")
        .argument(format!("--pyproxy-venv={}", testkit::python::venv().display()))
        .script("import pymysql\nprint(proxy.globals.config.reload, proxy.globals.config.venv)")
        .start();
    let expected = format!("True {}\n", testkit::python::venv().display());
    assert_eq!(host.stop().stdout, expected);
}
