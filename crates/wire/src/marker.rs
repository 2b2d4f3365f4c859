//! First bytes of a server's packets, which say what a packet is. What else can start so is told by where it stands, and by
//! its length.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_response_packets.html>.

/// OK; also the counts of a prepared statement.
pub const OK: u8 = 0x00;
/// In a login: data for the method in force.
pub const AUTH_MORE_DATA: u8 = 0x01;
/// A request for a file of the client (LOAD DATA LOCAL).
pub const LOCAL_INFILE: u8 = 0xfb;
/// EOF, or the OK in its place with DEPRECATE_EOF.
pub const EOF: u8 = 0xfe;
/// In a login: use another method.
pub const AUTH_SWITCH: u8 = 0xfe;
/// ERR.
pub const ERR: u8 = 0xff;
