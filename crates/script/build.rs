//! Tests of this crate run an interpreter: a libpython outside of the loader's path (pyenv, /opt) is found again.

fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
}
