//! The names of the collations that clients log in with by number: a connection that is reset has the server's own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::server_session::SessionState;

/// What each backend calls them, as it said when it was asked.
#[derive(Debug, Default)]
pub struct Collations(Mutex<HashMap<(usize, u8), Names>>);

/// What a server says of a number.
#[derive(Debug, Clone, Default)]
pub enum Names {
    /// Nothing: it would not say.
    #[default]
    Untold,
    /// It does not know it.
    Unknown,
    /// A character set and a collation.
    Known {
        /// The character set.
        charset: String,
        /// The collation.
        collation: String,
        /// It is the one that the server was built with for this character set.
        is_default: bool,
    },
}

impl Names {
    /// As a server calls them.
    pub fn new(charset: &[u8], collation: &[u8], is_default: bool) -> Self {
        // They are put into a statement.
        let name = |bytes: &[u8]| {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let is_name = bytes.iter().all(is_name);
            String::from_utf8_lossy(if is_name { bytes } else { b"" }).into_owned()
        };
        let (charset, collation) = (name(charset), name(collation));
        if charset.is_empty() || collation.is_empty() {
            return Self::Unknown;
        }
        Self::Known { charset, collation, is_default }
    }

    /// The assignments of a SET that give a session with `state`, which may have others of its own, what a login with the number gives.
    pub fn settings(&self, state: &SessionState, is_mariadb: bool) -> Vec<Vec<u8>> {
        let all = ["character_set_client", "character_set_results", "collation_connection"];
        let needed = || all.iter().filter(|name| !state.sets(name));
        match self {
            Self::Untold => Vec::new(),
            // A login with a number that a server does not know gets what the server has.
            Self::Unknown => {
                needed().map(|name| format!("{name} = DEFAULT").into_bytes()).collect()
            }
            Self::Known { .. } if needed().next().is_none() => Vec::new(),
            // MariaDB may have another collation in the place of this one: character_set_collations.
            Self::Known { charset, is_default: true, .. } if is_mariadb => {
                vec![format!("NAMES {charset}").into_bytes()]
            }
            Self::Known { charset, collation, .. } => {
                vec![format!("NAMES {charset} COLLATE {collation}").into_bytes()]
            }
        }
    }
}

/// What asks for the names of a number. Which collation is the default MariaDB says as the session has it.
pub fn question(number: Option<u8>) -> String {
    format!(
        "/*M!110201 SET STATEMENT character_set_collations = '' FOR */ \
         SELECT CHARACTER_SET_NAME, COLLATION_NAME, IS_DEFAULT \
         FROM information_schema.COLLATIONS WHERE ID = {}",
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
        collations.learn(1, 45, Names::new(b"utf8mb4", b"utf8mb4_general_ci", true));
        collations.learn(1, 45, Names::default());
        let names = collations.names(1, 45).expect("learned");
        let mut state = SessionState::default();
        let text = |names: &Names, state: &SessionState, is_mariadb| {
            let settings = names.settings(state, is_mariadb).join(&b", "[..]);
            String::from_utf8(settings).expect("ASCII")
        };
        assert_eq!(text(&names, &state, true), "NAMES utf8mb4");
        let whole = "NAMES utf8mb4 COLLATE utf8mb4_general_ci";
        assert_eq!(text(&names, &state, false), whole);
        state.settings.insert(b"character_set_results".to_vec(), b"NULL".to_vec());
        assert_eq!(text(&names, &state, false), whole);
        let unknown = "character_set_client = DEFAULT, collation_connection = DEFAULT";
        assert_eq!(text(&Names::Untold, &state, true), "");
        assert_eq!(text(&Names::Unknown, &state, true), unknown);
        assert_eq!(text(&Names::new(b"x; DROP", b"y'", true), &state, true), unknown);
        state.settings.insert(b"names".to_vec(), b"'latin1'".to_vec());
        assert_eq!(text(&names, &state, true), "");
        assert_eq!(text(&Names::Unknown, &state, true), "");
    }
}
