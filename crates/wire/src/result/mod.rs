//! Results of commands: where they end, what they consist of, how to make one.
//!
//! Overview:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html>.

mod binary_row;
mod column;
mod column_flags;
mod column_type;
mod encoder;
mod kept;
mod layout;
mod results;
mod shape;
mod step;
mod summary;
mod text_row;
mod track_error;
mod tracker;
mod translator;

pub use binary_row::{BinaryRow, encode_binary_row, encode_binary_row_from_text};
pub use column::ColumnDefinition;
pub use column_flags::ColumnFlags;
pub use column_type::ColumnType;
pub use encoder::{ResultSetEncoder, encode_text_row};
pub use kept::{KeptPackets, memory as kept_memory};
pub use layout::Layout;
pub use results::{OneResult, results};
pub use step::{Part, Step};
pub use summary::Summary;
pub use text_row::TextRow;
pub use track_error::TrackError;
pub use tracker::ResultTracker;
pub use translator::{Moment, Translated, Translator};
