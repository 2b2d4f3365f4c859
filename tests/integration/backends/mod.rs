//! Backends: which one a client gets, and servers that go down and come back.

mod choice;
mod real_servers;
