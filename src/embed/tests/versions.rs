//! Loading, replacing and ending versions of the script.

use std::sync::Arc;

use std::time::{Duration, Instant};

use super::*;

#[test]
fn the_environment_of_a_script() {
    let script = "import sys, threading, logging, pyproxy\n\
        assert __name__ == 'pyproxy_script_script', __name__\n\
        assert sys.modules[__name__].__file__ == __file__\n\
        assert sys.argv[0].endswith('first.py') and len(sys.argv) == 1\n\
        assert sys.path[0] == __import__('os').path.dirname(sys.argv[0]) and '' not in sys.path\n\
        assert sys.executable == BUILD_PYTHON and sys.prefix == sys.base_prefix, (sys.executable, sys.prefix)\n\
        import signal\n\
        assert signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, signal.SIG_IGN)\n\
        assert proxy.PROXY_SEND_QUERY == pyproxy.PROXY_SEND_QUERY == pyproxy.Proxy.PROXY_SEND_QUERY == 1\n\
        assert proxy.PROXY_VERSION == 0x00805 and proxy.COM_QUERY == 3 and proxy.MYSQL_TYPE_GEOMETRY == 255\n\
        assert proxy.connection is None and proxy.queries is None and proxy.response is None\n\
        c = proxy.globals.config\n\
        assert (c.address, c.backend_addresses, c.profiling) == (':4045', ('a:1', 'b:2'), True)\n\
        assert (c.connect_timeout, c.python_script, c.venv) == (1.5, '/x/y.py', None)\n\
        c.mine = {'a': 1}\n\
        proxy.globals.counter = 5\n\
        assert proxy.globals.config.mine == {'a': 1} and proxy.globals.counter == 5\n";
    let script = format!("BUILD_PYTHON = {:?}\n{script}", env!("PYPROXY_BUILD_PYTHON"));
    load(&script).expect("all true");
}

#[test]
fn a_script_that_does_not_load_gives_its_traceback() {
    let error = load("def f(:\n").map(|_| ()).expect_err("a syntax error");
    assert!(error.contains("SyntaxError") && error.contains("script.py"), "{error}");
    let error = load("x = 1\nraise SystemExit(1)\n").map(|_| ()).expect_err("an exit");
    assert!(error.contains("SystemExit") && error.contains("line 2"), "{error}");
    assert!(!error.contains("bootstrap") && !error.contains("importlib"), "{error}");
    let error = load("def init(proxy): 1 / 0\n").map(|_| ()).expect_err("init fails");
    assert!(error.contains("ZeroDivisionError") && error.contains("in init"), "{error}");
}

#[test]
fn init_and_shutdown_are_called_once_each() {
    let script = load(
        "def init(proxy): proxy.globals.trace_of_init = ['init']\n\
         def shutdown(proxy): proxy.globals.trace_of_init.append('shutdown')\n",
    )
    .expect("loads");
    let trace = || {
        python(|py| {
            use pyo3::types::PyAnyMethods;
            let globals = scripts().environment().globals.bind(py);
            globals.getattr("trace_of_init").unwrap().extract::<Vec<String>>().unwrap()
        })
    };
    assert_eq!(trace(), ["init"]);
    let connection = Connection::of(Arc::clone(&script));
    drop(script);
    assert_eq!(trace(), ["init"], "a connection still has it");
    drop(connection);
    assert_eq!(trace(), ["init", "shutdown"]);
}

#[test]
fn objects_can_be_used_while_a_script_is_loaded_but_not_in_its_shutdown() {
    let script = load(
        "def kind_of_error(proxy):\n\
         \x20   try: proxy.globals.backends.add('')\n\
         \x20   except Exception as error: return type(error).__name__\n\
         seen = [kind_of_error(proxy)]\n\
         def init(proxy):\n\
         \x20   seen.append(kind_of_error(proxy))\n\
         \x20   proxy.globals.errors_seen = seen\n\
         def shutdown(proxy): seen.append(kind_of_error(proxy))\n",
    )
    .expect("loads");
    drop(script);
    let seen = python(|py| {
        use pyo3::types::PyAnyMethods;
        let globals = scripts().environment().globals.bind(py);
        globals.getattr("errors_seen").unwrap().extract::<Vec<String>>().unwrap()
    });
    assert_eq!(seen, ["ValueError", "ValueError", "ReferenceError"]);
}

#[test]
fn a_replaced_version_that_does_not_shut_down_is_left_behind() {
    let script = load(
        "import threading\n\
         def shutdown(proxy):\n\
         \x20   proxy.globals.shutdown_began = True\n\
         \x20   threading.Event().wait(60)\n",
    )
    .expect("loads");
    logged(log::Level::Warn);
    let begin = Instant::now();
    drop(script);
    assert!(begin.elapsed() < Duration::from_secs(30), "the limit is a few seconds");
    let warning = logged(log::Level::Warn);
    assert!(
        warning.starts_with("a replaced version of the script did not shut down within"),
        "{warning}"
    );
    let began = python(|py| {
        use pyo3::types::PyAnyMethods;
        scripts().environment().globals.bind(py).getattr("shutdown_began").is_ok()
    });
    assert!(began, "shutdown was called");
}

