//! What cargo cannot know of the plugin library: its link settings (which libpython, how it is found at run time, that
//! it is never unloaded), and the Python library that it carries.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The package that is carried.
const PACKAGE: &str = "python/pyproxy";
/// What is for use outside a proxy.
const OUTSIDE: [&str; 2] = ["python/pyproxy/testing", "python/pyproxy/chassis.py"];

fn main() {
    if let Err(e) = collect_library() {
        println!("cargo::error=the Python library in {PACKAGE} cannot be read: {e}");
    }
    link();
}

/// Writes `library_sources.rs`: a table of module name, file name below `python`, and text.
fn collect_library() -> io::Result<()> {
    println!("cargo::rerun-if-changed={PACKAGE}");
    let mut files = Vec::new();
    find_modules(Path::new(PACKAGE), &mut files)?;
    files.sort();
    let root = env::current_dir()?;
    let mut table = String::from("const SOURCES: &[(&str, &str, &str)] = &[\n");
    for path in files {
        let file = path.strip_prefix("python").unwrap_or(&path).display().to_string();
        let module = file.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".");
        let text = root.join(&path);
        table += &format!("    ({module:?}, {file:?}, include_str!({text:?})),\n");
    }
    table += "];\n";
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("library_sources.rs"), table)
}

fn find_modules(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if OUTSIDE.iter().any(|outside| path == Path::new(outside)) {
            continue;
        }
        if path.is_dir() {
            find_modules(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
    Ok(())
}

fn link() {
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
