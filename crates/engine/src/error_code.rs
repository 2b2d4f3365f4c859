//! The errors that the proxy makes, as MySQL numbers them.
//!
//! Sources: <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>,
//! <https://dev.mysql.com/doc/mysql-errors/8.4/en/client-error-reference.html>.

use wire::reply::ErrPacket;

/// The number of an error, and its SQL state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// The number.
    pub number: u16,
    /// The SQL state, which clients before the handshake are not told.
    pub sqlstate: [u8; 5],
}

impl ErrorCode {
    /// That of an ERR.
    pub(crate) fn of(err: &ErrPacket<'_>) -> Self {
        Self { number: err.code, sqlstate: err.sqlstate.unwrap_or(ER_UNKNOWN_ERROR.sqlstate) }
    }

    const fn new(number: u16, sqlstate: &[u8; 5]) -> Self {
        Self { number, sqlstate: *sqlstate }
    }
}

/// ER_CON_COUNT_ERROR.
pub const ER_CON_COUNT_ERROR: ErrorCode = ErrorCode::new(1040, b"08004");
/// ER_SERVER_SHUTDOWN: clients and their pools know that another connection will do.
pub const ER_SERVER_SHUTDOWN: ErrorCode = ErrorCode::new(1053, b"08S01");
/// ER_UNKNOWN_ERROR: everything that the proxy itself complains about.
pub const ER_UNKNOWN_ERROR: ErrorCode = ErrorCode::new(1105, b"HY000");
/// ER_HANDSHAKE_ERROR.
pub const ER_HANDSHAKE_ERROR: ErrorCode = ErrorCode::new(1043, b"08S01");
/// ER_ACCESS_DENIED_ERROR.
pub const ER_ACCESS_DENIED_ERROR: ErrorCode = ErrorCode::new(1045, b"28000");
/// ER_NOT_ALLOWED_COMMAND.
pub const ER_NOT_ALLOWED_COMMAND: ErrorCode = ErrorCode::new(1148, b"42000");
/// ER_NET_PACKETS_OUT_OF_ORDER.
pub const ER_NET_PACKETS_OUT_OF_ORDER: ErrorCode = ErrorCode::new(1156, b"08S01");
/// ER_NET_PACKET_TOO_LARGE.
pub const ER_NET_PACKET_TOO_LARGE: ErrorCode = ErrorCode::new(1153, b"08S01");
/// ER_NET_READ_INTERRUPTED: a client that does not say in time what it has to say.
pub const ER_NET_READ_INTERRUPTED: ErrorCode = ErrorCode::new(1159, b"08S01");
/// ER_USER_LIMIT_REACHED.
pub const ER_USER_LIMIT_REACHED: ErrorCode = ErrorCode::new(1226, b"42000");
/// ER_NOT_SUPPORTED_YET.
pub const ER_NOT_SUPPORTED_YET: ErrorCode = ErrorCode::new(1235, b"42000");
/// ER_MALFORMED_PACKET.
pub const ER_MALFORMED_PACKET: ErrorCode = ErrorCode::new(1835, b"HY000");
/// ER_MAX_PREPARED_STMT_COUNT_REACHED.
pub const ER_MAX_PREPARED_STMT_COUNT_REACHED: ErrorCode = ErrorCode::new(1461, b"42000");
/// ER_SECURE_TRANSPORT_REQUIRED.
pub const ER_SECURE_TRANSPORT_REQUIRED: ErrorCode = ErrorCode::new(3159, b"HY000");
/// ER_CLIENT_INTERACTION_TIMEOUT: what MySQL says behind its `wait_timeout`.
pub const ER_CLIENT_INTERACTION_TIMEOUT: ErrorCode = ErrorCode::new(4031, b"HY000");
/// CR_VERSION_ERROR, as clients know it.
pub const CR_VERSION_ERROR: ErrorCode = ErrorCode::new(2007, b"HY000");
/// CR_SSL_CONNECTION_ERROR, as clients know it.
pub const CR_SSL_CONNECTION_ERROR: ErrorCode = ErrorCode::new(2026, b"HY000");
