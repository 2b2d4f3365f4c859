//! `network_mysqld_con`: one proxied connection as the host sees it, and the states of its machine.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use chassis_sys as sys;
use chassis_sys::{network_mysqld_con_state_t as state, network_socket_retval_t as retval};

use super::api::api;
use super::{OwnedSocket, Socket};
use crate::boundary::HostCall;

/// What a callback tells the host (`network_socket_retval_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Retval {
    /// Go on in the state the callback set.
    Success = retval::NETWORK_SOCKET_SUCCESS,
    /// Send the queued ERR and close, or close at once, by the state (`docs/internals/states.md#the-states`).
    Error = retval::NETWORK_SOCKET_ERROR,
    /// CONNECT_SERVER only: wait for the socket, or come again at once.
    Retry = retval::NETWORK_SOCKET_ERROR_RETRY,
}

impl Default for Retval {
    /// What a callback returns that failed in an unknown way.
    fn default() -> Self {
        Self::Error
    }
}

macro_rules! con_states {
    ($($(#[$doc:meta])* $name:ident = $raw:ident,)*) => {
        /// The states a plugin sets or meets (`network_mysqld_con_state_t`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u32)]
        pub enum ConState { $($(#[$doc])* $name = state::$raw,)* }

        impl ConState {
            fn from_raw(raw: state::Type) -> Option<Self> {
                match raw { $(state::$raw => Some(Self::$name),)* _ => None }
            }
        }
    };
}

con_states! {
    /// Just accepted.
    Init = CON_STATE_INIT,
    /// Choosing and reaching a backend.
    ConnectServer = CON_STATE_CONNECT_SERVER,
    /// Waiting for the server's handshake.
    ReadHandshake = CON_STATE_READ_HANDSHAKE,
    /// Writing the handshake to the client.
    SendHandshake = CON_STATE_SEND_HANDSHAKE,
    /// Waiting for the client's login.
    ReadAuth = CON_STATE_READ_AUTH,
    /// Writing the login to the server.
    SendAuth = CON_STATE_SEND_AUTH,
    /// Waiting for the server's answer to the login.
    ReadAuthResult = CON_STATE_READ_AUTH_RESULT,
    /// Writing that answer to the client.
    SendAuthResult = CON_STATE_SEND_AUTH_RESULT,
    /// Waiting for a further login packet of the client.
    ReadAuthOldPassword = CON_STATE_READ_AUTH_OLD_PASSWORD,
    /// Writing it to the server.
    SendAuthOldPassword = CON_STATE_SEND_AUTH_OLD_PASSWORD,
    /// Waiting for a command.
    ReadQuery = CON_STATE_READ_QUERY,
    /// Writing a command to the server.
    SendQuery = CON_STATE_SEND_QUERY,
    /// Waiting for packets of a result.
    ReadQueryResult = CON_STATE_READ_QUERY_RESULT,
    /// Writing result packets to the client.
    SendQueryResult = CON_STATE_SEND_QUERY_RESULT,
    /// The client hung up.
    CloseClient = CON_STATE_CLOSE_CLIENT,
    /// Writing what is queued for the client, then closing.
    SendError = CON_STATE_SEND_ERROR,
    /// Closing without a word.
    Error = CON_STATE_ERROR,
    /// The server hung up after COM_QUIT.
    CloseServer = CON_STATE_CLOSE_SERVER,
    /// Waiting for file data of the client.
    ReadLocalInfileData = CON_STATE_READ_LOCAL_INFILE_DATA,
    /// Writing file data to the server.
    SendLocalInfileData = CON_STATE_SEND_LOCAL_INFILE_DATA,
    /// Waiting for the server's answer to the file.
    ReadLocalInfileResult = CON_STATE_READ_LOCAL_INFILE_RESULT,
    /// Writing that answer to the client.
    SendLocalInfileResult = CON_STATE_SEND_LOCAL_INFILE_RESULT,
}

/// A connection of the host, for one callback.
#[derive(Debug, Clone, Copy)]
pub struct Con<'h>(NonNull<sys::network_mysqld_con>, PhantomData<&'h HostCall>, &'h HostCall);

impl<'h> Con<'h> {
    /// # Safety
    /// `raw` is NULL or the pointer the host passed to the callback that created `call` (INV-2).
    pub unsafe fn from_raw(raw: *mut sys::network_mysqld_con, call: &'h HostCall) -> Option<Self> {
        NonNull::new(raw).map(|raw| Self(raw, PhantomData, call))
    }

    fn get(&self) -> &sys::network_mysqld_con {
        // SAFETY: INV-2; no reference outlives the method that asked for it.
        unsafe { self.0.as_ref() }
    }

    #[allow(clippy::mut_from_ref, reason = "private; never two at once (INV-2)")]
    fn get_mut(&self) -> &mut sys::network_mysqld_con {
        // SAFETY: INV-2; no reference outlives the method that asked for it.
        unsafe { &mut *self.0.as_ptr() }
    }

    /// The proof this view was made with.
    pub fn call(&self) -> &'h HostCall {
        self.2
    }

    /// Tries to write the whole send queue of one of the connection's sockets now; `true` when it is empty.
    pub fn write_now(&self, socket: Socket<'_>) -> bool {
        // SAFETY: INV-2.
        let result = unsafe { (api().network_mysqld_write)(self.get().srv, socket.as_ptr()) };
        result == retval::NETWORK_SOCKET_SUCCESS && socket.send_queue_is_empty()
    }

    /// The client's socket; `None` on a listener.
    pub fn client(&self) -> Option<Socket<'h>> {
        // SAFETY: INV-2: the connection owns the socket for longer than the callback.
        unsafe { Socket::from_raw(self.get().client, self.2) }
    }

    /// The server's socket; `None` while no server is attached. Ends with the borrow: the owner may close it then.
    pub fn server(&self) -> Option<Socket<'_>> {
        // SAFETY: INV-2, INV-4: the host has a pointer only while the owner keeps the socket open.
        unsafe { Socket::from_raw(self.get().server, self.2) }
    }

    /// Makes `socket` the connection's server side, or none. The caller keeps ownership (INV-4).
    pub fn set_server(&self, socket: Option<&OwnedSocket>) {
        self.get_mut().server = socket.map_or(std::ptr::null_mut(), OwnedSocket::as_ptr);
    }

    /// The state of the machine.
    pub fn state(&self) -> Option<ConState> {
        ConState::from_raw(self.get().state)
    }

    /// Sets the state the host goes on with.
    pub fn set_state(&self, state: ConState) {
        self.get_mut().state = state as state::Type;
    }

    /// TRUE keeps the host from flushing a half-received result.
    pub fn set_resultset_is_needed(&self, needed: bool) {
        self.get_mut().resultset_is_needed = i32::from(needed);
    }

    /// FALSE makes the host read from the server again after a flush.
    pub fn set_resultset_is_finished(&self, finished: bool) {
        self.get_mut().resultset_is_finished = i32::from(finished);
    }

    /// TRUE makes the host go on to the server's answer.
    pub fn set_local_file_data_is_finished(&self, finished: bool) {
        self.get_mut().local_file_data_is_finished = i32::from(finished);
    }

    /// The server's hang-up is expected: it answers COM_QUIT so.
    pub fn set_com_quit_seen(&self) {
        self.get_mut().com_quit_seen = 1;
    }

    /// Makes the host forget the command it tracks.
    pub fn forget_command(&self) {
        // SAFETY: INV-2.
        unsafe { (api().network_mysqld_con_reset_command_response_state)(self.0.as_ptr()) };
    }

    /// Sets how long the host waits for a connect, for data and for a write; `None` keeps the host's default.
    pub fn set_timeouts(
        &self,
        connect: Option<Duration>,
        read: Option<Duration>,
        write: Option<Duration>,
    ) {
        let con = self.get_mut();
        let slots = [
            (&mut con.connect_timeout, connect),
            (&mut con.read_timeout, read),
            (&mut con.write_timeout, write),
        ];
        for (slot, value) in slots {
            if let Some(value) = value {
                slot.tv_sec = i64::try_from(value.as_secs()).unwrap_or(i64::MAX);
                slot.tv_usec = i64::from(value.subsec_micros());
            }
        }
    }

    /// Stores the plugin's per-connection state.
    pub fn set_plugin_state<T>(&self, state: Box<T>) {
        self.get_mut().plugin_con_state = Box::into_raw(state).cast();
    }

    /// The state stored by [`Con::set_plugin_state`].
    ///
    /// # Safety
    /// `T` is the type that was stored, and no other reference to it is live (INV-2).
    pub unsafe fn plugin_state<T>(&self) -> Option<&'h mut T> {
        // SAFETY: the caller's promise.
        unsafe { self.get().plugin_con_state.cast::<T>().as_mut() }
    }

    /// Takes the state stored by [`Con::set_plugin_state`] out of the connection.
    ///
    /// # Safety
    /// As for [`Con::plugin_state`].
    pub unsafe fn take_plugin_state<T>(&self) -> Option<Box<T>> {
        let raw = std::mem::replace(&mut self.get_mut().plugin_con_state, std::ptr::null_mut());
        // SAFETY: the pointer came from Box::into_raw of the same type, and is now forgotten by the host.
        (!raw.is_null()).then(|| unsafe { Box::from_raw(raw.cast::<T>()) })
    }
}
