//! The way to a server, as far as the rules look at it.

use std::any::Any;
use std::fmt;

use crate::Address;

/// An open connection to a server. A driver makes it and knows what is behind it; dropping it closes the connection.
pub trait Link: Any + Send + fmt::Debug {
    /// Whether nothing waits to be read or written: an idle server that said something, or hung up, is not quiet.
    fn is_quiet(&self) -> bool;

    /// Whether the server hung up, and not only said something. Asked where nothing of what it says is expected any more.
    fn has_hung_up(&self) -> bool {
        !self.is_quiet()
    }

    /// Which of these links are not [quiet](Self::is_quiet), looked at all at once.
    fn noisy(&self, links: &[&dyn Link]) -> Vec<bool> {
        links.iter().map(|link| !link.is_quiet()).collect()
    }

    /// Both ends: ours and the server's.
    fn addresses(&self) -> (Address, Address);
}
