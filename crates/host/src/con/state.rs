//! The states of a connection.
//!
//! Facts: `docs/internals/states.md#the-states`.

use std::ffi::{CStr, c_char};

use chassis_sys::network_mysqld_con_state_t as raw;

use crate::exports::export;

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $raw:ident;)*) => {
        /// What a connection does next.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum State {
            $($(#[$doc])* $name,)*
        }

        impl State {
            /// The state of this number; `None` for a number that is no state.
            pub fn from_raw(number: raw::Type) -> Option<Self> {
                match number {
                    $(raw::$raw => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Its number.
            pub fn to_raw(self) -> raw::Type {
                match self {
                    $(Self::$name => raw::$raw,)*
                }
            }

            /// Its name in the ABI.
            pub fn name(self) -> &'static CStr {
                match self {
                    $(Self::$name => match CStr::from_bytes_with_nul(concat!(stringify!($raw), "\0").as_bytes()) {
                        Ok(name) => name,
                        Err(_) => c"",
                    },)*
                }
            }
        }
    };
}

states! {
    /// A client was accepted.
    Init = CON_STATE_INIT;
    /// A server is chosen and connected.
    ConnectServer = CON_STATE_CONNECT_SERVER;
    /// The server's handshake is awaited.
    ReadHandshake = CON_STATE_READ_HANDSHAKE;
    /// The handshake goes to the client.
    SendHandshake = CON_STATE_SEND_HANDSHAKE;
    /// The client's login is awaited.
    ReadAuth = CON_STATE_READ_AUTH;
    /// The login goes to the server.
    SendAuth = CON_STATE_SEND_AUTH;
    /// The server's answer to the login is awaited.
    ReadAuthResult = CON_STATE_READ_AUTH_RESULT;
    /// That answer goes to the client.
    SendAuthResult = CON_STATE_SEND_AUTH_RESULT;
    /// More login data of the client is awaited.
    ReadAuthOldPassword = CON_STATE_READ_AUTH_OLD_PASSWORD;
    /// That data goes to the server.
    SendAuthOldPassword = CON_STATE_SEND_AUTH_OLD_PASSWORD;
    /// The client's next command is awaited.
    ReadQuery = CON_STATE_READ_QUERY;
    /// The command goes to the server.
    SendQuery = CON_STATE_SEND_QUERY;
    /// The server's answer is awaited.
    ReadQueryResult = CON_STATE_READ_QUERY_RESULT;
    /// The answer goes to the client.
    SendQueryResult = CON_STATE_SEND_QUERY_RESULT;
    /// The client closed.
    CloseClient = CON_STATE_CLOSE_CLIENT;
    /// An error goes to the client, then the connection is closed.
    SendError = CON_STATE_SEND_ERROR;
    /// The connection is unusable.
    Error = CON_STATE_ERROR;
    /// The server closed after COM_QUIT.
    CloseServer = CON_STATE_CLOSE_SERVER;
    /// Content of a local file is awaited from the client.
    ReadLocalInfileData = CON_STATE_READ_LOCAL_INFILE_DATA;
    /// That content goes to the server.
    SendLocalInfileData = CON_STATE_SEND_LOCAL_INFILE_DATA;
    /// The server's answer to the file is awaited.
    ReadLocalInfileResult = CON_STATE_READ_LOCAL_INFILE_RESULT;
    /// That answer goes to the client.
    SendLocalInfileResult = CON_STATE_SEND_LOCAL_INFILE_RESULT;
}

impl State {
    /// Whether the connection is cleaned up and freed in this state.
    pub fn is_end(self) -> bool {
        matches!(self, Self::CloseClient | Self::CloseServer | Self::Error)
    }
}

export! {
    /// The name of a state; static text.
    fn network_mysqld_con_state_get_name(state: raw::Type) -> *const c_char {
        State::from_raw(state).map_or(c"unknown", State::name).as_ptr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_those_of_the_abi() {
        for number in 0..22 {
            let state = State::from_raw(number).expect("22 states");
            assert_eq!(state.to_raw(), number);
        }
        assert_eq!(State::from_raw(22), None);
        assert_eq!(State::SendQueryResult.name(), c"CON_STATE_SEND_QUERY_RESULT");
    }
}
