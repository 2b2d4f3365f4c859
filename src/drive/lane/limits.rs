//! How many clients there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{ER_CON_COUNT_ERROR, Reply, Source};
use socket2::SockRef;
use transport::proxy_protocol::{Parsed, parse};
use wire::packet::frame;

use super::input::Input;
use super::listener::Accepted;
use crate::drive::Context;

/// The longest packet that is taken for part of a login, in bytes: 64 KiB, and as much again for connection attributes, of
/// which MySQL takes no more.
const MAX_LOGIN: usize = 128 << 10;

/// The limits, and the clients that are there.
#[derive(Debug, Default)]
pub struct Limits {
    in_all: usize,
    per_address: usize,
    count: AtomicUsize,
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

/// A client's place among those that there may be.
#[derive(Debug)]
pub struct Place {
    limits: Arc<Limits>,
    address: Option<IpAddr>,
}

impl Limits {
    /// So many clients at most, in all and from one address; 0: any number.
    pub fn new(in_all: usize, per_address: usize) -> Self {
        Self { in_all, per_address, ..Self::default() }
    }

    /// How many clients there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// A place for one more client; `None` if there is none.
    fn admit(self: &Arc<Self>) -> Option<Place> {
        let place = Place { limits: Arc::clone(self), address: None };
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        (self.in_all == 0 || count <= self.in_all).then_some(place)
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The client is from this address. Whether it may have one more.
    pub fn is_from(&mut self, address: IpAddr) -> bool {
        if self.limits.per_address == 0 {
            return true;
        }
        let mut addresses = self.limits.addresses();
        let count = addresses.entry(address).or_default();
        let is_free = *count < self.limits.per_address;
        if is_free {
            *count += 1;
            self.address = Some(address);
        }
        is_free
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.limits.count.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut addresses = self.limits.addresses();
        if let Some(count) = addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }
}

/// A client that may be served.
#[derive(Debug)]
pub struct Admitted {
    /// The client.
    pub accepted: Accepted,
    /// Its place.
    pub place: Place,
    /// A PROXY header comes before anything else.
    pub has_header: bool,
}

/// Lets `accepted` in, or tells it that there are too many.
pub fn admit(accepted: Accepted, ctx: &Context) -> Option<Admitted> {
    let ip = accepted.ip;
    let has_header = ip.is_some_and(|ip| ctx.proxies.contains(ip));
    let place = ctx.limits.admit();
    let of_address = place.is_some();
    let place = place.and_then(|mut place| {
        let address = ip.filter(|_| !has_header);
        address.is_none_or(|ip| place.is_from(ip)).then_some(place)
    });
    match place {
        Some(place) => Some(Admitted { accepted, place, has_header }),
        None => {
            note_refusal(&accepted.src.name, of_address, ctx);
            // It has read nothing yet, so this fits into its buffer; if it does not, it has left.
            _ = SockRef::from(&accepted.fd).send_with_flags(&too_many(ctx), libc::MSG_NOSIGNAL);
            None
        }
    }
}

/// Counts a client that is refused; `of_address`: because there are too many of its address.
pub fn note_refusal(client: &str, of_address: bool, ctx: &Context) {
    ctx.shared.stats.refused_connections.increment();
    if of_address {
        ctx.shared.stats.refused_addresses.increment();
    }
    log::info!("a client from {client} is refused: too many connections");
}

/// What a client gets for which there is no place.
pub fn too_many(ctx: &Context) -> Vec<u8> {
    let reply = Reply::error_before_handshake(ER_CON_COUNT_ERROR, "Too many connections");
    let mut bytes = Vec::new();
    for payload in reply.packets() {
        ctx.shared.stats.errors.count(Source::Proxy, payload);
        frame(payload, 0, &mut bytes);
    }
    bytes
}

/// Why the incomplete packet that comes next cannot be one of a login.
pub fn no_login(input: &Input) -> Option<&'static str> {
    if input.announced()? <= MAX_LOGIN {
        return None;
    }
    let is_header = !matches!(parse(input.rest()), Parsed::Invalid(_));
    Some(if is_header { "no PROXY header is accepted from this address" } else { "too long" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back() {
        let limits = Arc::new(Limits::new(2, 0));
        let first = limits.admit().expect("a place");
        let _second = limits.admit().expect("a place");
        assert!(limits.admit().is_none());
        drop(first);
        assert!(limits.admit().is_some());
        assert_eq!(limits.count.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn each_address_has_its_own() {
        let limits = Arc::new(Limits::new(0, 1));
        let [one, other] =
            ["192.0.2.1", "2001:db8::1"].map(|ip| ip.parse::<IpAddr>().expect("an address"));
        let mut first = limits.admit().expect("a place");
        assert!(first.is_from(one));
        let mut second = limits.admit().expect("a place");
        assert!(!second.is_from(one));
        assert!(second.is_from(other));
        drop((first, second));
        assert!(limits.addresses().is_empty());
        assert_eq!(limits.count.load(Ordering::Relaxed), 0);
    }
}
