//! Deliberate bugs: the simulator must find every one.
//!
//! `SIMULATION_MUTANT="skip the fence"` tries only that one.
#![cfg(simulation)]
#![allow(clippy::unwrap_used, reason = "a test, not an API")]

use std::panic;

use livestore::simulation::mutate;
use livestore_simulation::plan::Plan;
use livestore_simulation::run::run;

/// Each is somewhere in `livestore` or `livestore-server`, behind `mutant!`. One more is found by the
/// crash tests (`crash/client.rs`): a power cut has to come at the right moment.
const MUTANTS: &[&str] = &[
    // The engine.
    "skip the fence",
    "ignore the backend id",
    // The merge core.
    "renumber without the parents",
    "lose client-only events in a rebase",
    "drop the duplicate check",
    "advance the head twice",
    "take another's event for one's own",
    "stay ahead of the log",
    "skip the metadata",
    "forget the generation",
    // The store and its log.
    "forget a rollback",
    "commit what was not logged",
    "tell live queries nothing of a rollback",
    "keep no generation in the log",
    "open without what is pending",
    "drop the buffer on a failed flush",
    "leave a rebase to the cache",
    "snapshot what was never pulled",
    "snapshot what is pending",
    // The server.
    "ack before durable",
    "append without looking at the parent",
    "publish before durable",
    "take any push that was seen before",
];

/// So many seeds are tried on each, unless `SIMULATION_SEEDS` says otherwise.
const SEEDS: u64 = 200;

#[test]
fn every_mutant_is_killed() {
    // A mutant may well panic.
    panic::set_hook(Box::new(|_| {}));
    let wanted = std::env::var("SIMULATION_MUTANT").ok();
    let is_wanted = |it: &&&str| wanted.as_deref().is_none_or(|wanted| wanted == **it);
    let mutants = MUTANTS.iter().filter(is_wanted);
    let survivors: Vec<_> = mutants.filter(|mutant| !is_killed(mutant)).collect();
    let _ = panic::take_hook();
    assert!(survivors.is_empty(), "nobody has found {survivors:?}");
}

fn is_killed(mutant: &'static str) -> bool {
    let fails = |seed, mutant| {
        mutate(mutant);
        let failure = run(&Plan::draw(seed)).err();
        mutate(None);
        failure.map(|failure| (seed, failure))
    };
    // A seed that fails without the mutant has found something else.
    let is_its_own = |found: &(u64, _)| fails(found.0, None).is_none();
    let seeds = std::env::var("SIMULATION_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let found = (0..seeds).find_map(|seed| fails(seed, Some(mutant)).filter(is_its_own));
    match &found {
        Some((seed, failure)) => {
            let what: String = failure.what.chars().take(100).collect();
            println!("{mutant:<62} seed {seed:>3}, {:>5} steps: {what}", failure.steps);
        }
        None => println!("{mutant:<62} survives {seeds} seeds"),
    }
    found.is_some()
}
