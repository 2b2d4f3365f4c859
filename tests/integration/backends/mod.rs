//! Backends: which one a client gets, and servers that go down and come back.

mod checks;
mod choice;
mod real_servers;
