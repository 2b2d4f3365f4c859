//! The connection phase: handshake, login, and the rounds of authentication.
//!
//! Overview:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>.

mod attributes;
mod auth_reply;
mod auth_switch;
mod change_user;
mod handshake;
mod login;
mod old_login;

pub use attributes::Attributes;
pub use auth_reply::AuthReply;
pub use auth_switch::AuthSwitch;
pub use change_user::ChangeUser;
pub use handshake::Handshake;
pub use login::{Login, LoginKind};
pub use old_login::OldLogin;

use crate::WireError;

/// Clears the bits of `mask` in the bytes at `at`; `false` if the payload ends before them.
fn clear<const N: usize>(payload: &mut [u8], at: usize, mask: [u8; N]) -> bool {
    let field = at.checked_add(N).and_then(|end| payload.get_mut(at..end));
    let Some(field) = field else { return false };
    for (byte, bits) in field.iter_mut().zip(mask) {
        *byte &= !bits;
    }
    true
}

/// Sets the bits of `mask` in the bytes at `at`; `false` if the payload ends before them.
fn set<const N: usize>(payload: &mut [u8], at: usize, mask: [u8; N]) -> bool {
    let field = at.checked_add(N).and_then(|end| payload.get_mut(at..end));
    let Some(field) = field else { return false };
    for (byte, bits) in field.iter_mut().zip(mask) {
        *byte |= bits;
    }
    true
}

/// Refuses text that cannot be sent NUL-terminated.
fn check_nul_free(field: &'static str, text: &[u8]) -> Result<(), WireError> {
    if text.contains(&0) { Err(WireError::EmbeddedNul { field }) } else { Ok(()) }
}
