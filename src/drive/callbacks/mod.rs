//! The driver of mysql-proxy's callbacks: event in, effects to the host's queues and states.
//!
//! The host calls the functions of [`table`] with its global mutex held. Each takes what arrived, hands it to the
//! connection's engine, asks the script as often as the engine wants, and settles the state that the host goes on in.

mod connection;
mod host;
mod packet_at_hand;
mod run;
mod settle;
mod slots;

pub use slots::table;
