//! `scripts/install.sh`: what it installs works from where it was installed.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::scratch::ScratchDir;
use testkit::{Host, artifacts, python};

use crate::support::*;

/// The script, with the plugin under test, so that nothing is built.
fn script() -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/install.sh");
    let mut command = Command::new(path);
    command.env("PYPROXY_PLUGIN", artifacts::plugin_library());
    command
}

/// Runs the script and gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    stdout.into_owned()
}

/// Runs the script with a prefix and gives what it printed.
fn install(prefix: &Path, arguments: &[&str]) -> String {
    run(script().arg("--any-prefix").arg("--prefix").arg(prefix).args(arguments))
}

/// The files in a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What the ready-made scripts need to let the test user work: one refuses strangers by default.
const SETTINGS: &str = "[login_mapping]\nunknown_users = pass\n[firewall]\nmode = off\n[masking_rules]\n\
                        t.c = null\n[rate_limit]\nmax_connections = 9\n[quota]\nburst = 9\n\
                        [result_cache]\nttl = 9\n[http_policy]\nurl = http://127.0.0.1:1/\n\
                        on_failure = allow\n[tee]\naddress = 127.0.0.1:1\n";

/// Scripts that wait, which only one of the loops lets them do.
const WAITING: [&str; 4] = ["http_policy.py", "quota.py", "result_cache.py", "tee.py"];

/// A host that loads the installed plugin, and an installed script by its path.
fn host_with(prefix: &Path, script: &Path) -> Host {
    let mut host = Host::builder();
    if WAITING.iter().any(|name| script.ends_with(name)) {
        host = host.option("pyproxy-event-loop", "own");
    }
    host.backend(db())
        .option("pyproxy-venv", python::venv().display())
        .plugin_dir(prefix.join("lib/mysql-proxy/plugins"))
        .option("pyproxy-python-script", script.display())
        .file("settings.ini", SETTINGS)
        .option_to_file("pyproxy-script-config", "settings.ini")
        .start()
}

#[test]
fn each_ready_made_script_loads_by_path_and_serves() {
    let prefix = ScratchDir::new("prefix");
    install(prefix.path(), &[]);
    let scripts = files(&prefix.file("share/mysql-proxy/pyproxy"));
    assert!(!scripts.is_empty());
    assert!(WAITING.iter().all(|name| scripts.iter().any(|script| script.ends_with(name))));
    for script in scripts {
        let name = script.file_name().unwrap().to_str().unwrap();
        assert!(name.ends_with(".py") && !name.starts_with('_'), "{name}");
        let host = host_with(prefix.path(), &script);
        let mut client = host.client();
        assert_eq!(client.query("SELECT 40 + 2").unwrap().value(), "42", "{name}");
        client.quit();
        assert_eq!(host.criticals(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_examples_are_installed_and_the_ini_lines_name_one() {
    let prefix = ScratchDir::new("prefix");
    let printed = install(prefix.path(), &[]);
    let line = printed.lines().find_map(|line| line.strip_prefix("pyproxy-python-script = "));
    let script = PathBuf::from(line.expect("a line for the ini file"));
    assert!(files(&prefix.file("share/doc/pyproxy/examples")).contains(&script));
    let host = host_with(prefix.path(), &script);
    assert_in_step(&mut host.client());
    host.wait_for_stdout("SELECT 'in', 'step'\n");
    let plugins = format!("plugin-dir = {}", prefix.file("lib/mysql-proxy/plugins").display());
    assert!(printed.lines().any(|line| line == plugins), "{printed}");
}

#[test]
fn uninstalling_leaves_the_files_of_others() {
    let prefix = ScratchDir::new("prefix");
    // Installing twice is upgrading.
    install(prefix.path(), &[]);
    install(prefix.path(), &[]);
    let plugins = prefix.file("lib/mysql-proxy/plugins");
    let (other_plugin, own_script) =
        (plugins.join("libother.so"), prefix.file("share/mysql-proxy/pyproxy/own.py"));
    fs::write(&other_plugin, "").unwrap();
    fs::write(&own_script, "").unwrap();
    install(prefix.path(), &["--uninstall"]);
    assert_eq!(files(&plugins), [other_plugin]);
    assert_eq!(files(&prefix.file("share/mysql-proxy/pyproxy")), [own_script]);
    assert!(!prefix.file("share/doc/pyproxy").exists());
}

#[test]
fn the_default_prefix_is_that_of_the_host_on_the_path() {
    let prefix = ScratchDir::new("prefix");
    let programs = prefix.file("bin");
    fs::create_dir(&programs).unwrap();
    fs::write(programs.join("mysql-proxy"), "").unwrap();
    fs::set_permissions(programs.join("mysql-proxy"), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap());
    run(script().env("PATH", path));
    assert!(prefix.file("lib/mysql-proxy/plugins/libpyproxy.so").is_file());
}

/// What the script says when it refuses.
fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_prefix_without_a_mysql_proxy_is_refused() {
    let prefix = ScratchDir::new("prefix");
    let error = refused(script().arg("--prefix").arg(prefix.path()));
    assert!(
        error.contains("there is no mysql-proxy in ") && error.contains("--any-prefix"),
        "{error}"
    );
    assert!(files(prefix.path()).is_empty(), "nothing is installed");
    fs::create_dir(prefix.file("bin")).unwrap();
    std::os::unix::fs::symlink(artifacts::host_program(), prefix.file("bin/mysql-proxy")).unwrap();
    run(script().arg("--prefix").arg(prefix.path()));
    assert!(prefix.file("lib/mysql-proxy/plugins/libpyproxy.so").exists());
}

#[test]
fn a_file_that_is_no_pyproxy_library_is_refused() {
    let prefix = ScratchDir::new("prefix");
    let text = prefix.write("text.so", "plugin_init pyproxy-python-script");
    for file in [text.as_path(), artifacts::host_program(), Path::new("/bin/true")] {
        let mut command = script();
        command.env("PYPROXY_PLUGIN", file).arg("--any-prefix").arg("--prefix").arg(prefix.path());
        let error = refused(&mut command);
        assert!(error.contains(" is no pyproxy library"), "{}: {error}", file.display());
    }
    assert!(!prefix.file("lib").exists());
}
