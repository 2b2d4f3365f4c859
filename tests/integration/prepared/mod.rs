//! Prepared statements: values, bulk executions, cursors, packet by packet.

mod bulk;
mod cursors;
mod packets;
mod values;
