//! What a hook may return (scripting API 3).

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};

use crate::constants;
use engine::Hook;

/// A permitted return value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// `None` or `PROXY_NO_DECISION`.
    None,
    /// `PROXY_SEND_QUERY`.
    SendQuery,
    /// `PROXY_SEND_RESULT`.
    SendResult,
    /// `PROXY_IGNORE_RESULT`.
    IgnoreResult,
}

impl Decision {
    /// Reads what `hook` returned; `None` if it may not return that. A bool is no decision, though Python counts it
    /// as an integer: `return True` means something that no table here says.
    pub fn of(hook: Hook, value: &Bound<'_, PyAny>) -> Option<Self> {
        if value.is_none() {
            return Some(Self::None);
        }
        if value.is_instance_of::<PyBool>() || !value.is_instance_of::<PyInt>() {
            return None;
        }
        let decision = match value.extract::<i64>().ok()? {
            constants::PROXY_NO_DECISION => Self::None,
            constants::PROXY_SEND_QUERY => Self::SendQuery,
            constants::PROXY_SEND_RESULT => Self::SendResult,
            constants::PROXY_IGNORE_RESULT => Self::IgnoreResult,
            _ => return None,
        };
        decision.is_permitted(hook).then_some(decision)
    }

    fn is_permitted(self, hook: Hook) -> bool {
        match self {
            Self::None => true,
            Self::SendQuery => matches!(hook, Hook::ReadAuth | Hook::ReadQuery),
            Self::SendResult => hook != Hook::DisconnectClient,
            Self::IgnoreResult => {
                matches!(hook, Hook::ConnectServer | Hook::ReadQueryResult | Hook::DisconnectClient)
            }
        }
    }
}
