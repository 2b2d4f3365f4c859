//! What happens once per process: starting in a virtual environment, and the end. Each scenario runs this test
//! binary again.

use std::sync::Arc;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use super::*;

/// Runs the ignored test `name` in a process of its own.
fn alone(name: &str) -> Output {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", &format!("embed::tests::alone::{name}"), "--ignored", "--nocapture"])
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
    output
}

/// Starts Python with this script.
fn start_with(script: &str, venv: Option<&Path>) -> Result<Scripts, super::super::EmbedError> {
    let base_dir = tempfile::tempdir().expect("a temporary directory").keep();
    let library = base_dir.join("lib/mysql-proxy/python");
    fs::create_dir_all(&library).expect("made");
    fs::write(library.join("beside_the_host.py"), "answer = 42\n").expect("written");
    let path = base_dir.join("script.py");
    fs::write(&path, script).expect("written");
    let config = PythonConfig {
        script: path,
        base_dir,
        script_config: None,
        venv: venv.map(Path::to_owned),
        reload: false,
        may_wait: true,
    };
    start(config, Vec::new(), shared(), 0x0000_0805)
}

#[test]
fn a_virtual_environment_is_used() {
    alone("child_in_a_virtual_environment");
}

#[test]
#[ignore = "run by a_virtual_environment_is_used, in a process of its own"]
fn child_in_a_virtual_environment() {
    let build_python = env!("PYPROXY_BUILD_PYTHON");
    let output = Command::new(build_python)
        .args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .output()
        .expect("the Python of the build runs");
    let version = String::from_utf8(output.stdout).expect("text").trim().to_owned();
    let venv = tempfile::tempdir().expect("a temporary directory").keep();
    let packages = venv.join(format!("lib/python{version}/site-packages"));
    fs::create_dir_all(&packages).expect("made");
    fs::write(packages.join("only_in_the_venv.py"), "answer = 42\n").expect("written");
    fs::create_dir_all(venv.join("bin")).expect("made");
    symlink(build_python, venv.join("bin/python")).expect("linked");
    let home = Path::new(build_python).parent().expect("a folder").display();
    fs::write(venv.join("pyvenv.cfg"), format!("home = {home}\nversion = {version}.0\n"))
        .expect("written");
    let script = format!(
        "import sys, only_in_the_venv, beside_the_host, json, decimal\n\
         assert sys.prefix == {venv:?} != sys.base_prefix, (sys.prefix, sys.base_prefix)\n\
         assert only_in_the_venv.answer == beside_the_host.answer == 42\n\
         assert sys.path[-1].endswith('lib/mysql-proxy/python')\n"
    );
    start_with(&script, Some(&venv)).expect("all true");
}

#[test]
fn a_wrong_environment_stops_the_start() {
    alone("child_in_a_wrong_environment");
}

#[test]
#[ignore = "run by a_wrong_environment_stops_the_start, in a process of its own"]
fn child_in_a_wrong_environment() {
    let error = start_with("", Some(Path::new("/no/such/venv"))).map(|_| ()).expect_err("refused");
    assert!(error.to_string().starts_with("pyproxy-venv=/no/such/venv: No such file"), "{error}");
    start_with("", None).expect("nothing was half started");
}

#[test]
fn a_real_module_of_a_former_name_comes_first() {
    alone("child_with_a_module_named_chassis");
}

#[test]
#[ignore = "run by a_real_module_of_a_former_name_comes_first, in a process of its own"]
fn child_with_a_module_named_chassis() {
    let script = "import importlib, os\n\
        with open(os.path.join(os.path.dirname(__file__), 'chassis.py'), 'w') as file: file.write('real = True')\n\
        importlib.invalidate_caches()\n\
        import chassis, pyproxy.chassis\n\
        assert chassis.real and chassis is not pyproxy.chassis\n";
    start_with(script, None).expect("all true");
}

#[test]
fn a_script_that_spoils_python_spoils_only_itself() {
    alone("child_that_spoils_python");
}

/// What a script can do to the modules and objects that our own code uses.
const SPOILS: &[&str] = &[
    "import traceback; traceback.format_exception = None",
    "import logging; logging.root.handlers = None; logging.critical = None",
    "import sys; sys.stdout = sys.stderr = None",
    "import sys; sys.excepthook = sys.unraisablehook = None",
    "import sys; sys.setrecursionlimit(70)",
    "import pyproxy; vars(pyproxy).clear()",
    "kind = proxy.__class__; kind.connection = kind.response = kind.queries = kind.PROXY_SEND_QUERY = 5",
    "del proxy.__class__.globals",
    "import datetime, decimal; datetime.datetime = decimal.Decimal = 5",
    "import builtins; del builtins.proxy, builtins.print, builtins.isinstance, builtins.type",
    "import sys; sys.modules.clear()",
];

