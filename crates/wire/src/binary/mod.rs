//! Values of the binary protocol: cells of prepared statements' results and their parameters.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>,
//! MariaDB: <https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets/resultset-row>.
//! A value does not say its type: whoever reads it needs the column definition or, for a parameter,
//! the types of the execute packet.

mod date;
mod date_time;
mod null_bitmap;
mod scan;
mod time;
mod value;
mod value_type;

pub use date::Date;
pub use date_time::DateTime;
pub use time::Time;
pub use value::BinaryValue;
pub use value_type::ValueType;

pub(crate) use null_bitmap::{NullBitmap, NullBitmapSpace};
