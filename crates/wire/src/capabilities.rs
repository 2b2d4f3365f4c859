//! Capability bits: what client and server agreed on at login.
//!
//! The low 32 bits are the classic set of both vendors, the upper 32 MariaDB's extended set.
//! Sources:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html>,
//! <https://mariadb.com/docs/server/reference/clientserver-protocol/1-connecting/connection>.

use bitflags::bitflags;

bitflags! {
    /// A set of capability bits. Bits without a name stay as they are.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Capabilities: u64 {
        /// MySQL: long passwords. MariaDB calls it CLIENT_MYSQL: *clear* says that the extended set is
        /// in use.
        const LONG_PASSWORD = 1 << 0;
        /// Affected rows count found instead of changed rows.
        const FOUND_ROWS = 1 << 1;
        /// Column flags take two bytes.
        const LONG_FLAG = 1 << 2;
        /// The login names a database.
        const CONNECT_WITH_DB = 1 << 3;
        /// `db.table.column` is not allowed.
        const NO_SCHEMA = 1 << 4;
        /// zlib compression.
        const COMPRESS = 1 << 5;
        /// ODBC behaviour.
        const ODBC = 1 << 6;
        /// LOAD DATA LOCAL is allowed.
        const LOCAL_FILES = 1 << 7;
        /// Spaces before `(` are ignored.
        const IGNORE_SPACE = 1 << 8;
        /// Protocol 4.1.
        const PROTOCOL_41 = 1 << 9;
        /// `interactive_timeout` instead of `wait_timeout`.
        const INTERACTIVE = 1 << 10;
        /// TLS follows a short login packet.
        const SSL = 1 << 11;
        /// Client ignores SIGPIPE.
        const IGNORE_SIGPIPE = 1 << 12;
        /// Status flags in OK and EOF.
        const TRANSACTIONS = 1 << 13;
        /// Unused.
        const RESERVED = 1 << 14;
        /// 4.1 authentication: scramble of 20 bytes, auth data behind a length byte.
        const SECURE_CONNECTION = 1 << 15;
        /// Several statements in one COM_QUERY.
        const MULTI_STATEMENTS = 1 << 16;
        /// Several results to one COM_QUERY.
        const MULTI_RESULTS = 1 << 17;
        /// Several results to one COM_STMT_EXECUTE.
        const PS_MULTI_RESULTS = 1 << 18;
        /// Authentication plugins by name.
        const PLUGIN_AUTH = 1 << 19;
        /// Connection attributes in the login.
        const CONNECT_ATTRS = 1 << 20;
        /// Auth data of the login is length-encoded.
        const PLUGIN_AUTH_LENENC_CLIENT_DATA = 1 << 21;
        /// Client can handle an expired password.
        const CAN_HANDLE_EXPIRED_PASSWORDS = 1 << 22;
        /// OK packets tell changes of the session state.
        const SESSION_TRACK = 1 << 23;
        /// No EOF behind column definitions; rows end with an OK packet that starts 0xfe.
        const DEPRECATE_EOF = 1 << 24;
        /// Result sets may come without column definitions.
        const OPTIONAL_RESULTSET_METADATA = 1 << 25;
        /// zstd compression; the login ends in a level byte.
        const ZSTD_COMPRESSION = 1 << 26;
        /// COM_QUERY carries attributes in front of the text, COM_STMT_EXECUTE behind the
        /// parameters.
        const QUERY_ATTRIBUTES = 1 << 27;
        /// Up to three authentication methods in a row.
        const MULTI_FACTOR_AUTHENTICATION = 1 << 28;
        /// Old MariaDB: progress reports. MySQL: reserved to announce more bits.
        const PROGRESS_OBSOLETE = 1 << 29;
        /// Local to the client library.
        const SSL_VERIFY_SERVER_CERT = 1 << 30;
        /// Local to the client library.
        const REMEMBER_OPTIONS = 1 << 31;
        /// MariaDB: progress reports in ERR packets of code 0xffff.
        const MARIADB_PROGRESS = 1 << 32;
        /// MariaDB: COM_MULTI.
        const MARIADB_COM_MULTI = 1 << 33;
        /// MariaDB: COM_STMT_BULK_EXECUTE.
        const MARIADB_STMT_BULK_OPERATIONS = 1 << 34;
        /// MariaDB: column definitions carry the name and the format of types that are not the server's
        /// own.
        const MARIADB_EXTENDED_METADATA = 1 << 35;
        /// MariaDB: COM_STMT_EXECUTE may leave out column definitions.
        const MARIADB_CACHE_METADATA = 1 << 36;
        /// MariaDB: one result per row of a bulk execution.
        const MARIADB_BULK_UNIT_RESULTS = 1 << 37;

        // Servers and clients of tomorrow have further ones.
        const _ = !0;
    }
}

impl Capabilities {
    /// All of MariaDB's extended set, known or not.
    pub const MARIADB_EXTENDED: Self = Self::from_bits_retain(0xffff_ffff_0000_0000);

    /// What of MariaDB's extended set a proxy can follow:
    /// [`ColumnDefinition`](crate::result::ColumnDefinition) knows the extended metadata, and a bulk
    /// execution is answered like any other, with a result set if one result per row was asked for.
    pub const MARIADB_FOLLOWED: Self = Self::MARIADB_EXTENDED_METADATA
        .union(Self::MARIADB_STMT_BULK_OPERATIONS)
        .union(Self::MARIADB_BULK_UNIT_RESULTS);

