//! `network_mysqld_con` made safe: the thread that holds a [`Con`] is the only one that drives the connection (INV-1).

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chassis_sys::{
    chassis, network_mysqld_con, network_mysqld_con_parse, network_mysqld_hooks, network_socket,
};
use libc::timeval;

use super::machine::network_mysqld_con_handle;
use super::state::State;
use super::{check, hook};
use crate::exports::export;
use crate::libevent::{self, EV_READ, EV_WRITE};
use crate::socket::{Sock, network_socket_free};
use crate::{event_threads, glib};

/// Seconds a connect may take unless the plugin changes it.
const CONNECT_TIMEOUT: i64 = 2;
/// Seconds a peer may be silent, or not read, unless the plugin changes it.
const IO_TIMEOUT: i64 = 8 * 60 * 60;
/// `parse.command` while no command is tracked.
pub const NO_COMMAND: c_int = -1;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The accepted client.
    Client,
    /// The connected database server.
    Server,
}

/// What a connection waits for, and under which of its timeouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// A connect to finish.
    Connected,
    /// Data.
    Readable,
    /// Room to send.
    Writable,
}

/// The list of connections is changed by several threads.
static LIST: Mutex<()> = Mutex::new(());

fn lock_list() -> MutexGuard<'static, ()> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to drive one connection.
pub struct Con {
    raw: NonNull<network_mysqld_con>,
    /// Not to be sent by accident: a connection changes threads only through the event queue.
    here: PhantomData<*mut ()>,
}

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])* pub fn $name(&self) -> bool {
            self.raw().$name != glib_sys::GFALSE
        })*
    };
}

impl Con {
    /// # Safety
    /// `raw` is a live connection of this host that no other thread drives (INV-1).
    pub unsafe fn from_raw(raw: *mut network_mysqld_con) -> Self {
        Self { raw: NonNull::new(raw).expect("a live connection"), here: PhantomData }
    }

    /// The pointer for hooks.
    pub fn as_ptr(&self) -> *mut network_mysqld_con {
        self.raw.as_ptr()
    }

    fn raw(&self) -> &network_mysqld_con {
        // SAFETY: INV-1.
        unsafe { self.raw.as_ref() }
    }

    /// The members, for tracking.
    pub fn raw_mut(&mut self) -> &mut network_mysqld_con {
        // SAFETY: INV-1.
        unsafe { self.raw.as_mut() }
    }

    /// The host object.
    pub fn host(&self) -> *mut chassis {
        self.raw().srv
    }

    /// The plugin's hooks.
    pub fn hooks(&self) -> &network_mysqld_hooks {
        &self.raw().plugins
    }

    /// What comes next. A number that is no state ends the process.
    pub fn state(&self) -> State {
        let number = self.raw().state;
        State::from_raw(number).unwrap_or_else(|| {
            check::violation(None, "after a hook", &format!("the state {number} does not exist"))
        })
    }

    /// Sets what comes next.
    pub fn set_state(&mut self, state: State) {
        self.raw_mut().state = state.to_raw();
    }

    fn socket(&self, side: Side) -> *mut network_socket {
        match side {
            Side::Client => self.raw().client,
            Side::Server => self.raw().server,
        }
    }

