//! Link settings of the plugin library: which libpython, how it is found at run time, and that it is never unloaded.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PYO3_PYTHON");
    let python = pyo3_build_config::get();
    if !python.shared() {
        println!(
            "cargo::error=the Python {} at {} has no shared library (libpython), which embedding needs; \
             choose another one with PYO3_PYTHON, or install or build that Python with --enable-shared",
            python.version(),
            python.executable().unwrap_or("(unknown path)"),
        );
        return;
    }
    // The interpreter whose standard library belongs to the libpython we link, whatever `python3` is first on PATH.
    if let Some(executable) = python.executable() {
        println!("cargo::rustc-env=PYPROXY_BUILD_PYTHON={executable}");
    } else {
        println!("cargo::rustc-env=PYPROXY_BUILD_PYTHON=");
    }
    // A libpython outside the loader's path (pyenv, /opt) is found again through the library's own rpath.
    if let Some(lib_dir) = python.lib_dir().filter(|dir| !is_loader_path(dir)) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{lib_dir}");
    }
    // Thread-local destructors and pinned Python thread states point into the library until the process ends.
    println!("cargo::rustc-link-arg-cdylib=-Wl,-z,nodelete");
}

/// Whether the dynamic loader looks in `dir` by itself.
fn is_loader_path(dir: &str) -> bool {
    let dir = dir.trim_end_matches('/');
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64"].contains(&dir)
        || dir.starts_with("/usr/lib/") && dir.ends_with("-linux-gnu")
}