    /// What a proxy cannot follow; to be cleared in the handshake *and* in the login, because a
    /// client may set what was not offered and the server obeys.
    ///
    /// TLS and compression hide the packets; the others change their layout.
    /// MULTI_FACTOR_AUTHENTICATION passes: it only adds authentication rounds. Of MariaDB's extended
    /// set [`MARIADB_FOLLOWED`](Self::MARIADB_FOLLOWED) passes. `docs/protocol.md` has the reason
    /// for each bit.
    pub const UNSUPPORTED: Self = Self::COMPRESS
        .union(Self::SSL)
        .union(Self::OPTIONAL_RESULTSET_METADATA)
        .union(Self::ZSTD_COMPRESSION)
        .union(Self::PROGRESS_OBSOLETE)
        .union(Self::MARIADB_EXTENDED.difference(Self::MARIADB_FOLLOWED));

    /// Compression of any kind.
    pub const COMPRESSION: Self = Self::COMPRESS.union(Self::ZSTD_COMPRESSION);

    /// How packets travel, and nothing about what is in them.
    pub const TRANSPORT: Self = Self::SSL.union(Self::COMPRESSION);

    /// What decides about the form of packets and has to be known to both sides: MariaDB's extended
    /// set, DEPRECATE_EOF and QUERY_ATTRIBUTES.
    pub const MUTUAL: Self =
        Self::MARIADB_EXTENDED.union(Self::DEPRECATE_EOF).union(Self::QUERY_ATTRIBUTES);

    /// What a server has to be asked for so that it reports every change of the session, also behind a result set.
    pub const TRACKED: Self = Self::SESSION_TRACK.union(Self::DEPRECATE_EOF);

    /// What to clear in the login of a client that was offered `offered`: besides
    /// [`UNSUPPORTED`](Self::UNSUPPORTED) what it takes unasked of [`MUTUAL`](Self::MUTUAL), since a
    /// server that does not know them ignores them and the two would read packets differently.
    pub const fn unsupported_in_login(offered: Self) -> Self {
        Self::UNSUPPORTED.union(Self::MUTUAL.difference(offered))
    }

    /// MariaDB's extended set alone.
    pub const fn mariadb_extended(self) -> Self {
        self.intersection(Self::MARIADB_EXTENDED)
    }

    /// The classic set alone, as a number.
    pub const fn classic(self) -> u32 {
        let [a, b, c, d, ..] = self.bits().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// From the two capability words; `extended` counts only when `LONG_PASSWORD` is clear.
    pub(crate) fn from_words(classic: u32, extended: u32) -> Self {
        let low = Self::from_bits_retain(classic.into());
        if low.contains(Self::LONG_PASSWORD) {
            low
        } else {
            low | Self::from_bits_retain(u64::from(extended) << 32)
        }
    }

    /// The classic and the extended word, little endian as sent. The extended word is zero when
    /// `LONG_PASSWORD` is set: then its place is filler.
    pub(crate) const fn to_words(self) -> ([u8; 4], [u8; 4]) {
        let [a, b, c, d, e, f, g, h] = self.bits().to_le_bytes();
        let extended = if self.contains(Self::LONG_PASSWORD) { [0; 4] } else { [e, f, g, h] };
        ([a, b, c, d], extended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_is_the_documented_mask() {
        assert_eq!(Capabilities::UNSUPPORTED.bits(), 0xffff_ffd3_2600_0820);
        assert!(!Capabilities::UNSUPPORTED.intersects(Capabilities::MULTI_FACTOR_AUTHENTICATION));
    }

    #[test]
    fn a_login_may_take_only_what_was_offered_of_what_both_must_know() {
        let metadata = Capabilities::MARIADB_EXTENDED_METADATA;
        let bulk = Capabilities::MARIADB_STMT_BULK_OPERATIONS;
        let units = Capabilities::MARIADB_BULK_UNIT_RESULTS;
        let unsupported = Capabilities::unsupported_in_login;
        let classic = Capabilities::DEPRECATE_EOF | Capabilities::QUERY_ATTRIBUTES;
        assert_eq!(unsupported(metadata | bulk | units | classic), Capabilities::UNSUPPORTED);
        assert_eq!(unsupported(bulk | units | classic), Capabilities::UNSUPPORTED | metadata);
        let all = Capabilities::UNSUPPORTED | metadata | bulk | units | classic;
        assert_eq!(unsupported(Capabilities::PROTOCOL_41), all);
        assert_eq!((metadata | Capabilities::SSL).mariadb_extended(), metadata);
    }

    #[test]
    fn unknown_bits_stay() {
        const UNKNOWN: u64 = 1 << 63;
        let mut caps = Capabilities::from_bits_retain(UNKNOWN) | Capabilities::SSL;
        caps.remove(Capabilities::SSL);
        assert_eq!((caps & !Capabilities::COMPRESS).bits(), UNKNOWN);
        assert_eq!(caps.difference(Capabilities::MARIADB_EXTENDED), Capabilities::empty());
    }

    #[test]
    fn the_extended_word_counts_only_without_bit_0() {
        assert_eq!(Capabilities::from_words(0x200, 5).bits(), 0x5_0000_0200);
        assert_eq!(Capabilities::from_words(0x201, 5).bits(), 0x201);
        assert_eq!(
            Capabilities::from_bits_retain(0x5_0000_0201).to_words(),
            ([1, 2, 0, 0], [0; 4])
        );
        assert_eq!(
            Capabilities::from_bits_retain(0x5_0000_0200).to_words(),
            ([0, 2, 0, 0], [5, 0, 0, 0])
        );
    }
}
