//! Sockets of a process whose place this one takes.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use socket2::{Socket, Type};

use super::address::describe;
use super::listener::candidates;
use crate::chassis::fork;

/// Sockets that listen. Which one is for what is told by its address.
#[derive(Debug, Default)]
pub struct Inherited(Vec<Socket>);

impl Inherited {
    /// These; what does not listen is none of them.
    pub fn new(sockets: Vec<OwnedFd>) -> Self {
        let sockets = sockets.into_iter().map(Socket::from);
        let sockets: Vec<_> =
            sockets.filter(|socket| socket.is_listener().unwrap_or_default()).collect();
        sockets.iter().for_each(|socket| fork::remember(socket.as_raw_fd()));
        Self(sockets)
    }

    /// The one at this address, if it is there. Blocks for a name look-up.
    pub(super) fn take(&mut self, address: &str, kind: Type) -> Option<Socket> {
        let is_it = |socket: &Socket| {
            socket.r#type().is_ok_and(|its| its == kind) && is_at(socket, address)
        };
        let ndx = self.0.iter().position(is_it)?;
        Some(self.0.swap_remove(ndx))
    }

    /// The addresses of those that nobody wanted.
    pub fn rest(&self) -> Vec<String> {
        let addresses = self.0.iter().filter_map(|socket| socket.local_addr().ok());
        addresses.map(|address| describe(&address).name).collect()
    }
}

fn is_at(socket: &Socket, address: &str) -> bool {
    let Ok(own) = socket.local_addr() else { return false };
    if address.starts_with('/') {
        return own.as_pathname() == Some(Path::new(address));
    }
    candidates(address).is_ok_and(|mut all| all.any(|candidate| own.as_socket() == Some(candidate)))
}
