//! What the simulator has found, each in a world of its own.
#![cfg(simulation)]

use std::time::Duration;

use livestore::prelude::Durability;
use livestore::sync::OnBackendReset;
use livestore_simulation::app::{Deed, Happening};
use livestore_simulation::client::Habits;
use livestore_simulation::disk::Fault;
use livestore_simulation::plan::{Action, Plan, Setup};
use livestore_simulation::run::run;

fn bump(mark: u64) -> Action {
    Action::Commit(0, 0, Deed::Happen(vec![Happening::Bumped { mark, tally: 0, by: 1 }]))
}

fn wait(millis: u64) -> Action {
    Action::Wait(Duration::from_millis(millis))
}

/// One client with one store.
fn alone(actions: Vec<Action>) -> Plan {
    let habits = Habits { durability: Durability::Written, on_reset: OnBackendReset::KeepAndStop };
    let delay = Duration::from_millis(20);
    let setup = Setup { clients: vec![habits], shared: 1, own: 0, delay };
    Plan { seed: 1, setup, actions }
}

/// A disk that could neither write what was confirmed nor say what the log has: the store went on
/// with a head that was not in its log, and never synced again.
#[test]
fn a_log_that_can_neither_be_written_nor_read_stops_nothing_for_good() {
    let actions = vec![
        wait(1_000),
        bump(1),
        Action::Disk(Some(0), Fault::Fail, 1),
        wait(1_000),
        Action::Repair(Some(0)),
        bump(2),
        wait(1_000),
    ];
    let lived = run(&alone(actions)).map(|run| run.figures.events);
    assert!(matches!(lived, Ok(events) if events >= 1), "{lived:?}");
}

/// A snapshot of events that were pending: their store had a backend, and had not heard of it yet. It
/// counted as confirmed, so what was rebased since was missing in the state after the next open, and
/// what had moved was there twice.
#[test]
fn what_is_pending_before_the_first_pull_is_in_no_snapshot() {
    let mut plan = alone(vec![
        wait(10),
        Action::Commit(1, 0, Deed::Happen(vec![Happening::Bumped { mark: 999, tally: 0, by: 1 }])),
        Action::Commit(0, 0, Deed::Happen(many_bumps())),
        wait(100),
        Action::Reopen(0),
    ]);
    let habits = *plan.setup.clients.first().unwrap();
    plan.setup.clients.push(habits);
    for seed in 0..20 {
        let lived = run(&Plan { seed, ..plan.clone() }).map(|run| run.figures.events);
        assert!(matches!(lived, Ok(141)), "seed {seed}: {lived:?}");
    }
}

/// Enough for a snapshot.
fn many_bumps() -> Vec<Happening> {
    (0..140).map(|mark| Happening::Bumped { mark, tally: 0, by: 1 }).collect()
}