#[test]
fn a_changed_file_is_loaded_for_new_connections_and_a_broken_one_is_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("script.py");
    let first = load_file(&path, "def read_query(proxy, packet): return 1\n").expect("loads");
    // As long and as old to the second as the first: only a loader without bytecode sees it.
    let second = load_file(&path, "def read_query(proxy, packet): return 0\n").expect("loads");
    assert_eq!(Connection::of(first).call(Hook::ReadQuery), Verdict::SendQuery);
    assert_eq!(Connection::of(second).call(Hook::ReadQuery), Verdict::Proceed);
    assert!(!dir.path().join("__pycache__").exists());

    let watch = super::super::reload::Watch::eager(&path);
    let environment = Arc::clone(scripts().environment());
    let loaded = python(|py| Script::load(py, &environment, &path)).expect("loads");
    let versions = Scripts::new(path.clone(), environment, loaded, Some(watch));
    let current = || versions.current();
    let old = current();
    assert!(Arc::ptr_eq(&old, &current()), "nothing changed");
    std::fs::write(&path, "def read_query(proxy, packet): return 1 / 0\nboom").expect("written");
    logged(log::Level::Error);
    assert!(Arc::ptr_eq(&old, &current()), "the broken version is not used");
    assert!(logged(log::Level::Error).contains("NameError"));
    assert!(Arc::ptr_eq(&old, &current()));
    assert_eq!(logged(log::Level::Error), "", "said once");
    std::fs::write(&path, "def read_auth(proxy): return 1\n").expect("written");
    let new = current();
    assert!(
        new.hooks().defined().has(Hook::ReadAuth) && !new.hooks().defined().has(Hook::ReadQuery)
    );
    assert!(old.hooks().defined().has(Hook::ReadQuery), "an open connection keeps its version");
}

#[test]
fn a_version_that_does_not_load_leaves_no_module() {
    let dir = tempfile::tempdir().expect("a temporary directory").keep();
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    let modules = || {
        python(|py| {
            use pyo3::types::PyAnyMethods;
            let names = py.import("sys").unwrap().getattr("modules").unwrap();
            let names = names.call_method0("keys").unwrap().try_iter().unwrap();
            let names = names.map(|name| name.unwrap().extract::<String>().unwrap());
            let ours = |name: &String| name.contains("forgotten") || name == "colorsys";
            names.filter(ours).collect::<Vec<_>>()
        })
    };
    let script = dir.join("forgotten_script.py");
    let import = "import sys, os; sys.path.append(os.path.dirname(__file__))\n\
        import forgotten_helper, forgotten_package.part, colorsys\n";
    write("forgotten_package/part.py", "");
    write("forgotten_helper.py", "value = 'as long'\n");
    // What fails at the top of the script, and what fails in init.
    for failure in ["boom\n", "def init(proxy): forgotten_helper.check()\n"] {
        load_file(&script, &format!("{import}{failure}")).map(|_| ()).expect_err("it fails");
        assert_eq!(modules(), ["colorsys"], "{failure}: of others' modules only");
    }

    write("forgotten_helper.py", "def check(): pass\n");
    let check = format!("{import}def init(proxy): forgotten_helper.check()\n");
    let loaded = load_file(&script, &check).expect("the helper was mended");
    let before = modules();
    assert!(before.contains(&"pyproxy_script_forgotten_script".to_owned()), "{before:?}");
    assert!(before.contains(&"forgotten_package.part".to_owned()), "{before:?}");

    // The version in use keeps its own.
    let error = load_file(&script, &format!("{import}1 / 0\n")).map(|_| ()).expect_err("it fails");
    assert!(error.contains("ZeroDivisionError"), "{error}");
    assert_eq!(modules(), before);
    drop(loaded);
}

#[test]
fn logging_reaches_the_host_at_its_level() {
    let script = "import logging, threading, warnings\n\
        def read_query(proxy, packet):\n\
        \x20   log = logging.getLogger('app')\n\
        \x20   log.debug('a debug %d', 1); log.info('an info'); log.warning('a warning')\n\
        \x20   log.error('an error'); log.critical('100%% critical')\n\
        \x20   try: 1 / 0\n\
        \x20   except ZeroDivisionError: logging.exception('with traceback')\n";
    for (level, wanted) in [
        (log::Level::Debug, &["app: a debug 1"][..]),
        (log::Level::Info, &["app: an info"]),
        (log::Level::Warn, &["app: a warning"]),
        (
            log::Level::Error,
            &["app: an error", "app: 100%% critical", "root: with traceback\nTraceback"],
        ),
    ] {
        let mut connection = Connection::new(script);
        assert_eq!(connection.call(Hook::ReadQuery), Verdict::Proceed);
        let text = logged(level);
        for wanted in wanted {
            assert!(text.contains(wanted), "{level}: {text}");
        }
    }
}

#[test]
fn uncaught_exceptions_elsewhere_are_logged_too() {
    let script = "class Bad:\n\
        \x20   def __del__(self): raise ValueError('in del')\n\
        def read_query(proxy, packet):\n\
        \x20   Bad()\n";
    let mut connection = Connection::new(script);
    assert_eq!(connection.call(Hook::ReadQuery), Verdict::Proceed);
    let text = logged(log::Level::Error);
    assert!(text.contains("in del") && text.contains("Traceback"), "{text}");
}

#[test]
fn wrong_paths_are_refused_before_python_starts() {
    let start = |script: &str, venv: Option<&str>| {
        let config = PythonConfig {
            script: script.into(),
            base_dir: "/".into(),
            script_config: None,
            venv: venv.map(Into::into),
            reload: false,
            may_wait: true,
        };
        start(config, Vec::new(), shared(), 0).map(|_| ()).expect_err("refused").to_string()
    };
    let error = start("/no/such/script.py", None);
    assert!(error.starts_with("pyproxy-python-script=/no/such/script.py: No such file"), "{error}");
    assert!(start("/", None).contains("directory"));
    scripts();
    let error = start("/etc/passwd", None);
    assert!(error.contains("runs in this process already"), "{error}");
}
