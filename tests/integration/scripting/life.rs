//! The life of a script outside its connection hooks.

use testkit::Host;

use crate::support::*;

#[test]
fn threads_of_the_script_run_between_hooks() {
    let host = Host::with_script(
        r#"
        import threading
        import time

        def tick():
            for number in range(1000):
                print("tick", number, flush=True)
                time.sleep(0.01)

        threading.Thread(target=tick, daemon=True).start()
        "#,
    );
    host.wait_for_stdout("tick 20\n");
    assert_in_step(&mut host.client());
}

#[test]
fn init_and_shutdown() {
    let host = Host::with_script(
        r#"
        import atexit

        atexit.register(lambda: print("atexit", flush=True))

        def init(proxy):
            print("init", len(proxy.globals.backends), proxy.COM_QUERY, flush=True)

        def shutdown(proxy):
            print("shutdown", flush=True)
        "#,
    );
    assert_in_step(&mut host.client());
    let output = host.stop().stdout;
    assert_eq!(output.lines().collect::<Vec<_>>(), ["init 1 3", "shutdown", "atexit"]);
}

#[test]
fn a_hook_that_is_not_callable_is_a_warning() {
    let mut host = Host::with_script("read_query = 5\n");
    host.assert_serves();
    let warned = host.log().lines().any(|l| l.contains("(warning)") && l.contains("read_query"));
    assert!(warned, "{}", host.log());
}

#[test]
fn logging_goes_to_the_log_of_the_host() {
    let host = Host::with_script(
        r#"
        import logging

        def read_query(proxy, packet):
            logging.warning("a warning of the script")
            logging.getLogger("mine").error("an error of the script")
        "#,
    );
    assert_in_step(&mut host.client());
    host.wait_for_log("a warning of the script");
    host.wait_for_log("an error of the script");
}
