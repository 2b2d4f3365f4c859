//! What a client's session consists of besides data, as far as another server connection can be given it; and what ties it to the
//! one that it has.
//!
//! Off unless a script tracks sessions ([`Shared::track_sessions`](crate::Shared::track_sessions)): then a connection that comes
//! out of the pool is made the client's own before its next command (`preparation.rs`).

use std::collections::{BTreeMap, BTreeSet};

use wire::Capabilities;
use wire::reply::SessionChanges;

use crate::statements::ServerStatements;

/// What can be carried to another connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionState {
    /// System variables by name, in lower case, with their values as SQL.
    pub settings: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What it began with, where servers may begin with something else by now: variables as in `settings`, which a server may
    /// refuse to set, since the client's user need not be allowed to.
    pub inherited: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What `SET ROLE` takes; `None`: that of the login.
    pub role: Option<Vec<u8>>,
    /// LAST_INSERT_ID(); `None`: it need not be restored.
    pub insert_id: Option<u64>,
}

/// What `SET NAMES` sets, under a name of its own, with what stands behind NAMES as its value: how a server describes text depends on
/// the collation that was named there, which no variable tells.
pub(crate) const NAMES: &[u8] = b"names";
/// The variables that NAMES sets.
pub(crate) const OF_NAMES: [&[u8]; 4] = [
    b"character_set_client",
    b"character_set_connection",
    b"character_set_results",
    b"collation_connection",
];

/// One assignment of a SET.
pub fn assignment(name: &[u8], value: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if name == NAMES { b" " } else { b" = " };
    let name = if name == NAMES { b"NAMES" } else { name };
    [name, sign, value].concat()
}

/// What a server calls a variable; older ones by `has_old_names`: MariaDB before 11.1, MySQL before 5.7.20.
pub(crate) fn name_of(name: &[u8], has_old_names: bool) -> &[u8] {
    match name {
        b"transaction_isolation" if has_old_names => b"tx_isolation",
        b"transaction_read_only" if has_old_names => b"tx_read_only",
        _ => name,
    }
}

impl SessionState {
    /// The character set of the login is not that of the session any more: it is the server's.
    pub(crate) fn forget_login(&mut self) {
        for name in OF_NAMES.into_iter().filter(|name| *name != b"character_set_connection") {
            self.settings.insert(name.to_vec(), b"DEFAULT".to_vec());
        }
    }

    /// What a login with these capabilities sets and MariaDB forgets when it resets the session.
    pub(crate) fn of_flags(&self, flags: Capabilities) -> impl Iterator<Item = Vec<u8>> {
        let all = [
            (
                Capabilities::IGNORE_SPACE,
                "sql_mode",
                "CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'IGNORE_SPACE')",
            ),
            (Capabilities::INTERACTIVE, "wait_timeout", "@@interactive_timeout"),
        ];
        let is_left = |name: &str| !self.settings.contains_key(name.as_bytes());
        let needed =
            all.into_iter().filter(move |(flag, name, _)| flags.contains(*flag) && is_left(name));
        needed.map(|(_, name, value)| format!("{name} = {value}").into_bytes())
    }

    /// The settings as they are to be made: NAMES sets several, so it comes first.
    pub(crate) fn in_order(&self) -> Vec<(&[u8], &[u8])> {
        let all = self.settings.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(name, _)| *name != NAMES);
        all
    }

    /// Whether the session sets this part of what NAMES sets by itself.
    pub(crate) fn sets(&self, name: &str) -> bool {
        self.settings.contains_key(NAMES) || self.settings.contains_key(name.as_bytes())
    }

    /// Takes over what is in `learned`.
    pub fn update(&mut self, learned: &Self) {
        if learned.settings.contains_key(NAMES) {
            self.settings.retain(|name, _| !OF_NAMES.contains(&name.as_slice()));
        }
        for (name, value) in &learned.settings {
            self.settings.insert(name.clone(), value.clone());
        }
        for (name, value) in &learned.inherited {
            self.inherited.insert(name.clone(), value.clone());
        }
        if learned.role.is_some() {
            self.role.clone_from(&learned.role);
        }
        self.insert_id = learned.insert_id.or(self.insert_id);
    }

    /// What it began with and a connection does not have that has inherited `present`. What the session has set since then counts.
    pub(crate) fn not_inherited<'a>(
        &'a self,
        present: &'a BTreeMap<Vec<u8>, Vec<u8>>,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let is_needed = |(name, value): &(&Vec<u8>, &Vec<u8>)| {
            !self.settings.contains_key(*name) && present.get(*name) != Some(*value)
        };
        let needed = self.inherited.iter().filter(is_needed);
        needed.map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// What has to be set on a connection that has `present`; `None` if that cannot be done without a reset.
    pub(crate) fn difference(&self, present: &Self) -> Option<Vec<(&[u8], &[u8])>> {
        let is_known = |name: &Vec<u8>| self.settings.contains_key(name);
        if !present.settings.keys().all(is_known) || present.role.is_some() && self.role.is_none() {
            return None;
        }
        let is_other = |name: &[u8], value: &[u8]| {
            present.settings.get(name).map(Vec::as_slice) != Some(value)
        };
        let sets_names = self.settings.get(NAMES).is_some_and(|value| is_other(NAMES, value));
        let is_needed = |(name, value): &(&[u8], &[u8])| {
            (sets_names && OF_NAMES.contains(name)) || is_other(name, value)
        };
        Some(self.in_order().into_iter().filter(is_needed).collect())
    }
}

