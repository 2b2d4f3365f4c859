//! What a column definition says about its column besides the type.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__column__definition__flags.html>.

use bitflags::bitflags;

bitflags! {
    /// The `flags` of a column. Bits without a name stay as they are.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct ColumnFlags: u16 {
        /// Never NULL.
        const NOT_NULL = 1 << 0;
        /// Part of the primary key.
        const PRI_KEY = 1 << 1;
        /// Part of a unique key.
        const UNIQUE_KEY = 1 << 2;
        /// Part of another key.
        const MULTIPLE_KEY = 1 << 3;
        /// A blob.
        const BLOB = 1 << 4;
        /// An unsigned number.
        const UNSIGNED = 1 << 5;
        /// Shown with leading zeros.
        const ZEROFILL = 1 << 6;
        /// Not text, or compared byte by byte.
        const BINARY = 1 << 7;
        /// An ENUM.
        const ENUM = 1 << 8;
        /// Counts up by itself.
        const AUTO_INCREMENT = 1 << 9;
        /// A TIMESTAMP.
        const TIMESTAMP = 1 << 10;
        /// A SET.
        const SET = 1 << 11;
        /// Has no default value.
        const NO_DEFAULT_VALUE = 1 << 12;
        /// Becomes the present time with each UPDATE.
        const ON_UPDATE_NOW = 1 << 13;

        // Servers use the two others for themselves.
        const _ = !0;
    }
}
