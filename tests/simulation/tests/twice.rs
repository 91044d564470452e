//! The same seed twice is the same world twice, to the last frame.
#![cfg(simulation)]

use livestore_simulation::plan::Plan;
use livestore_simulation::run::run;

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 1_000..1_024 {
        let trace = || run(&Plan::draw(seed)).map(|run| (run.trace, run.figures.steps));
        let (once, again) = (trace(), trace());
        match (once, again) {
            (Ok(once), Ok(again)) => assert_eq!(once, again, "seed {seed}"),
            (once, again) => panic!("seed {seed}: {once:?}, {again:?}"),
        }
    }
}

#[test]
fn another_seed_gives_another_trace() {
    let trace = |seed| run(&Plan::draw(seed)).map(|run| run.trace).ok();
    assert_ne!(trace(1_000), trace(1_001));
}
