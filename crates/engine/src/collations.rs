//! The names of the collations that clients log in with by number: a connection that is reset has the server's own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::server_session::SessionState;

/// What each backend calls them, as it said when it was asked.
#[derive(Debug, Default)]
pub struct Collations(Mutex<HashMap<(usize, u8), Names>>);

/// A character set and a collation. Empty: the server does not know the number.
#[derive(Debug, Clone, Default)]
pub struct Names {
    charset: String,
    collation: String,
}

impl Names {
    /// As a server calls them.
    pub fn new(charset: &[u8], collation: &[u8]) -> Self {
        // They are put into a statement.
        let name = |bytes: &[u8]| {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let is_name = bytes.iter().all(is_name);
            String::from_utf8_lossy(if is_name { bytes } else { b"" }).into_owned()
        };
        Self { charset: name(charset), collation: name(collation) }
    }

    /// The assignments of a SET for a session with `state`, which may have others of its own.
    pub fn settings(&self, state: &SessionState) -> Vec<Vec<u8>> {
        let all = [
            ("character_set_client", &self.charset),
            ("character_set_results", &self.charset),
            ("collation_connection", &self.collation),
        ];
        let is_needed = |(name, value): &(&str, &String)| {
            !value.is_empty() && !state.settings.contains_key(name.as_bytes())
        };
        let needed = all.into_iter().filter(is_needed);
        needed.map(|(name, value)| format!("{name} = {value}").into_bytes()).collect()
    }
}

/// What asks for the names of a number.
pub fn question(number: Option<u8>) -> String {
    format!(
        "SELECT CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID = {}",
        number.unwrap_or_default()
    )
}

impl Collations {
    /// The names of a number on a backend; `None` if it was not asked.
    pub fn names(&self, backend: usize, number: u8) -> Option<Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(backend, number)).cloned()
    }

    /// The backend said so. What is known already stays.
    pub fn learn(&self, backend: usize, number: u8, names: Names) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((backend, number)).or_insert(names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_learned_once_and_settings_of_the_session_come_first() {
        let collations = Collations::default();
        assert!(collations.names(1, 45).is_none());
        collations.learn(1, 45, Names::new(b"utf8mb4", b"utf8mb4_general_ci"));
        collations.learn(1, 45, Names::default());
        let names = collations.names(1, 45).expect("learned");
        let mut state = SessionState::default();
        assert_eq!(
            names.settings(&state).join(&b", "[..]),
            b"character_set_client = utf8mb4, character_set_results = utf8mb4, \
             collation_connection = utf8mb4_general_ci"
        );
        state.settings.insert(b"character_set_results".to_vec(), b"NULL".to_vec());
        assert_eq!(names.settings(&state).len(), 2);
        assert!(Names::default().settings(&state).is_empty());
        assert!(Names::new(b"x; DROP", b"y'").settings(&state).is_empty());
    }
}
