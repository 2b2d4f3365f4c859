//! The error numbers of ERR packets that the proxy makes.
//!
//! Sources: <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>,
//! <https://dev.mysql.com/doc/mysql-errors/8.4/en/client-error-reference.html>.

/// ER_UNKNOWN_ERROR: everything that the proxy itself complains about.
pub const ER_UNKNOWN_ERROR: u16 = 1105;
/// ER_HANDSHAKE_ERROR.
pub const ER_HANDSHAKE_ERROR: u16 = 1043;
/// ER_ACCESS_DENIED_ERROR.
pub const ER_ACCESS_DENIED_ERROR: u16 = 1045;
/// ER_NET_PACKETS_OUT_OF_ORDER.
pub const ER_NET_PACKETS_OUT_OF_ORDER: u16 = 1156;
/// ER_NOT_SUPPORTED_YET.
pub const ER_NOT_SUPPORTED_YET: u16 = 1235;
/// ER_MALFORMED_PACKET.
pub const ER_MALFORMED_PACKET: u16 = 1835;
/// CR_VERSION_ERROR, as clients know it.
pub const CR_VERSION_ERROR: u16 = 2007;
/// CR_SSL_CONNECTION_ERROR, as clients know it.
pub const CR_SSL_CONNECTION_ERROR: u16 = 2026;
