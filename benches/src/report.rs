//! Saying what was measured, and whether it is good.

use std::fmt;
use std::io::Write;

use serde::Serialize;

use crate::Result;
use crate::harness::{Bench, Measured};

/// What is good.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// Ours takes at most so many times as long as the floor.
    Ratio(f64),
    /// Ours takes at most so many microseconds more than the floor.
    Added(f64),
    /// Ours is at most this.
    AtMost(f64, Unit),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Micros,
    Bytes,
}

impl Goal {
    fn is_met(self, measured: &Measured) -> bool {
        match (self, measured.floor) {
            (Self::Ratio(most), Some(floor)) => measured.ours / floor.took <= most,
            (Self::Added(most), Some(floor)) => floor.added <= most,
            (Self::AtMost(most, _), _) => measured.ours <= most,
            (Self::Ratio(_) | Self::Added(_), None) => false,
        }
    }

    fn unit(self) -> Unit {
        if let Self::AtMost(_, unit) = self { unit } else { Unit::Micros }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(most) => write!(f, "≤ {most} ×"),
            Self::Added(most) => write!(f, "≤ +{most} µs"),
            Self::AtMost(most, Unit::Micros) => write!(f, "≤ {most} µs"),
            Self::AtMost(most, Unit::Bytes) => write!(f, "≤ {most} B"),
        }
    }
}

/// Where results go: a table for people and, if asked for, lines of JSON.
pub(crate) struct Report<W> {
    json: Option<W>,
}

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ours_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ours_bytes: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    floor_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    added_us: Option<f64>,
}

impl<W: Write> Report<W> {
    pub(crate) fn new(json: Option<W>) -> Self {
        println!(
            "{:<23} {:>12} {:>12} {:>11} {:>7} {:>10}",
            "bench", "ours µs", "floor µs", "added µs", "ratio", "goal"
        );
        Self { json }
    }

    /// Runs a bench and reports it at once.
    pub(crate) fn run(&mut self, bench: &Bench) -> Result<()> {
        let measured = (bench.run)()?;
        print(bench, &measured);
        if let Some(json) = &mut self.json {
            serde_json::to_writer(&mut *json, &Line::new(bench, &measured))?;
            json.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn print(&Bench { name, goal, .. }: &Bench, measured: &Measured) {
    let ours = match goal.unit() {
        Unit::Micros if measured.ours < 1.0 => format!("{:.3}", measured.ours),
        Unit::Micros => format!("{:.2}", measured.ours),
        Unit::Bytes => format!("{:.0} B", measured.ours),
    };
    let cell = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let floor = cell(measured.floor.map(|floor| floor.took));
    let added = cell(measured.floor.map(|floor| floor.added));
    let ratio = cell(measured.floor.map(|floor| measured.ours / floor.took));
    let goal_text = goal.to_string();
    let verdict = if goal.is_met(measured) { "ok" } else { "miss" };
    let line = format!(
        "{name:<23} {ours:>12} {floor:>12} {added:>11} {ratio:>7} {goal_text:>10} {verdict:<5} {}",
        measured.note
    );
    println!("{}", line.trim_end());
}

impl Line {
    fn new(&Bench { name, goal, .. }: &Bench, measured: &Measured) -> Self {
        let ours = |unit| (goal.unit() == unit).then_some(measured.ours);
        Self {
            bench: name,
            ours_us: ours(Unit::Micros),
            ours_bytes: ours(Unit::Bytes),
            floor_us: measured.floor.map(|floor| floor.took),
            ratio: measured.floor.map(|floor| measured.ours / floor.took),
            added_us: measured.floor.map(|floor| floor.added),
        }
    }
}
