#![doc = include_str!("../README.md")]

mod answers;
mod asked;
mod binary;
mod binding;
pub mod chassis;
mod classes;
mod codec;
mod column;
mod constants;
mod decision;
pub mod escape;
mod failure;
mod guest;
mod hooks;
mod layout;
pub mod log_target;
pub mod made;
mod packet;
mod permission;
mod prepare;
pub mod reply;
mod running;
mod similar;
mod text;
mod tied;
mod typed;
pub mod values;
mod waiting;

#[cfg(test)]
mod tests;

pub use asked::{Answer, Asked, FromScript, Mailbox, Scripts, Versions};
pub use binding::Binding;
pub use classes::auth::Auth;
pub use classes::config::{Config, ConfigValue};
pub use classes::globals::Globals;
pub use classes::injection::Injection;
pub use classes::proxy::Proxy;
pub use failure::Failure;
pub use guest::Guest;
pub use hooks::{Hooks, function};
pub use permission::Permission;
pub use prepare::{add_to, prepare};
pub use running::{Call, HookThread};
pub use similar::proposal;
pub use waiting::{EventLoop, is_coroutine};
