//! Tries a backend of which nothing is known, as a client's connect would: it is UP or DOWN then. One that is UP is not tried, as
//! servers count connections without a login, and shut out who makes many in a row (`max_connect_errors`).

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use engine::Address;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Mutex, MutexGuard};

use crate::drive::Context;

/// Who may try now: one at a time, so that many who ask make one connect.
#[derive(Debug, Default)]
pub struct Probe(Mutex<()>);

impl Probe {
    /// Waits until nobody else tries.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.lock().await
    }

    /// Connects to backend `ndx`, reads the beginning of its greeting, and notes its state.
    pub async fn try_backend(&self, ctx: &Context, ndx: usize) {
        let Some(backend) = ctx.backends.get(ndx) else { return };
        let address = backend.address();
        let limit = ctx.time_limits.connect.value();
        let stats = ctx.shared.stats.backends.get(ndx);
        let began = Instant::now();
        let greeted = tokio::time::timeout(limit, greeting(&address)).await;
        match greeted.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
            Ok(()) => {
                stats.iter().for_each(|stats| stats.connects.observe(began.elapsed()));
                if backend.found(true) {
                    log::info!("backend {} is reachable, marked UP", address.name);
                }
            }
            Err(e) => {
                stats.iter().for_each(|stats| _ = stats.failures.increment());
                if backend.found(false) {
                    log::warn!("backend {} is not reachable ({e}), marked DOWN", address.name);
                }
            }
        }
    }
}

async fn greeting(address: &Address) -> io::Result<()> {
    let unusable = || io::Error::other("its address cannot be used");
    let text = address.address.as_deref().ok_or_else(unusable)?;
    match address.port {
        Some(port) => {
            let ip: IpAddr = text.parse().map_err(|_| unusable())?;
            listen_to(TcpStream::connect(SocketAddr::new(ip, port)).await?).await
        }
        None => listen_to(UnixStream::connect(text).await?).await,
    }
}

async fn listen_to(mut server: impl AsyncRead + Unpin) -> io::Result<()> {
    match server.read(&mut [0; 128]).await? {
        0 => Err(io::Error::other("it closed the connection without a greeting")),
        _ => Ok(()),
    }
}