    /// The socket of a side. It may be replaced or freed by every hook, which borrows the connection mutably.
    pub fn side(&self, side: Side) -> Option<Sock<'_>> {
        let raw = self.socket(side);
        // SAFETY: INV-1: the sockets belong to the connection.
        (!raw.is_null()).then(|| unsafe { Sock::from_raw(raw) })
    }

    flags! {
        /// The plugin collects the result instead of streaming it.
        resultset_is_needed
        /// The last packet of the answer was seen, or the plugin made the answer itself.
        resultset_is_finished
        /// COM_QUIT went to the server.
        com_quit_seen
        /// The client sent the whole local file.
        local_file_data_is_finished
        /// The server speaks again before the client.
        auth_next_packet_is_from_server
    }

    /// First byte of the server's last answer to the login.
    pub fn auth_result_state(&self) -> u8 {
        self.raw().auth_result_state
    }

    /// The authentication method the server switched to.
    pub fn auth_method(&self) -> &[u8] {
        // SAFETY: INV-1.
        unsafe { glib::bytes(self.raw().auth_switch_to_method) }
    }

    /// The tracked command.
    pub fn parse(&self) -> &network_mysqld_con_parse {
        &self.raw().parse
    }

    /// Arms the socket of `side` and gives the connection away: when the event fires, some event thread drives it.
    pub fn wait(self, side: Side, wait: Wait) {
        let con = self.raw();
        let (events, timeout) = match wait {
            Wait::Connected => (EV_WRITE, con.connect_timeout),
            Wait::Readable => (EV_READ, con.read_timeout),
            Wait::Writable => (EV_WRITE, con.write_timeout),
        };
        let Some(socket) = self.side(side) else {
            check::violation(
                Some(self.state()),
                "while waiting",
                &format!("there is no {side:?} socket"),
            )
        };
        // SAFETY: INV-1, INV-3: the socket's event is not armed, since its connection is being driven; it lives as
        // long as the connection, which belongs to the event from here on.
        unsafe {
            libevent::event_set(
                socket.event(),
                socket.fd(),
                events,
                Some(network_mysqld_con_handle),
                self.as_ptr().cast(),
            );
            event_threads::push(socket.event(), Some(timeout));
        }
    }

    /// Lets the plugin clean up, then frees the connection.
    pub fn close(mut self) {
        hook::cleanup(&mut self);
        // SAFETY: INV-1; nobody uses it any more.
        unsafe { network_mysqld_con_free(self.as_ptr()) };
    }
}

/// Cleans up and frees every connection, listeners included, in the order of the list as the original does.
///
/// # Safety
/// `chas` is the live host object; no event thread is in the state machine.
pub unsafe fn close_all(chas: *mut chassis) {
    loop {
        // SAFETY: as the caller promises; the list holds live connections.
        let first = unsafe {
            let _locked = lock_list();
            let cons = &*(*(*chas).priv_).cons;
            if cons.len == 0 {
                return;
            }
            Con::from_raw((*cons.pdata).cast())
        };
        first.close();
    }
}

export! {
    /// A connection with the default timeouts, not in the list yet.
    fn network_mysqld_con_new() -> *mut network_mysqld_con as fn_network_mysqld_con_new {
        let con: *mut network_mysqld_con = glib::alloc_zeroed();
        let seconds = |tv_sec| timeval { tv_sec, tv_usec: 0 };
        // SAFETY: fresh memory of a connection.
        unsafe {
            (*con).parse.command = NO_COMMAND;
            (*con).auth_switch_to_method = glib::new_string(b"");
            (*con).auth_switch_to_data = glib::new_string(b"");
            (*con).connect_timeout = seconds(CONNECT_TIMEOUT);
            (*con).read_timeout = seconds(IO_TIMEOUT);
            (*con).write_timeout = seconds(IO_TIMEOUT);
        }
        con
    }

    /// Puts the connection in the list; the host owns it from now on.
    fn network_mysqld_add_connection(chas: *mut chassis, con: *mut network_mysqld_con)
    as fn_network_mysqld_add_connection {
        let _locked = lock_list();
        // SAFETY: the live host object and a connection the caller gives away (ABI).
        unsafe {
            (*con).srv = chas;
            glib_sys::g_ptr_array_add((*(*chas).priv_).cons, con.cast());
        }
    }

    /// Frees a connection of the list with its sockets; calls no hook. NULL is fine.
    fn network_mysqld_con_free(con: *mut network_mysqld_con) as fn_network_mysqld_con_free {
        if con.is_null() {
            return;
        }
        // SAFETY: a connection of the list that the caller gives up (ABI).
        unsafe {
            super::track::network_mysqld_con_reset_command_response_state(con);
            network_socket_free((*con).server);
            network_socket_free((*con).client);
            glib::free_string((*con).auth_switch_to_method);
            glib::free_string((*con).auth_switch_to_data);
            assert!(!(*con).srv.is_null(), "network_mysqld_con_free: the connection was never added");
            {
                let _locked = lock_list();
                glib_sys::g_ptr_array_remove_fast((*(*(*con).srv).priv_).cons, con.cast());
            }
            glib::free(con);
        }
    }
}
