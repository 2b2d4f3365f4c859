//! Clients that send their login byte by byte and never come to its end.

use std::collections::VecDeque;
use std::io;

use testkit::proto::packet::frame;
use testkit::{Host, MariaDb, RawClient};

/// So many at a time.
const CLIENTS: usize = 30;

/// All of them.
#[derive(Debug, Default)]
pub struct Slow {
    clients: VecDeque<Client>,
    /// How many were cut off.
    pub cut_off: usize,
}

#[derive(Debug)]
struct Client {
    connection: RawClient,
    login: Vec<u8>,
    sent: usize,
}

impl Client {
    fn new(host: &Host) -> io::Result<Self> {
        let mut connection = RawClient::connect(host.address())?;
        let handshake = connection.read_handshake()?;
        let login = frame(1, &MariaDb::user().payload(&handshake));
        Ok(Self { connection, login, sent: 0 })
    }

    /// Sends the next byte. Whether it may go on: the last byte is never sent.
    fn goes_on(&mut self) -> io::Result<bool> {
        let at = self.sent..self.sent + 1;
        self.sent = at.end;
        self.connection.send_bytes(&self.login[at])?;
        Ok(self.sent + 1 < self.login.len())
    }
}

impl Slow {
    /// One of them goes on, or leaves for a new one.
    ///
    /// # Errors
    /// Those of a new client.
    pub fn one_goes_on(&mut self, host: &Host) -> io::Result<()> {
        let next = if self.clients.len() < CLIENTS { None } else { self.clients.pop_front() };
        let mut client = match next {
            Some(client) => client,
            None => Client::new(host)?,
        };
        match client.goes_on() {
            Ok(true) => self.clients.push_back(client),
            Ok(false) => {}
            Err(_) => self.cut_off += 1,
        }
        Ok(())
    }
}
