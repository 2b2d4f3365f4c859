//! A socket of the host as the way to a server.

use std::any::Any;

use engine::{Address, Link};

use super::OwnedSocket;
use crate::boundary::HostCall;

/// What the rules see of a server's socket. Outside of callbacks it counts as not quiet (INV-1).
impl Link for OwnedSocket {
    fn is_quiet(&self) -> bool {
        let looked = HostCall::with_current(|call| {
            let socket = self.view(call);
            !socket.has_received() && socket.send_queue_is_empty() && !socket.is_readable()
        });
        looked.unwrap_or(false)
    }

    fn has_hung_up(&self) -> bool {
        HostCall::with_current(|call| self.view(call).has_hung_up()).unwrap_or(false)
    }

    fn noisy(&self, links: &[&dyn Link]) -> Vec<bool> {
        let looked = HostCall::with_current(|call| {
            let sockets = links.iter().map(|link| {
                let link: &dyn Any = *link;
                Some(link.downcast_ref::<Self>()?.view(call))
            });
            let sockets: Vec<_> = sockets.collect();
            let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            let mut entries: Vec<_> = sockets
                .iter()
                .map(|socket| entry(socket.as_ref().map_or(-1, |socket| socket.fd())))
                .collect();
            let count = libc::nfds_t::try_from(entries.len()).unwrap_or_default();
            // SAFETY: the pointer is to as many valid entries as the count says; the call does not wait.
            unsafe { libc::poll(entries.as_mut_ptr(), count, 0) };
            let is_noisy = |(socket, entry): (&Option<super::Socket<'_>>, &libc::pollfd)| {
                let unread = socket.as_ref().is_none_or(|socket| socket.has_received());
                unread || entry.revents != 0
            };
            sockets.iter().zip(&entries).map(is_noisy).collect()
        });
        looked.unwrap_or_else(|| vec![true; links.len()])
    }

    fn addresses(&self) -> (Address, Address) {
        HostCall::with_current(|call| self.view(call).addresses()).unwrap_or_default()
    }
}
