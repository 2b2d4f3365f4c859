//! What happens once per process: starting in a virtual environment, and the end. Each scenario runs this test
//! binary again.

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
    let config =
        PythonConfig { script: path, base_dir, venv: venv.map(Path::to_owned), reload: false };
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
    in_callback(|call| {
        let mut binding = Binding::new(scripts.current(call), session, shared());
        assert_eq!(binding.read_query(call, b"\x03x"), Outcome::SendQuery);
        scripts.shutdown();
        scripts.shutdown();
        assert_eq!(binding.read_query(call, b"\x03x"), Outcome::Proceed);
    });
    drop(scripts);
    println!("\nafter the end");
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