/// A client connection, and which of its sessions: it has another one after a reset, or as another user.
pub(crate) type Owner = (u64, u32);

/// The session on a server connection.
#[derive(Debug, Default)]
pub struct ServerSession {
    /// Whose it is, as the client left it.
    pub(crate) owner: Option<Owner>,
    /// It lacks something of what that client expects: it is to be made its own like any other.
    pub(crate) is_incomplete: bool,
    /// What it has that others can be given.
    pub state: SessionState,
    /// The client's statements that are prepared there.
    pub(crate) statements: ServerStatements,
    /// Why no other connection, and no other client, can take its place, in plain words.
    ties: BTreeSet<String>,
    /// Those that a reset does not end.
    lasting_ties: BTreeSet<String>,
    /// The transaction, as the server reported it last: eight letters.
    pub transaction: Option<Vec<u8>>,
    /// What the next transaction is like, as the server reported it last.
    pub characteristics: Option<Vec<u8>>,
}

impl ServerSession {
    /// A login, or COM_CHANGE_USER, made it that of this client connection.
    pub(crate) fn begin(&mut self, owner: Owner) {
        *self = Self {
            owner: Some(owner),
            lasting_ties: std::mem::take(&mut self.lasting_ties),
            ..Self::default()
        };
    }

    /// Nobody else may have it. `lasts`: not even behind a reset.
    pub fn tie(&mut self, why: &str, lasts: bool) {
        let ties = if lasts { &mut self.lasting_ties } else { &mut self.ties };
        ties.insert(why.to_owned());
    }

    /// This is no reason any more.
    pub fn free(&mut self, why: &str) {
        self.ties.remove(why);
        self.lasting_ties.remove(why);
    }

    /// Why nobody else may have it.
    pub fn ties(&self) -> impl Iterator<Item = &str> {
        self.ties.union(&self.lasting_ties).map(String::as_str)
    }

    /// What the server reported with an answer.
    pub(crate) fn note(&mut self, changes: &SessionChanges) {
        let update = |known: &mut Option<Vec<u8>>, told: &Option<Vec<u8>>| {
            if told.is_some() {
                known.clone_from(told);
            }
        };
        update(&mut self.transaction, &changes.transaction);
        update(&mut self.characteristics, &changes.characteristics);
    }

    /// Whether another client may have the connection, once it is reset.
    pub fn is_free(&self) -> bool {
        let is_none = |text: &Option<Vec<u8>>| {
            text.as_ref().is_none_or(|text| text.iter().all(|letter| *letter == b'_'))
        };
        self.ties().next().is_none() && is_none(&self.transaction) && is_none(&self.characteristics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(settings: &[(&str, &str)], role: Option<&str>) -> SessionState {
        let settings = settings.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        SessionState {
            settings: settings.map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
            role: role.map(|role| role.as_bytes().to_vec()),
            ..SessionState::default()
        }
    }

    #[test]
    fn what_is_there_already_is_not_set_again() {
        let wanted = state(&[("sql_mode", "''"), ("time_zone", "'UTC'")], None);
        let present = state(&[("time_zone", "'UTC'")], None);
        assert_eq!(wanted.difference(&present), Some(vec![(&b"sql_mode"[..], &b"''"[..])]));
        assert_eq!(wanted.difference(&wanted), Some(Vec::new()));
        assert_eq!(present.difference(&wanted), None, "sql_mode would stay");
        assert_eq!(present.difference(&state(&[], Some("r"))), None, "the role would stay");
    }

    #[test]
    fn what_a_session_began_with_is_set_unless_it_has_set_it_since() {
        let inherited = state(&[("max_error_count", "64"), ("sql_mode", "''")], None).settings;
        let wanted = SessionState { inherited, ..state(&[("sql_mode", "'ANSI'")], None) };
        let nothing = BTreeMap::new();
        let needed: Vec<_> = wanted.not_inherited(&nothing).collect();
        assert_eq!(needed, [(&b"max_error_count"[..], &b"64"[..])]);
        assert_eq!(wanted.not_inherited(&wanted.inherited).count(), 0);
    }

    #[test]
    fn a_connection_is_free_without_ties_and_without_a_transaction() {
        let mut session = ServerSession::default();
        assert!(session.is_free());
        session.tie("a temporary table", false);
        session.tie("an option", true);
        assert_eq!(session.ties().collect::<Vec<_>>(), ["a temporary table", "an option"]);
        session.begin((7, 0));
        assert_eq!(session.ties().collect::<Vec<_>>(), ["an option"]);
        assert!(!session.is_free());
        session.free("an option");
        assert!(session.is_free());
        let told = |transaction: &[u8], characteristics: &[u8]| SessionChanges {
            transaction: Some(transaction.to_vec()),
            characteristics: Some(characteristics.to_vec()),
            ..SessionChanges::default()
        };
        session.note(&told(b"_______L", b""));
        assert!(!session.is_free());
        session.note(&SessionChanges::default());
        assert!(!session.is_free(), "nothing was reported");
        session.note(&told(b"________", b"SET TRANSACTION READ ONLY;"));
        assert!(!session.is_free());
        session.note(&told(b"________", b""));
        assert!(session.is_free());
    }
}
