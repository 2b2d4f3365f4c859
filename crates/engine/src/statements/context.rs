//! What a session was like when a statement was prepared: the statement keeps that.

use std::collections::BTreeMap;

use wire::Capabilities;

use crate::SessionState;
use crate::collations::Names;
use crate::server_session::{NAMES, OF_NAMES, assignment};

/// The variables that count when a statement is prepared. Others count when it is executed, and some of them cannot be set in a
/// transaction.
const PARSED_WITH: [&[u8]; 7] = [
    b"default_week_format",
    b"div_precision_increment",
    b"group_concat_max_len",
    b"lc_time_names",
    b"old_mode",
    SQL_MODE,
    b"time_zone",
];
const SQL_MODE: &[u8] = b"sql_mode";

/// What the names and the syntax of a statement mean.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Context {
    /// Of those that count, the ones that the session has set.
    settings: SessionState,
    /// The default database.
    pub database: Vec<u8>,
}

/// What a session has that sets nothing.
pub(crate) struct Login {
    /// The collation of its login.
    pub names: Names,
    /// What the login asked for, as far as the session still has it.
    pub flags: Capabilities,
    pub is_mariadb: bool,
}

impl Context {
    /// That of a session.
    pub fn of(state: &SessionState, database: &[u8]) -> Self {
        let counts = |name: &[u8]| PARSED_WITH.contains(&name) || is_of_names(name);
        let settings = state.settings.iter().filter(|(name, _)| counts(name));
        let settings = settings.map(|(name, value)| (name.clone(), value.clone()));
        let settings: BTreeMap<_, _> = settings.collect();
        Self {
            settings: SessionState { settings, ..SessionState::default() },
            database: database.to_vec(),
        }
    }

    /// The assignments that make a session which is like `present` like this one.
    pub fn settings(&self, present: &Self, login: &Login) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let has_other_names = || self.names().ne(present.names());
        if has_other_names() {
            all.extend(login.names.settings(&self.settings, login.is_mariadb));
            let own = self.settings.in_order();
            let own = own.into_iter().filter(|(name, _)| is_of_names(name));
            all.extend(own.map(|(name, value)| assignment(name, value)));
        }
        for name in PARSED_WITH {
            let (own, other) = (self.get(name), present.get(name));
            if own != other {
                let value = own.unwrap_or_else(|| login.value(name));
                all.push(assignment(name, value));
            }
        }
        all
    }

    /// Whether the collation of the login has to be known to go from one to the other.
    pub fn needs_login(&self, other: &Self) -> bool {
        self.names().ne(other.names())
    }

    fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.settings.settings.get(name).map(Vec::as_slice)
    }

    fn names(&self) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
        self.settings.settings.iter().filter(|(name, _)| is_of_names(name))
    }
}

fn is_of_names(name: &[u8]) -> bool {
    name == NAMES || OF_NAMES.contains(&name)
}

impl Login {
    fn value(&self, name: &[u8]) -> &'static [u8] {
        if name == SQL_MODE && self.flags.contains(Capabilities::IGNORE_SPACE) {
            b"CONCAT_WS(',', NULLIF(@@global.sql_mode, ''), 'IGNORE_SPACE')"
        } else {
            b"DEFAULT"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(settings: &[(&str, &str)]) -> Context {
        let settings = settings.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let settings = settings.map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        Context::of(&SessionState { settings, ..SessionState::default() }, b"d")
    }

    fn text(to: &Context, from: &Context, flags: Capabilities) -> String {
        let names = Names::new(b"utf8mb4", b"utf8mb4_general_ci", false);
        let settings = to.settings(from, &Login { names, flags, is_mariadb: true });
        String::from_utf8(settings.join(&b", "[..])).expect("ASCII")
    }

    #[test]
    fn what_does_not_count_is_left_alone() {
        let (plain, set) = (context(&[]), context(&[("sql_log_bin", "0")]));
        assert_eq!(plain, set);
        assert_eq!(text(&plain, &set, Capabilities::empty()), "");
    }

    #[test]
    fn it_goes_back_and_forth() {
        let (then, now) =
            (context(&[]), context(&[("sql_mode", "'ANSI'"), ("time_zone", "'UTC'")]));
        let none = Capabilities::empty();
        assert_eq!(text(&then, &now, none), "sql_mode = DEFAULT, time_zone = DEFAULT");
        assert_eq!(text(&now, &then, none), "sql_mode = 'ANSI', time_zone = 'UTC'");
        assert_eq!(
            text(&then, &context(&[("sql_mode", "''")]), Capabilities::IGNORE_SPACE),
            "sql_mode = CONCAT_WS(',', NULLIF(@@global.sql_mode, ''), 'IGNORE_SPACE')"
        );
    }

    #[test]
    fn character_sets_go_together() {
        let then = context(&[]);
        let now = context(&[("names", "'latin1'"), ("character_set_results", "NULL")]);
        assert!(then.needs_login(&now) && !then.needs_login(&context(&[("sql_mode", "''")])));
        let none = Capabilities::empty();
        assert_eq!(text(&then, &now, none), "NAMES utf8mb4 COLLATE utf8mb4_general_ci");
        assert_eq!(text(&now, &then, none), "NAMES 'latin1', character_set_results = NULL");
    }
}
