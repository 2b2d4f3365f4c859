//! The collations that something depends on, by their ids.
//!
//! Source: `information_schema.COLLATIONS` of MySQL 8.0 and MariaDB 11.

/// utf8mb4_general_ci: what text is in, unless something else is said.
pub const UTF8MB4_GENERAL_CI: u16 = 45;
/// Binary data, and everything that is no text.
pub const BINARY: u16 = 63;
