//! The sockets that are listened on: taken when the process starts, opened when all else is in place, and closed at the end.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chassis_sys as sys;

use super::listener;
use super::options::{EventLoop, Options};
use super::start_error::StartError;
use crate::boundary::guard;
use crate::chassis::{host, signals};
use crate::drive::Context;
use crate::drive::lane::{Door, Lane, Listener};
use crate::http::{self, Endpoint};
use crate::takeover::{self, Doorbell, Leaving, Predecessor};

/// Sockets from which nobody is accepted yet.
#[derive(Debug)]
pub struct Sockets {
    /// For clients; `None`: the host makes one.
    clients: Option<Listener>,
    endpoint: Option<Endpoint>,
    doorbell: Option<Doorbell>,
    predecessor: Option<Predecessor>,
    addresses: Addresses,
}

/// Where they are, as the options say.
#[derive(Debug, Clone, Default)]
struct Addresses {
    clients: String,
    http: String,
    takeover: String,
}

impl Addresses {
    fn cannot_listen(&self, source: io::Error) -> StartError {
        StartError::Listen { address: self.clients.clone(), source }
    }

    fn no_http(&self, source: io::Error) -> StartError {
        StartError::Http { address: self.http.clone(), source }
    }

    fn no_takeover(&self, source: io::Error) -> StartError {
        StartError::Takeover { path: self.takeover.clone(), source }
    }
}

impl Sockets {
    /// Takes them: from the process before, if there is one, else from the kernel.
    pub fn take(options: &Options) -> Result<Self, StartError> {
        let addresses = Addresses {
            clients: options.address.clone(),
            http: options.http_address.clone().unwrap_or_default(),
            takeover: options.takeover.clone().unwrap_or_default(),
        };
        let asked = options.takeover.as_deref().map(Predecessor::ask).transpose();
        let asked = asked.map_err(|e| addresses.no_takeover(e))?.flatten();
        let (predecessor, mut inherited) = asked.unzip();
        let inherited = inherited.get_or_insert_default();
        let clients = match options.event_loop {
            EventLoop::Own => Listener::inherit_or_bind(&options.address, inherited).map(Some),
            EventLoop::Chassis => listener::check(&options.address).map(|()| None),
        };
        let clients = clients.map_err(|e| addresses.cannot_listen(e))?;
        let endpoint = options.http_address.as_deref().map(|address| {
            let listener = Listener::inherit_or_bind(address, inherited)?;
            Endpoint::new(listener, options.http_token.clone())
        });
        let endpoint = endpoint.transpose().map_err(|e| addresses.no_http(e))?;
        let doorbell = options.takeover.as_deref();
        let doorbell = doorbell.map(|path| Doorbell::inherit_or_bind(path, inherited)).transpose();
        let doorbell = doorbell.map_err(|e| addresses.no_takeover(e))?;
        for address in inherited.rest() {
            log::warn!("the process before listens on {address}, and this one will not");
        }
        Ok(Self { clients, endpoint, doorbell, predecessor, addresses })
    }

    /// Serves who comes: at once, or as soon as the process before can be told.
    ///
    /// # Safety
    /// `chas` is the host object, `config` what `init` returned; called from `apply_config`.
    pub unsafe fn open(
        self,
        chas: *mut sys::chassis,
        config: *mut sys::chassis_plugin_config,
        options: &Options,
        context: &'static Context,
    ) -> Result<(), StartError> {
        let Self { clients, endpoint, doorbell, predecessor, addresses } = self;
        let Some(clients) = clients else {
            return serve(endpoint, context, &addresses, || {
                // SAFETY: the caller's promise.
                unsafe { listener::listen(chas, config, &options.address) }
            });
        };
        // SAFETY: as above.
        let threads = unsafe { host::event_threads(chas) };
        let lane = Lane::start(context, threads, options.drain_timeout);
        let lane = lane.map_err(|e| addresses.cannot_listen(e))?;
        let door = lane.door();
        *running_lane() = Some(lane);
        let Some(doorbell) = doorbell else {
            return serve(endpoint, context, &addresses, || door.open(clients));
        };
        let mut shares = vec![clients.share().map_err(|e| addresses.no_takeover(e))?];
        let of_endpoint = endpoint.as_ref().map(Endpoint::share).transpose();
        shares.extend(of_endpoint.map_err(|e| addresses.no_takeover(e))?);
        let leaving = Leaving {
            shares,
            close: close_for_another(door.clone()),
            stay: options.takeover_timeout,
        };
        let names = addresses.clone();
        let open = move || serve(endpoint, context, &names, || door.open(clients));
        let predecessor = match predecessor {
            Some(predecessor) => {
                let open = move || open().map_err(io::Error::other);
                Some((predecessor, Box::new(open) as takeover::Open))
            }
            None => {
                open()?;
                None
            }
        };
        let running = takeover::start(context, doorbell, predecessor, leaving);
        *running_takeover() = Some(running.map_err(|e| addresses.no_takeover(e))?);
        Ok(())
    }
}

/// Starts the endpoint, if there is one, and accepts clients with `open`.
fn serve(
    endpoint: Option<Endpoint>,
    context: &'static Context,
    addresses: &Addresses,
    open: impl FnOnce() -> io::Result<()>,
) -> Result<(), StartError> {
    let http = endpoint.map(|endpoint| endpoint.start(context)).transpose();
    let http = http.map_err(|e| addresses.no_http(e))?;
    let opened = open().map_err(|e| addresses.cannot_listen(e));
    if opened.is_ok() {
        log::info!("listening on {}", addresses.clients);
        if let Some(http) = &http {
            http.clients_may_come();
            log::info!("HTTP endpoint on {}", addresses.http);
        }
    }
    *running_http() = http;
    opened
}

/// Another process accepts who comes from now on.
fn close_for_another(door: Door) -> Box<dyn FnOnce() + Send> {
    Box::new(move || {
        door.close();
        let http = running_http().take();
        http.into_iter().for_each(http::Running::stop);
    })
}

/// Closes everything, and waits for the threads. In `destroy`.
pub fn close() {
    // The place does not change hands any more.
    let takeover = running_takeover().take();
    guard(|| takeover.into_iter().for_each(takeover::Running::stop), || ());
    let lane = running_lane().take();
    if lane.is_some() {
        signals::end_at_the_next();
    }
    guard(|| lane.into_iter().for_each(Lane::stop), || ());
    // It tells until then that clients should go elsewhere.
    let http = running_http().take();
    guard(|| http.into_iter().for_each(http::Running::stop), || ());
}

/// The threads that serve clients, while there are any.
fn running_lane() -> MutexGuard<'static, Option<Lane>> {
    static LANE: Mutex<Option<Lane>> = Mutex::new(None);
    lock(&LANE)
}

/// The thread of the HTTP endpoint, while there is one.
fn running_http() -> MutexGuard<'static, Option<http::Running>> {
    static HTTP: Mutex<Option<http::Running>> = Mutex::new(None);
    lock(&HTTP)
}

/// The thread that hands over, while there is one.
fn running_takeover() -> MutexGuard<'static, Option<takeover::Running>> {
    static TAKEOVER: Mutex<Option<takeover::Running>> = Mutex::new(None);
    lock(&TAKEOVER)
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
