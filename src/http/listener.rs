//! Accepts who comes, until the endpoint is stopped.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::guests::Guests;
use super::history;
use super::routes::Site;
use crate::chassis::fork;
use crate::drive::lane::Listener;

/// How long the listener is left alone when there are no descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` says that it is enough. Connections that are open then are closed.
pub async fn serve(listener: &Listener, site: Site, stop: &Notify) -> io::Result<()> {
    let socket = listener.duplicate()?;
    fork::remember(socket.as_raw_fd());
    let door = if listener.ip().is_some() {
        Door::Ip(TcpListener::from_std(socket.into())?)
    } else {
        Door::Path(UnixListener::from_std(socket.into())?)
    };
    let site = Arc::new(site);
    let tasks =
        [tokio::spawn(accept_all(door, Arc::clone(&site))), tokio::spawn(note_history(site))];
    stop.notified().await;
    tasks.iter().for_each(JoinHandle::abort);
    Ok(())
}

#[derive(Debug)]
enum Door {
    Ip(TcpListener),
    Path(UnixListener),
}

async fn note_history(site: Arc<Site>) {
    loop {
        site.note();
        tokio::time::sleep(history::EVERY).await;
    }
}

async fn accept_all(door: Door, site: Arc<Site>) {
    let guests = Arc::new(Guests::default());
    loop {
        if let Err(e) = accept(&door, &guests, &site).await {
            log::error!("a client of the HTTP endpoint cannot be accepted: {e}");
            tokio::time::sleep(PAUSE).await;
        }
        // Those that are here have their turn.
        tokio::task::yield_now().await;
    }
}

/// Who came over a unix socket: which process, and whose.
fn of_socket(client: &UnixStream) -> String {
    match client.peer_cred() {
        Ok(peer) => format!("process {} of user {}", peer.pid().unwrap_or_default(), peer.uid()),
        Err(_) => "somebody".to_owned(),
    }
}

async fn accept(door: &Door, guests: &Arc<Guests>, site: &Arc<Site>) -> io::Result<()> {
    match door {
        Door::Ip(listener) => {
            let (client, peer) = listener.accept().await?;
            fork::remember(client.as_raw_fd());
            client.set_nodelay(true)?;
            guests.add(client, peer.to_string(), site);
        }
        Door::Path(listener) => {
            let (client, _) = listener.accept().await?;
            fork::remember(client.as_raw_fd());
            let peer = of_socket(&client);
            guests.add(client, peer, site);
        }
    }
    Ok(())
}
