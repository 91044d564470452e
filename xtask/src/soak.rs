//! `cargo xtask soak`: the tests that make up their own cases, optimised, for as long as asked.

use std::process::ExitCode;

use crate::fuzz;
use crate::line::Line;
use crate::simulation;
use crate::step::{self, Step};

/// Runs every part, for about this number of minutes in total.
pub(crate) fn run(minutes: u64) -> ExitCode {
    step::run_all(&plan(minutes), false)
}

/// Each says at its end what it has run, and names the seed of what it has found.
fn plan(minutes: u64) -> Vec<Step> {
    let part = minutes * 60 / 3;
    let oracle = "test --release --package livestore --lib live::oracle -- --nocapture";
    let oracle = Line::cargo(oracle).env("LIVE_SOAK_SECONDS", part.to_string());
    let worlds = ["--test", "worlds", "--", "--nocapture"].map(str::to_owned);
    let worlds = simulation::line(&worlds).env("SIMULATION_SECONDS", part.to_string());
    let minutes = minutes.div_ceil(3) + 5;
    vec![
        Step::new("live queries", minutes, [oracle]),
        Step::new("simulation", minutes, [worlds]),
        fuzz::plan(&fuzz::TARGETS, part / fuzz::TARGETS.len() as u64),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_share_the_time() {
        let steps: Vec<_> = plan(10).iter().map(Step::to_string).collect();
        let (fuzz, others) = steps.split_last().unwrap();
        assert!(others.iter().all(|step| step.contains("_SECONDS=200 ")), "{steps:?}");
        assert!(fuzz.starts_with("fuzz: "), "{fuzz}");
    }
}
