//! Link settings of the plugin library.
fn main() {}
