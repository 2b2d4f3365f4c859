//! A connection and the state machine that drives it.
//!
//! Facts: `docs/internals/states.md`. One file per group of states: `login`, `command`, `infile`.

mod check;
mod command;
mod hook;
mod infile;
mod login;
mod machine;
pub mod object;
mod state;
mod track;

pub use machine::{network_mysqld_con_accept, network_mysqld_con_handle};
pub use object::{network_mysqld_add_connection, network_mysqld_con_free, network_mysqld_con_new};
pub use state::network_mysqld_con_state_get_name;
pub use track::{
    network_mysqld_con_command_states_init, network_mysqld_con_reset_command_response_state,
};
