//! Capability bits of handshake and login, by their protocol names.

/// Bit 0: the server calls this CLIENT_MYSQL; clear in a MariaDB handshake with extended bits.
pub const LONG_PASSWORD: u32 = 1;
/// Bit 1: OK reports matched instead of changed rows.
pub const FOUND_ROWS: u32 = 1 << 1;
/// Bit 2.
pub const LONG_FLAG: u32 = 1 << 2;
/// Bit 3: the login names a database.
pub const CONNECT_WITH_DB: u32 = 1 << 3;
/// Bit 5: zlib compression.
pub const COMPRESS: u32 = 1 << 5;
/// Bit 7: LOAD DATA LOCAL.
pub const LOCAL_FILES: u32 = 1 << 7;
/// Bit 9: the 4.1 protocol.
pub const PROTOCOL_41: u32 = 1 << 9;
/// Bit 11: TLS.
pub const SSL: u32 = 1 << 11;
/// Bit 13.
pub const TRANSACTIONS: u32 = 1 << 13;
/// Bit 15: 4.1 authentication.
pub const SECURE_CONNECTION: u32 = 1 << 15;
/// Bit 16: several statements in one COM_QUERY.
pub const MULTI_STATEMENTS: u32 = 1 << 16;
/// Bit 17: several results for one COM_QUERY.
pub const MULTI_RESULTS: u32 = 1 << 17;
/// Bit 18: several results for one COM_STMT_EXECUTE.
pub const PS_MULTI_RESULTS: u32 = 1 << 18;
/// Bit 19: authentication plugins.
pub const PLUGIN_AUTH: u32 = 1 << 19;
/// Bit 20: connection attributes in the login.
pub const CONNECT_ATTRS: u32 = 1 << 20;
/// Bit 21: length-encoded authentication data in the login.
pub const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
/// Bit 23: state changes in OK packets.
pub const SESSION_TRACK: u32 = 1 << 23;
/// Bit 24: no EOF packets.
pub const DEPRECATE_EOF: u32 = 1 << 24;
/// Bit 25: column metadata can be left out.
pub const OPTIONAL_METADATA: u32 = 1 << 25;
/// Bit 26: zstd compression.
pub const ZSTD_COMPRESSION: u32 = 1 << 26;
/// Bit 27: query attributes.
pub const QUERY_ATTRIBUTES: u32 = 1 << 27;
/// Bit 28: multi-factor authentication.
pub const MULTI_FACTOR: u32 = 1 << 28;
/// Bit 29: capability extension, or MariaDB progress reports.
pub const PROGRESS: u32 = 1 << 29;

/// What a plain, modern client asks for: the base of every scripted login.
pub const CLIENT_DEFAULT: u32 = LONG_PASSWORD
    | LONG_FLAG
    | LOCAL_FILES
    | PROTOCOL_41
    | TRANSACTIONS
    | SECURE_CONNECTION
    | MULTI_STATEMENTS
    | MULTI_RESULTS
    | PS_MULTI_RESULTS
    | PLUGIN_AUTH;

/// What a scripted server offers unless the test says otherwise.
pub const SERVER_DEFAULT: u32 =
    CLIENT_DEFAULT | FOUND_ROWS | CONNECT_WITH_DB | CONNECT_ATTRS | PLUGIN_AUTH_LENENC;

/// Status bit: autocommit.
pub const STATUS_AUTOCOMMIT: u16 = 0x0002;
/// Status bit: another result follows.
pub const STATUS_MORE_RESULTS: u16 = 0x0008;
