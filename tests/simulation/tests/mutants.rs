//! Deliberate bugs: the simulator must find every one. `cargo xtask mutants` builds sources that have
//! them.
//!
//! `SIMULATION_MUTANT=skip-the-fence` tries only that one.
#![cfg(mutants)]
#![allow(clippy::unwrap_used, reason = "a test, not an API")]

use std::panic;

use livestore::simulation::{MUTANTS, mutate};
use livestore_simulation::found;
use livestore_simulation::plan::Plan;
use livestore_simulation::run::run;

/// So many seeds are tried on each, unless `SIMULATION_SEEDS` says otherwise.
const SEEDS: u64 = 200;

#[test]
fn every_mutant_is_killed() {
    // A mutant may well panic.
    panic::set_hook(Box::new(|_| {}));
    let wanted = std::env::var("SIMULATION_MUTANT").ok();
    let is_wanted = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    let mutants = MUTANTS.iter().filter(|(_, found_by)| *found_by == "worlds");
    let mutants = mutants.map(|(name, _)| *name).filter(|name| is_wanted(name));
    let survivors: Vec<_> = mutants.filter(|mutant| !is_killed(mutant)).collect();
    let _ = panic::take_hook();
    assert!(survivors.is_empty(), "nobody has found {survivors:?}");
}

fn is_killed(mutant: &'static str) -> bool {
    let fails = |plan: &Plan, mutant| {
        mutate(mutant);
        let failure = run(plan).err();
        mutate(None);
        failure
    };
    let seeds = std::env::var("SIMULATION_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let drawn = (0..seeds).map(|seed| ("drawn", Plan::draw(seed)));
    let found = drawn.chain(found::plans().map(|plan| ("made", plan))).find_map(|(how, plan)| {
        let failure = fails(&plan, Some(mutant))?;
        // A world that fails without the mutant has found something else.
        fails(&plan, None).is_none().then_some((how, plan.seed, failure))
    });
    match &found {
        Some((how, seed, failure)) => {
            let what: String = failure.what.chars().take(100).collect();
            println!("{mutant:<42} {how} {seed:>3}, {:>5} steps: {what}", failure.steps);
        }
        None => println!("{mutant:<42} survives {seeds} seeds"),
    }
    found.is_some()
}
