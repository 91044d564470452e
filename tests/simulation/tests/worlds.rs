//! Many worlds.
//!
//! `SIMULATION_SEED=7` runs one seed, `SIMULATION_SEEDS=1000` so many from the first, and
//! `SIMULATION_SECONDS=60` fresh ones for so long.
#![cfg(simulation)]
#![expect(clippy::disallowed_methods, reason = "a soak runs by the clock, from a random seed")]
#![allow(clippy::unwrap_used, reason = "a test, not an API")]

use std::time::{Duration, Instant};

use livestore_simulation::figures::Figures;
use livestore_simulation::run::run_seed;

/// So many seeds are run if nothing is said.
const SEEDS: u64 = 100;

fn said(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[test]
fn everybody_agrees_whatever_happens() {
    let begun = Instant::now();
    let mut figures = Figures::default();
    let one = |figures: &mut Figures, seed: u64| match run_seed(seed) {
        Ok(run) => figures.add(&run.figures),
        Err(report) => panic!("{report}"),
    };
    match (said("SIMULATION_SEED"), said("SIMULATION_SECONDS")) {
        (Some(seed), _) => one(&mut figures, seed),
        (None, Some(seconds)) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            let mut seed = now.as_nanos() as u64;
            while begun.elapsed() < Duration::from_secs(seconds) {
                one(&mut figures, seed);
                seed = seed.wrapping_add(1);
            }
        }
        (None, None) => {
            let first = said("SIMULATION_FIRST").unwrap_or(0);
            let seeds = said("SIMULATION_SEEDS").unwrap_or(SEEDS);
            (first..first + seeds).for_each(|seed| one(&mut figures, seed));
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{figures}in {seconds:.1} s: {:.0} steps/s", figures.steps as f64 / seconds);
}
