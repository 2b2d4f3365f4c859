//! Which statements take the most: `pyproxy-query-stats`.

use std::cell::RefCell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metrics::Top;
use metrics::top::{Cost, Report, Texts};
use sqltok::exact::{Rules, digest, fingerprint};
use wire::Command;

use super::slow::SlowQuery;
use super::{Observed, PreparedQuery};
use crate::Text;
use crate::turn::Turn;

thread_local! {
    /// Where fingerprints are made.
    static PLACE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What moments are in the time of the calendar.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    unix: Duration,
}

impl Clock {
    /// This moment is that time.
    pub fn new(start: Instant, time: SystemTime) -> Self {
        Self { start, unix: time.duration_since(UNIX_EPOCH).unwrap_or_default() }
    }

    /// A moment, since 1970.
    fn at(&self, moment: Instant) -> Duration {
        self.unix + moment.saturating_duration_since(self.start)
    }
}

/// The statements that took the most time. All times are since 1970.
#[derive(Debug)]
pub struct QueryStats {
    top: Top,
    clock: Clock,
}

impl QueryStats {
    /// For so many statements.
    pub fn new(most: usize, clock: Clock) -> Self {
        Self { top: Top::new(most, clock.at(clock.start)), clock }
    }

    /// How many are shown at most.
    pub fn most(&self) -> usize {
        self.top.most()
    }

    /// The statement with this digest took so much. `texts` is called if it is a newcomer.
    pub fn count(&self, digest: u64, cost: &Cost, at: Instant, texts: impl FnOnce() -> Texts) {
        self.top.count(digest, cost, self.clock.at(at), texts);
    }

    /// All that is known.
    pub fn report(&self) -> Report {
        self.top.report()
    }

    /// Forgets everything: it is counted from now on.
    pub fn reset(&self, now: Instant) {
        self.top.reset(self.clock.at(now));
    }
}

/// Calls `then` with the fingerprint of a text and its digest.
pub(super) fn with_fingerprint<T>(
    text: &Text,
    rules: Rules,
    then: impl FnOnce(u64, &[u8]) -> T,
) -> T {
    PLACE.with_borrow_mut(|place| {
        fingerprint(&text.start, rules, text.is_cut(), place);
        then(digest(place), place)
    })
}

impl Turn<'_> {
    /// Counts a command, and has it noted if it was slow.
    pub(super) fn note_query(&mut self, observed: &Observed) {
        let is_counted = self.shared.queries.is_some()
            && matches!(
                observed.command,
                Command::QUERY
                    | Command::STMT_EXECUTE
                    | Command::STMT_BULK_EXECUTE
                    | Command::STMT_FETCH
            );
        let slow = self.shared.slow.as_ref();
        let is_slow = slow.is_some_and(|slow| slow.is_slow(observed.command, observed.time));
        if !is_counted && !is_slow {
            return;
        }
        if is_slow {
            self.shared.stats.slow_queries.increment();
        }
        match self.session.notes.prepared.take() {
            Some(prepared) => {
                self.note_known(observed, is_slow, is_counted, &prepared);
            }
            None if self.session.text.len > 0 => {
                let rules = Rules { ansi_quotes: false, ..self.rules() };
                with_fingerprint(&self.session.text, rules, |digest, fingerprint| {
                    if is_counted {
                        self.count_query(observed, digest, || {
                            texts(fingerprint, &self.session.text)
                        });
                    }
                    if is_slow {
                        self.note_slow(observed, Some(digest), &self.session.text);
                    }
                });
            }
            None if is_slow => self.note_slow(observed, None, &Text::default()),
            None => {}
        }
    }

    fn note_known(
        &self,
        observed: &Observed,
        is_slow: bool,
        is_counted: bool,
        prepared: &PreparedQuery,
    ) {
        if is_counted {
            self.count_query(observed, prepared.digest, || {
                texts(&prepared.fingerprint, &prepared.text)
            });
        }
        if is_slow {
            self.note_slow(observed, Some(prepared.digest), &prepared.text);
        }
    }

    fn count_query(&self, observed: &Observed, digest: u64, texts: impl FnOnce() -> Texts) {
        let Some(queries) = &self.shared.queries else { return };
        let notes = &self.session.notes;
        let cost = Cost {
            time: observed.time,
            rows: notes.rows,
            bytes: notes.bytes,
            is_error: notes.error.is_some() || observed.is_aborted,
            is_continued: observed.command == Command::STMT_FETCH,
        };
        queries.count(digest, &cost, observed.ended_at, texts);
    }

    fn note_slow(&self, observed: &Observed, digest: Option<u64>, text: &Text) {
        let Some(slow) = &self.shared.slow else { return };
        let (session, notes) = (&*self.session, &self.session.notes);
        slow.log.note(&SlowQuery {
            connection: session.id,
            user: session.client.username(),
            client: &session.client.src.name,
            database: &session.client.default_db,
            backend: observed.backend,
            command: observed.command,
            time: observed.time,
            rows: notes.rows,
            bytes: notes.bytes,
            error: notes.error,
            is_aborted: observed.is_aborted,
            digest,
            text,
        });
    }
}

fn texts(fingerprint: &[u8], text: &Text) -> Texts {
    let example = text.shown();
    Texts {
        fingerprint: fingerprint.into(),
        example: example.into(),
        is_cut: text.len > example.len(),
    }
}
