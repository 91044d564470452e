//! What the store did, and how long it took.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use livestore::now;
use livestore::tools::{Activity as Done, Observation};

use super::{Host, Refused, Target, lock};
use crate::protocol::{Activity, ActivityKind, Histogram, NamedHistogram, Performance};

/// The most activities that are kept for pages.
const KEPT: usize = 1_000;

/// The number of buckets of a histogram: the last one is of a minute and more.
const BUCKETS: usize = 27;

/// What was done while a page watched.
#[derive(Default)]
pub(super) struct Activities(Mutex<Log>);

#[derive(Default)]
struct Log {
    /// The number of pages that watch, and what they watch with.
    watched: Option<(usize, Option<Observation>)>,
    recent: VecDeque<Activity>,
    /// The number of all activities.
    count: u64,
    commits: Histogram,
    queries: Histogram,
    materializers: HashMap<String, Histogram>,
}

/// Keeps the store observed.
pub(super) struct Observing(Arc<Activities>);

impl Drop for Observing {
    fn drop(&mut self) {
        let mut log = lock(&self.0.0);
        let ended = match &mut log.watched {
            Some((pages, _)) if *pages > 1 => {
                *pages -= 1;
                None
            }
            _ => log.watched.take(),
        };
        // Ending it locks the store, which may be calling us.
        drop(log);
        drop(ended);
    }
}

impl Activities {
    /// Observes the store until the result is dropped.
    pub(super) fn observe(self: &Arc<Self>, target: &dyn Target) -> Result<Observing, Refused> {
        if let Some((pages, _)) = &mut lock(&self.0).watched {
            *pages += 1;
            return Ok(Observing(Arc::clone(self)));
        }
        let log = Arc::downgrade(self);
        let observation = target.observe(Arc::new(move |done| {
            if let Some(log) = log.upgrade() {
                lock(&log.0).note(done);
            }
        }))?;
        let mut log = lock(&self.0);
        let pages = log.watched.as_ref().map_or(0, |(pages, _)| *pages) + 1;
        let earlier = log.watched.replace((pages, observation));
        drop(log);
        drop(earlier);
        Ok(Observing(Arc::clone(self)))
    }

    /// The number of activities so far.
    pub(super) fn count(&self) -> u64 {
        lock(&self.0).count
    }

    /// The activities after the first `count`, as far as they are kept, and the number of all.
    pub(super) fn since(&self, count: u64) -> (Vec<Activity>, u64) {
        let log = lock(&self.0);
        let new = usize::try_from(log.count - count).unwrap_or(usize::MAX).min(log.recent.len());
        (log.recent.iter().skip(log.recent.len() - new).cloned().collect(), log.count)
    }

    pub(super) fn add(&self, what: ActivityKind) {
        lock(&self.0).add(what);
    }
}

impl Log {
    fn note(&mut self, done: &Done) {
        let texts = |seqs: &[livestore::SeqNum]| seqs.iter().map(ToString::to_string).collect();
        let what = match done {
            Done::Queried { took } => return self.queries.add(*took),
            Done::Materialized { name, took } => {
                return match self.materializers.get_mut(&**name) {
                    Some(histogram) => histogram.add(*took),
                    None => self.materializers.entry(name.to_string()).or_default().add(*took),
                };
            }
            Done::Committed { seqs, names, took } => {
                self.commits.add(*took);
                let names = names.iter().map(ToString::to_string).collect();
                ActivityKind::Committed { seqs: texts(seqs), names, micros: micros(*took) }
            }
            Done::Pushed { first, count } => {
                ActivityKind::Pushed { first: first.to_string(), count: *count as u64 }
            }
            Done::Confirmed { last, .. } => ActivityKind::Acknowledged { last: last.to_string() },
            Done::Pulled { first, count, took } => ActivityKind::Pulled {
                first: first.to_string(),
                count: *count as u64,
                micros: micros(*took),
            },
            Done::Rebased { undone, redone, upstream, took } => ActivityKind::Rebased {
                undone: texts(undone),
                redone: texts(redone),
                upstream: *upstream as u64,
                micros: micros(*took),
            },
            Done::Quarantined(event) => ActivityKind::Quarantined {
                seq: event.seq.to_string(),
                name: event.name.clone(),
                reason: event.reason.to_string(),
            },
            _ => return,
        };
        self.add(what);
    }

    fn add(&mut self, what: ActivityKind) {
        self.count += 1;
        self.recent.push_back(Activity { time: now().as_millis(), what });
        if self.recent.len() > KEPT {
            self.recent.pop_front();
        }
    }
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        let micros = micros(took);
        self.count += 1;
        self.sum_micros += micros;
        self.max_micros = self.max_micros.max(micros);
        if self.buckets.is_empty() {
            self.buckets = vec![0; BUCKETS];
        }
        let bits = u128::BITS - took.as_micros().leading_zeros();
        let bucket = usize::try_from(bits).unwrap_or(BUCKETS).min(BUCKETS - 1);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
    }
}

impl Host {
    pub(super) fn performance(&self) -> Result<Performance, Refused> {
        let state_bytes = self.target.state_bytes()?;
        let log = lock(&self.activities.0);
        let named = |(name, histogram): (&String, &Histogram)| NamedHistogram {
            name: name.clone(),
            histogram: histogram.clone(),
        };
        let mut materializers: Vec<_> = log.materializers.iter().map(named).collect();
        materializers.sort_by(|a, b| b.histogram.sum_micros.total_cmp(&a.histogram.sum_micros));
        let (commits, queries) = (log.commits.clone(), log.queries.clone());
        Ok(Performance { commits, queries, materializers, state_bytes })
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
