//! Capability bits: what client and server agreed on at login.
//!
//! The low 32 bits are the classic set of both vendors, the upper 32 MariaDB's extended set.
//! Sources:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html>,
//! <https://mariadb.com/docs/server/reference/clientserver-protocol/1-connecting/connection>.

use std::ops::{BitAnd, BitOr};

/// A set of capability bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Capabilities(u64);

macro_rules! bits {
    ($($(#[$doc:meta])* $name:ident = $bit:literal),* $(,)?) => {
        impl Capabilities {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
        }
    };
}

bits! {
    /// MySQL: long passwords. MariaDB calls it CLIENT_MYSQL: *clear* says that the extended set is
    /// in use.
    LONG_PASSWORD = 0,
    /// Affected rows count found instead of changed rows.
    FOUND_ROWS = 1,
    /// Column flags take two bytes.
    LONG_FLAG = 2,
    /// The login names a database.
    CONNECT_WITH_DB = 3,
    /// `db.table.column` is not allowed.
    NO_SCHEMA = 4,
    /// zlib compression.
    COMPRESS = 5,
    /// ODBC behaviour.
    ODBC = 6,
    /// LOAD DATA LOCAL is allowed.
    LOCAL_FILES = 7,
    /// Spaces before `(` are ignored.
    IGNORE_SPACE = 8,
    /// Protocol 4.1.
    PROTOCOL_41 = 9,
    /// `interactive_timeout` instead of `wait_timeout`.
    INTERACTIVE = 10,
    /// TLS follows a short login packet.
    SSL = 11,
    /// Client ignores SIGPIPE.
    IGNORE_SIGPIPE = 12,
    /// Status flags in OK and EOF.
    TRANSACTIONS = 13,
    /// Unused.
    RESERVED = 14,
    /// 4.1 authentication: scramble of 20 bytes, auth data behind a length byte.
    SECURE_CONNECTION = 15,
    /// Several statements in one COM_QUERY.
    MULTI_STATEMENTS = 16,
    /// Several results to one COM_QUERY.
    MULTI_RESULTS = 17,
    /// Several results to one COM_STMT_EXECUTE.
    PS_MULTI_RESULTS = 18,
    /// Authentication plugins by name.
    PLUGIN_AUTH = 19,
    /// Connection attributes in the login.
    CONNECT_ATTRS = 20,
    /// Auth data of the login is length-encoded.
    PLUGIN_AUTH_LENENC_CLIENT_DATA = 21,
    /// Client can handle an expired password.
    CAN_HANDLE_EXPIRED_PASSWORDS = 22,
    /// OK packets tell changes of the session state.
    SESSION_TRACK = 23,
    /// No EOF behind column definitions; rows end with an OK packet that starts 0xfe.
    DEPRECATE_EOF = 24,
    /// Result sets may come without column definitions.
    OPTIONAL_RESULTSET_METADATA = 25,
    /// zstd compression; the login ends in a level byte.
    ZSTD_COMPRESSION = 26,
    /// COM_QUERY carries attributes in front of the text.
    QUERY_ATTRIBUTES = 27,
    /// Up to three authentication methods in a row.
    MULTI_FACTOR_AUTHENTICATION = 28,
    /// Old MariaDB: progress reports. MySQL: reserved to announce more bits.
    PROGRESS_OBSOLETE = 29,
    /// Local to the client library.
    SSL_VERIFY_SERVER_CERT = 30,
    /// Local to the client library.
    REMEMBER_OPTIONS = 31,
    /// MariaDB: progress reports in ERR packets of code 0xffff.
    MARIADB_PROGRESS = 32,
    /// MariaDB: COM_MULTI.
    MARIADB_COM_MULTI = 33,
    /// MariaDB: COM_STMT_BULK_EXECUTE.
    MARIADB_STMT_BULK_OPERATIONS = 34,
    /// MariaDB: column definitions carry the name and the format of types that are not the server's
    /// own.
    MARIADB_EXTENDED_METADATA = 35,
    /// MariaDB: COM_STMT_EXECUTE may leave out column definitions.
    MARIADB_CACHE_METADATA = 36,
    /// MariaDB: one result per row of a bulk execution.
    MARIADB_BULK_UNIT_RESULTS = 37,
}

impl Capabilities {
    /// Nothing agreed on.
    pub const NONE: Self = Self(0);

    /// All of MariaDB's extended set, known or not.
    pub const MARIADB_EXTENDED: Self = Self(0xffff_ffff_0000_0000);

    /// What of MariaDB's extended set a proxy can follow:
    /// [`ColumnDefinition`](crate::result::ColumnDefinition) knows the extended metadata, and a bulk
    /// execution is answered like any other.
    pub const MARIADB_FOLLOWED: Self =
        Self(Self::MARIADB_EXTENDED_METADATA.0 | Self::MARIADB_STMT_BULK_OPERATIONS.0);

    /// What a proxy cannot follow; to be cleared in the handshake *and* in the login, because a
    /// client may set what was not offered and the server obeys.
    ///
    /// TLS and compression hide the packets; the others change their layout. `ResultTracker` can
    /// follow DEPRECATE_EOF, but readers of whole answers need not, so it is masked as well.
    /// MULTI_FACTOR_AUTHENTICATION passes: it only adds authentication rounds. Of MariaDB's extended
    /// set [`MARIADB_FOLLOWED`](Self::MARIADB_FOLLOWED) passes. `docs/protocol.md` has the reason
    /// for each bit.
    pub const UNSUPPORTED: Self = Self(
        Self::COMPRESS.0
            | Self::SSL.0
            | Self::DEPRECATE_EOF.0
            | Self::OPTIONAL_RESULTSET_METADATA.0
            | Self::ZSTD_COMPRESSION.0
            | Self::QUERY_ATTRIBUTES.0
            | Self::PROGRESS_OBSOLETE.0
            | (Self::MARIADB_EXTENDED.0 & !Self::MARIADB_FOLLOWED.0),
    );

    /// Compression of any kind.
    pub const COMPRESSION: Self = Self(Self::COMPRESS.0 | Self::ZSTD_COMPRESSION.0);

    /// What to clear in the login of a client that was offered `offered`: besides
    /// [`UNSUPPORTED`](Self::UNSUPPORTED) what it takes of MariaDB's extended set unasked, since
    /// another server than MariaDB ignores it and the two would read packets differently.
    pub const fn unsupported_in_login(offered: Self) -> Self {
        Self(Self::UNSUPPORTED.0 | (Self::MARIADB_EXTENDED.0 & !offered.0))
    }

    /// MariaDB's extended set alone.
    pub const fn mariadb_extended(self) -> Self {
        Self(self.0 & Self::MARIADB_EXTENDED.0)
    }

    /// The set with exactly these bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// All bits as a number.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Sets the bits of `other`.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Clears the bits of `other`.
    pub const fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// Sets or clears the bits of `other`.
    pub const fn set(&mut self, other: Self, on: bool) {
        if on { self.insert(other) } else { self.remove(other) }
    }

    /// The set without the bits of `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// From the two capability words; `extended` counts only when `LONG_PASSWORD` is clear.
    pub(crate) fn from_words(classic: u32, extended: u32) -> Self {
        let low = Self(u64::from(classic));
        if low.contains(Self::LONG_PASSWORD) {
            low
        } else {
            Self(low.0 | u64::from(extended) << 32)
        }
    }

    /// The classic and the extended word, little endian as sent. The extended word is zero when
    /// `LONG_PASSWORD` is set: then its place is filler.
    pub(crate) const fn to_words(self) -> ([u8; 4], [u8; 4]) {
        let [a, b, c, d, e, f, g, h] = self.0.to_le_bytes();
        let extended = if self.contains(Self::LONG_PASSWORD) { [0; 4] } else { [e, f, g, h] };
        ([a, b, c, d], extended)
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Capabilities {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_is_the_documented_mask() {
        assert_eq!(Capabilities::UNSUPPORTED.bits(), 0xffff_fff3_2f00_0820);
        assert!(!Capabilities::UNSUPPORTED.intersects(Capabilities::MULTI_FACTOR_AUTHENTICATION));
    }

    #[test]
    fn a_login_may_take_of_the_extended_set_only_what_was_offered() {
        let metadata = Capabilities::MARIADB_EXTENDED_METADATA;
        let bulk = Capabilities::MARIADB_STMT_BULK_OPERATIONS;
        let unsupported = Capabilities::unsupported_in_login;
        assert_eq!(unsupported(metadata | bulk), Capabilities::UNSUPPORTED);
        assert_eq!(unsupported(bulk), Capabilities::UNSUPPORTED | metadata);
        let all = Capabilities::UNSUPPORTED | metadata | bulk;
        assert_eq!(unsupported(Capabilities::PROTOCOL_41), all);
        assert_eq!((metadata | Capabilities::SSL).mariadb_extended(), metadata);
    }

    #[test]
    fn set_operations() {
        let mut caps = Capabilities::PROTOCOL_41 | Capabilities::SSL;
        assert!(caps.contains(Capabilities::SSL));
        assert!(!caps.contains(Capabilities::SSL | Capabilities::COMPRESS));
        caps.remove(Capabilities::SSL);
        caps.set(Capabilities::COMPRESS, true);
        assert_eq!(caps.bits(), 0x220);
        assert_eq!(caps.without(Capabilities::COMPRESS), Capabilities::PROTOCOL_41);
    }

    #[test]
    fn the_extended_word_counts_only_without_bit_0() {
        assert_eq!(Capabilities::from_words(0x200, 5).bits(), 0x5_0000_0200);
        assert_eq!(Capabilities::from_words(0x201, 5).bits(), 0x201);
        assert_eq!(Capabilities::from_bits(0x5_0000_0201).to_words(), ([1, 2, 0, 0], [0; 4]));
        assert_eq!(Capabilities::from_bits(0x5_0000_0200).to_words(), ([0, 2, 0, 0], [5, 0, 0, 0]));
    }
}