#[test]
#[ignore = "run by a_script_that_spoils_python_spoils_only_itself, in a process of its own"]
fn child_that_spoils_python() {
    let spoils = SPOILS
        .iter()
        .map(|spoil| format!("    lambda proxy: exec({spoil:?}, {{'proxy': proxy}}),\n"));
    let script = format!(
        "SPOILS = [\n{}]\n\
         def read_query(proxy, packet):\n\
         \x20   if packet[0] == 3: return 1\n\
         \x20   if packet[0] == 0: SPOILS[packet[1]](proxy)\n\
         \x20   else: raise LookupError('on purpose')\n",
        spoils.collect::<String>()
    );
    keep_log();
    let scripts = start_with(&script, None).expect("starts");
    let script = in_callback(|| scripts.current());
    for (n, spoil) in SPOILS.iter().enumerate() {
        let n = u8::try_from(n).expect("few");
        let mut connection = Connection::of(Arc::clone(&script));
        assert_eq!(connection.query(&[0, n]), Verdict::Proceed, "{}", logged(log::Level::Error));
        let mut next = Connection::of(Arc::clone(&script));
        assert_eq!(next.query(b"\x03x"), Verdict::SendQuery, "after {spoil}");
        assert_eq!(next.query(b"\x01"), Verdict::Failed, "after {spoil}");
        let log = logged(log::Level::Error);
        assert!(log.contains("read_query failed") && log.contains("LookupError"), "{spoil}: {log}");
    }
    scripts.shutdown();
}

#[test]
fn the_end_runs_everything_once() {
    let output = alone("child_that_ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let order = ["in shutdown", "in atexit", "after the end"].map(|line| text.find(line));
    assert!(order.is_sorted() && order[0].is_some(), "{text}");
    assert_eq!(text.matches("in shutdown").count(), 1, "{text}");
}

#[test]
#[ignore = "run by the_end_runs_everything_once, in a process of its own"]
fn child_that_ends() {
    let script = "import atexit, sys\n\
        atexit.register(lambda: sys.stdout.write('in atexit'))\n\
        def shutdown(proxy): print('in shutdown', proxy.globals)\n\
        def read_query(proxy, packet): return 1\n";
    let scripts = start_with(script, None).expect("starts");
    let session = Slot::new(Session::new(1, Client::default()));
    in_callback(|| {
        let mut binding = Binding::new(scripts.current(), session, shared(), None);
        assert_eq!(
            binding.ask(&Ask::Hook(Hook::ReadQuery), b"\x03x"),
            Answer::Verdict(Verdict::SendQuery)
        );
        scripts.shutdown();
        scripts.shutdown();
        assert_eq!(
            binding.ask(&Ask::Hook(Hook::ReadQuery), b"\x03x"),
            Answer::Verdict(Verdict::Proceed)
        );
    });
    drop(scripts);
    println!("\nafter the end");
}

#[test]
fn replaced_versions_end_too() {
    let output = alone("child_with_two_versions_that_ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let ended: Vec<_> = text.lines().filter(|line| line.starts_with("the end of")).collect();
    assert_eq!(ended, ["the end of unused", "the end of used", "the end of current"], "{text}");
}

#[test]
#[ignore = "run by replaced_versions_end_too, in a process of its own"]
fn child_with_two_versions_that_ends() {
    let source = |version: &str| format!("def shutdown(proxy): print('\\nthe end of {version}')\n");
    let scripts = start_with(&source("unused"), None).expect("starts");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("script.py");
    let environment = Arc::clone(scripts.environment());
    let load = || threads::with_python(|py| Script::load(py, &environment, &path));
    fs::write(&path, source("used")).expect("written");
    let used = load().expect("Python runs").expect("loads");
    drop(scripts);
    let watch = super::super::reload::Watch::eager(&path);
    let scripts = Scripts::new(path.clone(), Arc::clone(&environment), used, Some(watch));
    in_callback(|| {
        let session = Slot::new(Session::new(1, Client::default()));
        let _open = Binding::new(scripts.current(), session, shared(), None);
        fs::write(&path, source("current")).expect("written");
        scripts.current();
        scripts.shutdown();
    });
}

#[test]
fn a_script_that_does_not_end_is_left_behind() {
    let begin = Instant::now();
    alone("child_that_does_not_end");
    let took = begin.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(30)).contains(&took), "{took:?}");
}

#[test]
#[ignore = "run by a_script_that_does_not_end_is_left_behind, in a process of its own"]
fn child_that_does_not_end() {
    let script = "def shutdown(proxy):\n    while True: pass\n";
    start_with(script, None).expect("starts").shutdown();
}
