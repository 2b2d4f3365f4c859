//! TLS handshakes of connections.

use std::sync::Arc;

use engine::{Event, Side, TlsInfo};

use super::connection::Connection;
use super::io::Io;
use super::peer::Peer;
use super::tools::Tools;

impl Connection {
    /// A TLS handshake is under way. Whether it came to an end.
    pub(super) fn securing(&mut self, side: Side, tools: &mut Tools) -> bool {
        if side == Side::Server && self.client_left(tools) {
            return self.tell(Event::Ended(Side::Client), tools);
        }
        let (tls, trust) = (&tools.ctx.tls, &tools.ctx.shared.trust);
        let Io { client, server, .. } = &mut self.io;
        let done = match (side, server) {
            (Side::Client, _) => client.secure(&tools.registry, |stream| tls.start_server(stream)),
            (Side::Server, Some(server)) => {
                let end = Arc::clone(server.end());
                let (address, host) = end.names();
                server.secure(&tools.registry, |stream| {
                    tls.start_client(stream, address, host, trust)
                })
            }
            (Side::Server, None) => Err(std::io::ErrorKind::NotConnected.into()),
        };
        let secured = |peer: &Peer| peer.with_channel(|channel| channel.stream.tls().cloned());
        match done {
            Ok(false) => false,
            Ok(true) => {
                let Some(tls) = self.io.peer(side).and_then(|peer| secured(peer)) else {
                    return false;
                };
                if tls.is_resumed {
                    log::debug!("{side:?}: an earlier TLS session goes on");
                }
                let (version, cipher) = (tls.version.to_owned(), tls.cipher.to_owned());
                let tls = TlsInfo { version, cipher, peer_subject: tls.peer_subject };
                self.io.peer(side).iter_mut().for_each(|peer| peer.is_readable_again());
                self.tell(Event::Secured { side, tls }, tools)
            }
            Err(e) => self.tell(Event::TlsFailed { side, why: e.to_string() }, tools),
        }
    }
}
