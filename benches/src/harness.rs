//! Measuring two sides in turns, and saying what came of it.

use std::io::Write;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Result;

/// How often each side is measured, unless a bench says otherwise.
pub(crate) const ROUNDS: usize = 21;

/// A bench: how to measure it, and by how much ours may be slower.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    /// The largest good ratio.
    pub(crate) goal: f64,
    pub(crate) run: fn() -> Result<Measured>,
}

/// What an operation takes, in microseconds.
pub(crate) struct Measured {
    pub(crate) ours: f64,
    pub(crate) floor: f64,
    /// What else is worth saying.
    pub(crate) note: String,
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
pub(crate) fn compare(
    rounds: usize,
    operations: u32,
    mut ours: impl FnMut() -> Result<Duration>,
    mut floor: impl FnMut() -> Result<Duration>,
) -> Result<Measured> {
    // One round for the caches.
    ours()?;
    floor()?;
    let (mut ours_took, mut floor_took) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            ours_took.push(ours()?);
            floor_took.push(floor()?);
        } else {
            floor_took.push(floor()?);
            ours_took.push(ours()?);
        }
    }
    let each = |took| micros(quantile(took, 0.5)) / f64::from(operations);
    Ok(Measured { ours: each(ours_took), floor: each(floor_took), note: String::new() })
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

/// Where results go: a table for people and, if asked for, lines of JSON.
pub(crate) struct Report<W> {
    json: Option<W>,
}

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    ours_us: f64,
    floor_us: f64,
    ratio: f64,
}

impl<W: Write> Report<W> {
    pub(crate) fn new(json: Option<W>) -> Self {
        println!(
            "{:<20} {:>12} {:>12} {:>7} {:>7}",
            "bench", "ours µs", "floor µs", "ratio", "goal"
        );
        Self { json }
    }

    /// Runs a bench and reports it at once.
    pub(crate) fn run(&mut self, bench: &Bench) -> Result<()> {
        let &Bench { name, goal, run } = bench;
        let Measured { ours, floor, note } = run()?;
        let ratio = ours / floor;
        let verdict = if ratio <= goal { "ok" } else { "miss" };
        println!(
            "{name:<20} {ours:>12.2} {floor:>12.2} {ratio:>7.2} {:>7} {verdict:<5} {note}",
            format!("≤ {goal}")
        );
        if let Some(json) = &mut self.json {
            let line = Line { bench: name, ours_us: ours, floor_us: floor, ratio };
            serde_json::to_writer(&mut *json, &line)?;
            json.write_all(b"\n")?;
        }
        Ok(())
    }
}
