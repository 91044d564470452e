//! Live queries against fresh ones, over random schemas, queries, commits and rebases.
//!
//! After each step every live query has the value of a fresh query, or fails as that does, every
//! stream of diffs leads there, and a subscriber was called if there was a change, once, and not
//! otherwise. The [`world`] takes the steps; a [`watch`] compares.
//!
//! | environment | |
//! |---|---|
//! | `LIVE_CASES` | the number of cases; by default 800 |
//! | `LIVE_SOAK_SECONDS` | the time for which cases are run, from ever new seeds |
//! | `LIVE_SEED` | the seed of a failure, from its message |

#![allow(clippy::unwrap_used, reason = "a test, not an API")]

mod cells;
mod dice;
mod history;
mod queries;
mod regressions;
mod selects;
mod tables;
mod watch;
mod world;
mod writes;

use std::cell::RefCell;
use std::ops::AddAssign;
use std::process::Command;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

use world::{Case, Tally, World};

/// Some tens of thousands of steps.
const CASES: u32 = 800;

#[test]
fn live_equals_fresh() {
    match number("LIVE_SOAK_SECONDS") {
        Some(seconds) => soak(Duration::from_secs(seconds)),
        None => run(number("LIVE_SEED").unwrap_or_else(new_seed)),
    }
}

/// Each run is a process of its own, which gives back what its schemas have leaked.
#[expect(clippy::disallowed_methods, reason = "the length of a soak is given in seconds")]
fn soak(time: Duration) {
    let (start, mut runs) = (Instant::now(), 0);
    while start.elapsed() < time {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["live::oracle::live_equals_fresh", "--exact", "--nocapture", "--quiet"])
            .env_remove("LIVE_SOAK_SECONDS")
            .env("LIVE_SEED", new_seed().to_string())
            .status();
        assert!(status.unwrap().success(), "the run above has failed");
        runs += 1;
    }
    println!("{runs} runs of {} cases", cases_a_run());
}

fn run(seed: u64) {
    let tally = RefCell::new(Tally::default());
    let found = runner(seed).run(&cases(), |case| {
        *tally.borrow_mut() += World::run(&case, false).map_err(TestCaseError::fail)?;
        Ok(())
    });
    if let Err(TestError::Fail(reason, case)) = found {
        println!("the smallest case:");
        let _ = World::run(&case, true);
        panic!("LIVE_SEED={seed}: {reason}");
    }
    let tally = tally.into_inner();
    println!("{tally:?}");
    let Tally {
        commits, refused, rebases, points, rows, groups, reruns, indexes, failures, ..
    } = tally;
    let kept = commits - refused;
    let seen = [refused, kept, rebases, points, rows, groups, reruns, indexes, failures];
    // Failures come in clusters: over seeds their number varies by half. A tenth is far below it.
    let enough = tally.lost_savepoints > 0
        && tally.recoveries > 0
        && seen.iter().all(|&often| often > tally.cases / 10);
    assert!(tally.cases < 100 || enough, "{tally:?}");
}

fn cases_a_run() -> u32 {
    number("LIVE_CASES").map_or(CASES, |cases| u32::try_from(cases).unwrap())
}

fn runner(seed: u64) -> TestRunner {
    let config = ProptestConfig {
        cases: cases_a_run(),
        failure_persistence: None,
        max_shrink_time: 15_000,
        max_shrink_iters: 100_000,
        ..ProptestConfig::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn cases() -> impl Strategy<Value = Case> {
    let rolls = |count: usize| prop::collection::vec(0u16..2_100, count);
    (rolls(160), prop::collection::vec(rolls(48), 1..60))
}

fn new_seed() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}

#[expect(clippy::disallowed_methods, reason = "a soak is set up by the environment")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap())
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.cases += other.cases;
        self.steps += other.steps;
        self.commits += other.commits;
        self.refused += other.refused;
        self.rebases += other.rebases;
        self.lost_savepoints += other.lost_savepoints;
        self.checks += other.checks;
        self.points += other.points;
        self.rows += other.rows;
        self.groups += other.groups;
        self.reruns += other.reruns;
        self.indexes += other.indexes;
        self.failures += other.failures;
        self.recoveries += other.recoveries;
    }
}
