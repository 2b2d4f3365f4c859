//! The way to a server: a connect that does not wait.

use std::io;
use std::sync::Arc;

use engine::{Address, Event, Side};
use socket2::{Socket, Type};
use transport::proxy_protocol::encode;

use super::address::{describe, resolve};
use super::connection::Connection;
use super::end::{Channel, Connect, End};
use super::listener::prepare;
use super::tools::Tools;
use crate::chassis::fork;
use crate::drive::Context;

/// Starts a connect to the server with this address, which does not wait for it.
pub fn dial(server: &Address) -> io::Result<Socket> {
    let name = resolve(server).ok_or_else(unusable)?;
    let socket = Socket::new(name.domain(), Type::STREAM, None)?;
    prepare(&socket, !name.is_unix())?;
    match socket.connect(&name) {
        Err(e) if e.raw_os_error() != Some(libc::EINPROGRESS) => Err(e),
        _ => Ok(socket),
    }
}

fn unusable() -> io::Error {
    io::Error::other("its address cannot be used")
}

/// Starts a connect to backend `ndx`.
pub fn start(ctx: &Context, ndx: usize) -> io::Result<Arc<End>> {
    let backends = &ctx.backends;
    let backend = backends.get(ndx).ok_or_else(unusable)?;
    let dst = backend.address();
    let socket = dial(&dst)?;
    let src = socket.local_addr().as_ref().map(describe).unwrap_or_default();
    let end = End::new(socket.into(), true, (src, dst), backends.host(ndx));
    fork::remember(end.fd());
    Ok(end)
}

impl Connection {
    /// It stands in line for a place at a full backend. Whether its client left.
    pub(super) fn placing(&mut self, tools: &mut Tools) -> bool {
        self.client_left(tools) && self.tell(Event::Ended(Side::Client), tools)
    }

    /// A connect is under way. Whether it came to an end.
    pub(super) fn connecting(&mut self, tools: &mut Tools) -> bool {
        if self.client_left(tools) {
            return self.tell(Event::Ended(Side::Client), tools);
        }
        let Some(server) = &mut self.io.server else {
            return self.tell(Event::ConnectFailed, tools);
        };
        match server.with_channel(Channel::connect) {
            Connect::InProgress => false,
            Connect::Done => {
                server.connected(&tools.registry);
                if let (Some(version), Some(ends)) = (tools.ctx.names_clients, &self.io.ends) {
                    server.queue(|queue| queue.extend(encode(version, ends)));
                }
                self.tell(Event::Connected, tools)
            }
            Connect::Failed(error) => {
                self.io.connect_error = Some(error);
                self.tell(Event::ConnectFailed, tools)
            }
        }
    }
}
