//! Scripts that fork: the child is none of the proxy's.

use testkit::Host;

use crate::support::*;

#[test]
fn a_pool_of_workers_in_a_hook_is_terminated_and_the_proxy_goes_on() {
    let mut host = Host::with_script(
        r#"
        import multiprocessing

        def work(n):
            return n * n

        def read_query(proxy, packet):
            if b"pool" in packet:
                # Its end terminates the workers.
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    print("sum", sum(pool.map(work, range(5))), flush=True)
        "#,
    );
    let mut client = host.client();
    for _ in 0..3 {
        assert_eq!(client.query("SELECT 'pool'").unwrap().value(), "pool");
    }
    host.assert_serves();
    let ended = host.stop();
    assert_eq!(ended.stdout, "sum 30\n".repeat(3), "{}", ended.log);
}

/// Forks in a hook, or in a thread of the script; the child does `CHILD`.
const FORKS: &str = r#"
import os, signal, socket, sys, threading, time

def fork(proxy):
    if os.fork() == 0:
        CHILD
    else:
        print("status", os.waitstatus_to_exitcode(os.wait()[1]), flush=True)

def read_query(proxy, packet):
    if b"hook" in packet:
        fork(proxy)
    if b"thread" in packet:
        thread = threading.Thread(target=fork, args=[proxy])
        thread.start()
        thread.join()
"#;

fn after_forks(child: &str, queries: &[&str]) -> String {
    let mut host = Host::with_script(&FORKS.replace("CHILD", child));
    let mut client = host.client();
    for query in queries {
        assert_eq!(client.query(&format!("SELECT '{query}'")).unwrap().value(), *query);
        assert_in_step(&mut client);
    }
    host.assert_serves();
    let ended = host.stop();
    assert!(ended.status.success(), "{}", ended.log);
    ended.stdout
}

#[test]
fn a_child_that_comes_back_from_a_hook_serves_nobody() {
    assert_eq!(after_forks("return", &["hook", "hook"]), "status 1\nstatus 1\n");
    let raised = after_forks("raise SystemExit(3)", &["hook"]);
    assert_eq!(raised, "status 1\n");
}

#[test]
fn a_child_that_is_terminated_does_not_end_the_proxy() {
    for signal in ["SIGTERM", "SIGINT", "SIGHUP"] {
        let child = format!("os.kill(os.getpid(), signal.{signal}); os._exit(0)");
        let ended = after_forks(&child, &["hook", "thread"]);
        let status = match signal {
            "SIGTERM" => -15,
            "SIGINT" => -2,
            _ => -1,
        };
        assert_eq!(ended, format!("status {status}\n").repeat(2), "{signal}");
    }
}

#[test]
fn a_child_has_no_socket_and_no_object_of_the_proxy() {
    let child = r#"
        try:
            proxy.connection.client
            objects = "there"
        except ReferenceError:
            objects = "gone"
        links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd != "3"
                 and os.path.islink(f"/proc/self/fd/{fd}")]
        inodes = {link[8:-1] for link in links if link.startswith("socket:")}
        lines = [line.split() for line in open("/proc/self/net/tcp")][1:]
        print("objects", objects, "sockets", [line for line in lines if line[9] in inodes], flush=True)
        os._exit(0)"#;
    let told = "objects gone sockets []\nstatus 0\n";
    assert_eq!(after_forks(child.trim(), &["hook", "thread"]), told.repeat(2));
}

#[test]
fn a_method_that_starts_a_python_of_its_own_works() {
    let host = Host::builder()
        .backend(db())
        .file("work.py", "def square(n):\n    return n * n\n")
        .script(
            r#"
            import multiprocessing
            from work import square

            pool = None

            def init(proxy):
                global pool
                pool = multiprocessing.get_context("spawn").Pool(1)

            def shutdown(proxy):
                pool.terminate()

            def read_query(proxy, packet):
                print(pool.apply(square, [7]), flush=True)
            "#,
        )
        .start();
    assert_in_step(&mut host.client());
    let ended = host.stop();
    assert_eq!(ended.stdout, "49\n", "{}", ended.log);
}
