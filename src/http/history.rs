//! The last minutes, a sample a second: so that the page has them when it is opened.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{BOUNDS, Distribution};
use serde_json::{Value, json};

use crate::drive::Context;

/// How far it is from one sample to the next.
pub const EVERY: Duration = Duration::from_secs(1);
/// How many are kept.
const MOST: usize = 300;

/// The samples, oldest first.
#[derive(Debug, Default)]
pub struct History(Mutex<VecDeque<Sample>>);

/// Numbers since the start, at a moment.
#[derive(Debug)]
struct Sample {
    /// Since 1970.
    time: Duration,
    commands: u64,
    errors: u64,
    connections: u64,
    /// How many commands took how long, whatever backend answered.
    times: Distribution,
}

impl Sample {
    fn of(ctx: &Context) -> Self {
        let stats = &ctx.shared.stats;
        let mut times = Distribution::default();
        for ndx in 0..ctx.backends.len() {
            if let Some(backend) = stats.backends.get(ndx) {
                backend.answers.all().for_each(|own| own.add_to(&mut times));
            }
        }
        let closed = stats.closed_connections.get();
        Self {
            time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            commands: stats.commands.all(),
            errors: stats.errors.all().iter().map(|(_, _, count)| count).sum(),
            connections: stats.connections.get().saturating_sub(closed),
            times,
        }
    }

    fn show(&self) -> Value {
        json!({
            "time": self.time.as_secs_f64(),
            "commands": self.commands,
            "errors": self.errors,
            "connections": self.connections,
            "command_times": self.times.buckets,
        })
    }
}

impl History {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a sample.
    pub fn note(&self, ctx: &Context) {
        let sample = Sample::of(ctx);
        let mut samples = self.lock();
        if samples.len() == MOST {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    /// The samples behind this time, in seconds since 1970.
    pub fn after(&self, time: f64) -> Value {
        let samples = self.lock();
        let is_later = |sample: &&Sample| sample.time.as_secs_f64() > time;
        let bounds = BOUNDS.map(|bound| Duration::from_nanos(bound).as_secs_f64());
        let shown: Vec<_> = samples.iter().filter(is_later).map(Sample::show).collect();
        json!({ "bounds": bounds, "samples": shown })
    }
}
