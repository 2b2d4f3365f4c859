//! How backends greeted last: one that is slow is told from one that is DOWN, and a client can be greeted before its backend is
//! chosen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use wire::Capabilities;
use wire::connect::Handshake;

/// The last greeting of each backend, by its index.
#[derive(Debug, Default)]
pub struct Greetings(Mutex<Vec<Option<Greeted>>>);

/// The last greeting of a backend.
#[derive(Debug, Clone)]
struct Greeted {
    at: Instant,
    said: Arc<Handshake>,
}

/// What any of several backends could have said.
#[derive(Debug)]
pub struct Common {
    /// What all of them offer.
    pub offered: Capabilities,
    /// The last one that was heard.
    pub last: Arc<Handshake>,
}

impl Greetings {
    /// Backend `ndx` greets with what it `said`, whatever clients are shown.
    pub fn note(&self, ndx: usize, said: Handshake, now: Instant) {
        let mut all = self.lock();
        if all.len() <= ndx {
            all.resize(ndx + 1, None);
        }
        if let Some(last) = all.get_mut(ndx) {
            *last = Some(Greeted { at: now, said: Arc::new(said) });
        }
    }

    /// Whether backend `ndx` greeted anybody since then.
    pub fn any_since(&self, ndx: usize, then: Instant) -> bool {
        self.lock().get(ndx).and_then(Option::as_ref).is_some_and(|last| last.at > then)
    }

    /// What backend `ndx` offered when it greeted last; `None` if it never did.
    pub fn offered(&self, ndx: usize) -> Option<Capabilities> {
        Some(self.lock().get(ndx)?.as_ref()?.said.capabilities)
    }

    /// Whether backend `ndx` ever greeted anybody.
    pub fn knows(&self, ndx: usize) -> bool {
        self.lock().get(ndx).is_some_and(Option::is_some)
    }

    /// What those of `backends` have in common that ever greeted anybody; `None` if none did.
    pub fn common(&self, backends: impl Iterator<Item = usize>) -> Option<Common> {
        let all = self.lock();
        let known = || backends.filter_map(|ndx| all.get(ndx)?.as_ref());
        let (offered, last) = known().map(|one| (one.said.capabilities, one)).reduce(
            |(offered, last), (also, one)| {
                (common_of(offered, also), if one.at > last.at { one } else { last })
            },
        )?;
        Some(Common { offered, last: Arc::clone(&last.said) })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Greeted>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What both offer. `LONG_PASSWORD` says that there is no extended set: that is so where one of them has none.
fn common_of(one: Capabilities, other: Capabilities) -> Capabilities {
    let has_none = (one | other) & Capabilities::LONG_PASSWORD;
    let both = one & other;
    if has_none.is_empty() {
        both
    } else {
        both.difference(Capabilities::MARIADB_EXTENDED) | has_none
    }
}

#[cfg(test)]
mod tests {
    use wire::reply::StatusFlags;

    use super::*;

    const MARIADB: Capabilities = Capabilities::PROTOCOL_41
        .union(Capabilities::SSL)
        .union(Capabilities::MARIADB_STMT_BULK_OPERATIONS);
    const MYSQL: Capabilities = Capabilities::PROTOCOL_41
        .union(Capabilities::LONG_PASSWORD)
        .union(Capabilities::SSL)
        .union(Capabilities::QUERY_ATTRIBUTES);

    fn greeting(version: &str, capabilities: Capabilities) -> Handshake {
        Handshake {
            protocol_version: 10,
            server_version: version.into(),
            thread_id: 1,
            scramble: vec![b's'; 20],
            capabilities,
            charset: 45,
            status: StatusFlags::AUTOCOMMIT,
            auth_plugin: None,
        }
    }

    #[test]
    fn what_all_offer_and_who_was_last() {
        let (greetings, start) = (Greetings::default(), Instant::now());
        assert!(greetings.common(0..3).is_none() && !greetings.knows(1));
        let later = start + std::time::Duration::from_secs(1);
        greetings.note(2, greeting("ten", MARIADB), later);
        greetings.note(0, greeting("eight", MYSQL), start);
        let common = greetings.common(0..3).expect("known");
        let both = Capabilities::PROTOCOL_41 | Capabilities::SSL | Capabilities::LONG_PASSWORD;
        assert_eq!((common.offered, &*common.last.server_version), (both, &b"ten"[..]));
        let alone = greetings.common([0, 1].into_iter()).expect("known");
        assert_eq!((alone.offered, &*alone.last.server_version), (MYSQL, &b"eight"[..]));
        assert!(greetings.knows(2) && !greetings.knows(1));
        assert!(greetings.any_since(2, start) && !greetings.any_since(0, start));
    }

    #[test]
    fn the_extended_set_is_common_where_all_have_it() {
        let (greetings, now) = (Greetings::default(), Instant::now());
        greetings.note(0, greeting("ten", MARIADB), now);
        greetings.note(1, greeting("eleven", MARIADB | Capabilities::DEPRECATE_EOF), now);
        assert_eq!(greetings.common(0..2).expect("known").offered, MARIADB);
    }
}
