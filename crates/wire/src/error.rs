//! The one error of every decoder and encoder in this crate.
//!
//! It is small and `Copy`, so returning it from a hot loop costs nothing. The tracker adds its own
//! [`TrackError`](crate::result::TrackError) for packets that are well formed but out of place.

/// Why bytes are not the packet they should be, or why fields cannot become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The packet ends inside a field.
    #[error("packet too short: {needed} more bytes needed, {left} left")]
    Truncated {
        /// Length of the field, in bytes.
        needed: u64,
        /// What is left of the packet, in bytes.
        left: u64,
    },
    /// A string that must end in NUL does not.
    #[error("string without terminating NUL")]
    MissingNul,
    /// A field that is sent NUL-terminated contains a NUL itself.
    #[error("{field} contains a NUL byte")]
    EmbeddedNul {
        /// Name of the field.
        field: &'static str,
    },
    /// A length-encoded integer starts with a byte that marks something else (0xfb NULL, 0xff ERR).
    #[error("0x{0:02x} does not start a length-encoded integer")]
    LenEnc(u8),
    /// The first byte is not the one of this packet type.
    #[error("first byte 0x{found:02x} does not start {packet}")]
    Marker {
        /// The packet type that was expected.
        packet: &'static str,
        /// The byte that was found.
        found: u8,
    },
    /// A handshake of another protocol than version 10.
    #[error("handshake protocol {0} is not supported")]
    ProtocolVersion(u8),
    /// A login of a client older than 4.1 where only a 4.1 login can be handled.
    #[error("login of the protocol before 4.1")]
    Pre41,
    /// A field is longer than its length prefix can tell.
    #[error("{field} of {len} bytes is too long (at most {max})")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// Its length, in bytes.
        len: usize,
        /// The longest that can be sent, in bytes.
        max: usize,
    },
    /// Clearing these capability bits in place would change how the packet is read.
    #[error("capability bits 0x{0:x} decide the packet's layout and cannot be masked in place")]
    LayoutBits(u64),
    /// A value of the binary protocol whose type is none of the protocol.
    #[error("unknown type {0}")]
    UnknownType(u8),
    /// A date or time of the binary protocol has none of the lengths that exist.
    #[error("a {value} of {len} bytes")]
    ValueLength {
        /// Kind of the value.
        value: &'static str,
        /// The length that was announced, in bytes.
        len: u8,
    },
    /// A value, or its text, cannot be sent as this type.
    #[error("value does not fit type {column_type}")]
    ValueMismatch {
        /// Byte of the [`ColumnType`](crate::result::ColumnType).
        column_type: u8,
    },
    /// Query attributes for another number of parameter sets than the one that exists.
    #[error("{0} sets of query attributes")]
    ParameterSets(u64),
    /// Parameters whose types and names ought to be in the packet and are not.
    #[error("parameters without types")]
    Untyped,
    /// More parameters than a statement can have.
    #[error("more than 65535 parameters")]
    TooManyParameters,
    /// There is not one cell per column, or not one type per parameter.
    #[error("not exactly {expected} cells or types")]
    CellCount {
        /// Number of columns or parameters.
        expected: usize,
    },
}
