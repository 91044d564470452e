//! Measuring two sides in turns.

use std::time::{Duration, Instant};

use crate::Result;
use crate::report::Goal;

/// How often each side is measured, unless a bench says otherwise.
pub(crate) const ROUNDS: usize = 21;

/// A bench: how to measure it, and what is good.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) goal: Goal,
    pub(crate) run: fn() -> Result<Measured>,
}

/// What an operation takes, in microseconds unless the goal has another unit.
pub(crate) struct Measured {
    pub(crate) ours: f64,
    /// What it is measured against, if there is something.
    pub(crate) floor: Option<Floor>,
    /// What else is worth saying.
    pub(crate) note: String,
}

/// What the floor takes, and what ours takes beyond it.
#[derive(Clone, Copy)]
pub(crate) struct Floor {
    pub(crate) took: f64,
    pub(crate) added: f64,
}

impl Measured {
    pub(crate) fn alone(ours: f64) -> Self {
        Self { ours, floor: None, note: String::new() }
    }

    pub(crate) fn beside(ours: f64, floor: f64) -> Self {
        let floor = Floor { took: floor, added: ours - floor };
        Self { floor: Some(floor), ..Self::alone(ours) }
    }

    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

/// How long `work` takes; what it returns is dropped off the clock.
pub(crate) fn time<T>(work: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    let done = work()?;
    let took = start.elapsed();
    drop(done);
    Ok(took)
}

/// Medians of `rounds`, each of `operations` operations. A side times itself, so that it can
/// prepare a round off the clock; who goes first changes from round to round.
///
/// What ours adds is the median of the rounds' differences: what slows the machine down for a while
/// slows both sides of a round.
pub(crate) fn compare(
    rounds: usize,
    operations: u32,
    mut ours: impl FnMut() -> Result<Duration>,
    mut floor: impl FnMut() -> Result<Duration>,
) -> Result<Measured> {
    // One round for the caches.
    ours()?;
    floor()?;
    let (mut ours_took, mut floor_took, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (ours, floor) = if round % 2 == 0 {
            let ours = ours()?;
            (ours, floor()?)
        } else {
            let floor = floor()?;
            (ours()?, floor)
        };
        ours_took.push(ours);
        floor_took.push(floor);
        added.push(micros(ours) - micros(floor));
    }
    let each = |took: f64| took / f64::from(operations);
    added.sort_unstable_by(f64::total_cmp);
    let added = added.get(rounds / 2).copied().unwrap_or_default();
    let floor = Floor { took: each(micros(quantile(floor_took, 0.5))), added: each(added) };
    let ours = each(micros(quantile(ours_took, 0.5)));
    Ok(Measured { floor: Some(floor), ..Measured::alone(ours) })
}

/// The median of `ROUNDS`, each of `operations` operations, with nothing beside it.
pub(crate) fn measure(
    operations: u32,
    mut ours: impl FnMut() -> Result<Duration>,
) -> Result<Measured> {
    ours()?;
    let took = (0..ROUNDS).map(|_| ours()).collect::<Result<Vec<_>>>()?;
    Ok(Measured::alone(micros(quantile(took, 0.5)) / f64::from(operations)))
}

/// The duration that the part `q` of all stays below.
pub(crate) fn quantile(mut all: Vec<Duration>, q: f64) -> Duration {
    all.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = (all.len() as f64 * q) as usize;
    all.get(place).or(all.last()).copied().unwrap_or_default()
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
