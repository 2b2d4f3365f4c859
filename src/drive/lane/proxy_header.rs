//! PROXY headers: whose connection it is that a load balancer opens, and whose it is that we open.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use engine::Awaits;
use transport::proxy_protocol::{self as protocol, Ends, Origin, Parsed};

use super::address;
use super::connection::{Connection, Fate};
use super::limits::{note_refusal, too_many};
use super::peer::Read;
use super::tools::Tools;

/// How long a load balancer's own connection is left alone before a server is looked for: a health check hangs up at once.
const CHECK: Duration = Duration::from_millis(100);

/// Where a client stands that has to say who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introduction {
    /// Its header is awaited.
    Header,
    /// It is the load balancer itself. Until then it may hang up, or say what it wants.
    Check(Instant),
    /// It is refused: what it is told is written, then it is over.
    Refused,
    /// It is known, as every client of another address is from the start.
    Done,
}

impl Introduction {
    /// Until when it lasts at most, if it does not last until the end of the login.
    pub fn until(self) -> Option<Instant> {
        match self {
            Self::Check(until) => Some(until),
            _ => None,
        }
    }
}

impl Connection {
    /// Goes on with the introduction. `None`: it is done.
    pub fn introduce(&mut self, tools: &mut Tools) -> Option<Fate> {
        loop {
            match self.introduction {
                Introduction::Done => return None,
                Introduction::Refused if self.awaits == Awaits::Abort => return Some(Fate::Over),
                Introduction::Refused => return Some(self.finish(tools)),
                Introduction::Check(_) if !self.io.client.input.is_empty() => {
                    self.introduction = Introduction::Done;
                    return None;
                }
                Introduction::Check(_) => {}
                Introduction::Header => match protocol::parse(self.io.client.input.rest()) {
                    Parsed::NeedMore => {}
                    Parsed::Invalid(why) => {
                        log::warn!("a client from {} is refused: {why}", self.peer_name());
                        return Some(Fate::Over);
                    }
                    Parsed::Header(header) => {
                        self.io.client.input.skip(header.length);
                        self.io.client.input.release(&mut tools.buffers);
                        self.introduced(header.origin, tools);
                        continue;
                    }
                },
            }
            match self.io.client.read(&mut tools.buffers) {
                Read::Some => {}
                Read::Nothing => return Some(Fate::Waits),
                Read::End => return Some(Fate::Over),
            }
        }
    }

    /// Its header was read.
    fn introduced(&mut self, origin: Origin, tools: &mut Tools) {
        let address = match origin {
            Origin::Client(ends) if !self.is_of_peer(&ends) => {
                self.introduction = Introduction::Done;
                self.is_of(ends)
            }
            Origin::Local | Origin::Client(_) => {
                self.introduction = Introduction::Check(Instant::now() + CHECK);
                self.io.ip
            }
            Origin::Unknown => {
                self.introduction = Introduction::Done;
                self.io.ip
            }
        };
        if address.is_some_and(|address| !self.place.is_from(address)) {
            note_refusal(&self.peer_name(), true, tools.ctx);
            self.io.client.queue(|queue| queue.extend(too_many(tools.ctx)));
            self.introduction = Introduction::Refused;
        }
    }

    /// Whether the header names the peer itself: the load balancer's own connection, where version 1 knows no LOCAL.
    fn is_of_peer(&self, ends: &Ends) -> bool {
        matches!(ends.source, protocol::Address::Inet(_))
            && address::of_end(&ends.source).name == self.peer_name()
    }

    /// The client is the one that the header names. Its IP address, if it has one.
    fn is_of(&mut self, ends: Ends) -> Option<IpAddr> {
        if let Some(mut session) = self.engine.session().lock() {
            session.client.src = address::of_end(&ends.source);
            session.client.dst = address::of_end(&ends.destination);
        }
        let address = match &ends.source {
            protocol::Address::Inet(source) => Some(source.ip().to_canonical()),
            protocol::Address::Unix(_) => None,
        };
        self.io.ends = Some(ends);
        address
    }

    /// Time is up for the introduction, or a part of it. Whether that is all there is to do.
    pub fn introduction_timed_out(&mut self, now: Instant) -> bool {
        match self.introduction {
            Introduction::Header => {
                log::warn!(
                    "a client from {} is refused: no PROXY header came in time",
                    self.peer_name()
                );
                self.introduction = Introduction::Refused;
            }
            Introduction::Check(until) if until <= now => self.introduction = Introduction::Done,
            Introduction::Check(_) | Introduction::Done => return false,
            Introduction::Refused => self.awaits = Awaits::Abort,
        }
        true
    }

    fn peer_name(&self) -> String {
        let session = self.engine.session().lock();
        session.map(|session| session.client.src.name.clone()).unwrap_or_default()
    }
}

/// A list of networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    /// How many of its bits count.
    bits: u8,
}

impl Networks {
    /// Takes `address` or `address/bits`.
    pub fn add(&mut self, text: &str) -> Result<(), &'static str> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr =
            address.parse().map_err(|_| "expected an IP address, or one with /bits")?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse);
        let bits = bits.ok().filter(|bits| *bits <= most).ok_or("the number of bits is wrong")?;
        self.0.push(Network { address, bits });
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// As [`Networks::add`] takes them.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(|network| format!("{}/{}", network.address, network.bits)).collect()
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        let differ = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                u128::from(own.to_bits() ^ other.to_bits()) << 96
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => own.to_bits() ^ other.to_bits(),
            _ => return false,
        };
        differ.leading_zeros() >= u32::from(self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Networks {
        let mut networks = Networks::default();
        texts.iter().for_each(|text| networks.add(text).expect("a network"));
        networks
    }

    #[test]
    fn an_address_is_in_its_network() {
        let networks = networks(&["192.0.2.0/25", "10.0.0.7", "2001:db8::/33"]);
        for (address, is_in) in [
            ("192.0.2.0", true),
            ("192.0.2.127", true),
            ("192.0.2.128", false),
            ("10.0.0.7", true),
            ("10.0.0.6", false),
            ("2001:db8:7fff::1", true),
            ("2001:db8:8000::1", false),
            ("::1", false),
        ] {
            assert_eq!(networks.contains(address.parse().expect("an address")), is_in, "{address}");
        }
        assert_eq!(networks.texts(), ["192.0.2.0/25", "10.0.0.7/32", "2001:db8::/33"]);
    }

    #[test]
    fn all_of_a_family() {
        let networks = networks(&["0.0.0.0/0"]);
        assert!(networks.contains("203.0.113.9".parse().expect("an address")));
        assert!(!networks.contains("::1".parse().expect("an address")));
    }

    #[test]
    fn what_is_no_network() {
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0.0/", "10.0/8"]
        {
            assert!(Networks::default().add(text).is_err(), "{text}");
        }
    }
}
