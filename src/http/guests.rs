//! Who is connected to the endpoint: not more than `MOST`, and who came last is served.
//!
//! Somebody may open connections by the thousand, send a byte a second, or read nothing of what it is sent. If there is no room for one
//! more, the connection goes that has asked for nothing for the longest time. So who comes and asks gets an answer, and the memory
//! stays what `MOST` connections need.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

use super::routes::Site;

/// The most connections at a time.
const MOST: usize = 64;
/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// The most headers of a request.
const MAX_HEADERS: usize = 64;
/// How long a head may take, from the end of the last answer: longer than Prometheus pauses between scrapes.
const HEAD_TIME: Duration = Duration::from_secs(65);

/// The connections.
#[derive(Debug, Default)]
pub struct Guests(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    last: u64,
    guests: HashMap<u64, Guest>,
}

#[derive(Debug)]
struct Guest {
    task: AbortHandle,
    /// When it came, or asked for something last.
    asked_at: Instant,
}

/// Takes the connection off the list when its task has ended, in whatever way.
struct Leaving {
    guests: Arc<Guests>,
    number: u64,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.guests.lock().guests.remove(&self.number);
    }
}

impl Guests {
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one more connection, of `peer`, as the log names it.
    pub fn add<S>(self: &Arc<Self>, stream: S, peer: String, site: &Arc<Site>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut list = self.lock();
        if list.guests.len() >= MOST {
            list.let_quietest_go();
        }
        list.last += 1;
        let number = list.last;
        let leaving = Leaving { guests: Arc::clone(self), number };
        // It runs when this thread comes to it, which is behind the insertion.
        let task = tokio::spawn(serve(stream, peer, leaving, Arc::clone(site))).abort_handle();
        list.guests.insert(number, Guest { task, asked_at: Instant::now() });
    }

    fn asks(&self, number: u64) {
        if let Some(guest) = self.lock().guests.get_mut(&number) {
            guest.asked_at = Instant::now();
        }
    }
}

impl List {
    fn let_quietest_go(&mut self) {
        let quietest = self.guests.iter().min_by_key(|(_, guest)| guest.asked_at);
        let Some(number) = quietest.map(|(number, _)| *number) else { return };
        if let Some(guest) = self.guests.remove(&number) {
            guest.task.abort();
        }
    }
}

async fn serve<S>(stream: S, peer: String, leaving: Leaving, site: Arc<Site>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(|request| {
        leaving.guests.asks(leaving.number);
        site.answer(request, &peer)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(e) = served {
        log::debug!("HTTP endpoint: {e}");
    }
}
