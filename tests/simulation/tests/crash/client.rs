//! A client without a backend.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use livestore::Durability;
use livestore::simulation::fs;

use super::app::{App, LongNotes, Notes};
use super::enumerate::{Scenario, run};
use super::machine::Machine;

#[test]
fn acknowledged_commits_survive_in_a_client() {
    run(&[
        new("open a new store", Durability::Synced),
        commit("commit, buffered", Durability::Buffered),
        commit("commit, written", Durability::Written),
        commit("commit, synced", Durability::Synced),
        reopen("open from a snapshot", with_snapshot),
        reopen("rebuild without a snapshot", without_snapshot),
        Scenario {
            name: "rebuild for another schema",
            act: act_upgraded,
            check: Machine::check::<LongNotes>,
            ..reopen("", with_snapshot)
        },
        Scenario { name: "reset the state", act: act_reset, ..reopen("", with_snapshot) },
        Scenario { name: "background work", act: act_long, ..commit("", Durability::Written) },
        snapshot_first(),
        snapshot_of_a_copy(),
    ]);
}

/// The tests themselves: a store that does not sync cannot promise what one that does can.
#[test]
fn a_promise_that_is_not_kept_is_noticed() {
    let claims = Durability::Synced;
    let boasting = Scenario { claims, ..commit("claims too much", Durability::Written) };
    assert!(boasting.enumerate().failures.iter().any(|failure| failure.contains("is lost")));
}

/// A snapshot is durable at once, and what it is made of need not be.
#[cfg(mutants)]
#[test]
fn every_mutant_that_needs_a_power_cut_is_killed() {
    use livestore::simulation::{MUTANTS, mutate};
    for (mutant, _) in MUTANTS.iter().filter(|(_, found_by)| *found_by == "crash tests") {
        mutate(Some(mutant));
        let found = [snapshot_first(), snapshot_of_a_copy()].map(|scenario| scenario.cut_power(10));
        mutate(None);
        let mut found = found.iter().flat_map(|report| &report.failures);
        assert!(found.any(|failure| failure.contains("is not the log")), "{mutant} survives");
    }
}

fn new(name: &'static str, durability: Durability) -> Scenario {
    Scenario {
        name,
        durability,
        claims: durability,
        prepare: |_| (),
        act: act_new,
        check: Machine::check::<Notes>,
    }
}

fn commit(name: &'static str, durability: Durability) -> Scenario {
    Scenario { prepare: with_snapshot, act: act_commit, ..new(name, durability) }
}

fn snapshot_first() -> Scenario {
    Scenario { act: act_snapshot, ..commit("a snapshot before a checkpoint", Durability::Written) }
}

fn snapshot_of_a_copy() -> Scenario {
    Scenario { act: act_reopen_copy, ..reopen("a snapshot of a copy", with_snapshot_of_a_copy) }
}

fn reopen(name: &'static str, prepare: fn(&mut Machine)) -> Scenario {
    Scenario { prepare, act: act_reopen, ..new(name, Durability::Written) }
}

fn with_snapshot(machine: &mut Machine) {
    let store = machine.open::<Notes>().unwrap();
    for id in BEFORE {
        store.commit(Notes::added(id)).unwrap();
    }
    store.close().unwrap();
    assert!(fs::exists(snapshot(machine)).unwrap());
}

fn without_snapshot(machine: &mut Machine) {
    with_snapshot(machine);
    fs::remove_file(snapshot(machine)).unwrap();
}

/// Two copies of a store went their own ways, and one has the other's snapshot.
fn with_snapshot_of_a_copy(machine: &mut Machine) {
    with_snapshot(machine);
    let copy = machine.disk.backup(&machine.home());
    commit_many(machine, "c");
    let mut others = Vec::new();
    fs::File::open(snapshot(machine)).unwrap().read_to_end(&mut others).unwrap();
    machine.disk.restore(&machine.home(), &copy);
    commit_many(machine, "d");
    fs::File::create(snapshot(machine)).unwrap().write_all(&others).unwrap();
}

fn commit_many(machine: &mut Machine, prefix: &str) {
    let store = machine.open::<Notes>().unwrap();
    let notes: Vec<_> = many(prefix).iter().map(|id| Notes::added(id)).collect();
    store.commit(notes).unwrap();
    store.close().unwrap();
}

/// Enough for another snapshot when the store is closed.
fn many(prefix: &str) -> Vec<String> {
    (0..100).map(|n| format!("{prefix}{n}")).collect()
}

fn act_reopen_copy(machine: &mut Machine) {
    know_before(machine);
    machine.ledger.write(&many("d"), super::ledger::Said::Promised);
    let Some(store) = machine.open::<Notes>() else { return };
    machine.live_on(&store);
    machine.close(store);
}

fn snapshot(machine: &Machine) -> PathBuf {
    machine.home().join("notes/state.snapshot")
}

/// What is there before.
const BEFORE: [&str; 4] = ["b1", "b2", "b7", "b4"];

fn know_before(machine: &mut Machine) {
    for id in BEFORE {
        machine.ledger.write(&[id.to_owned()], super::ledger::Said::Promised);
    }
}

fn act_new(machine: &mut Machine) {
    let Some(store) = machine.open::<Notes>() else { return };
    machine.commit(&store, &["a1"]);
    machine.live_on(&store);
    machine.close(store);
}

fn act_commit(machine: &mut Machine) {
    know_before(machine);
    let Some(store) = machine.open::<Notes>() else { return };
    machine.commit(&store, &["a1"]);
    machine.commit(&store, &["a2", "a7", "a4"]);
    machine.flush(&store);
    machine.commit(&store, &["a5"]);
    machine.live_on(&store);
    machine.close(store);
}

fn act_reopen(machine: &mut Machine) {
    know_before(machine);
    let Some(store) = machine.open::<Notes>() else { return };
    machine.live_on(&store);
    machine.close(store);
}

fn act_upgraded(machine: &mut Machine) {
    know_before(machine);
    let Some(store) = machine.open::<LongNotes>() else { return };
    machine.commit(&store, &["a1"]);
    machine.live_on(&store);
    machine.close(store);
}

fn act_reset(machine: &mut Machine) {
    know_before(machine);
    let Some(store) = machine.open::<Notes>() else { return };
    let reset = store.reset_state();
    assert!(machine.faulty || reset.is_ok(), "{reset:?}");
    machine.commit(&store, &["a1"]);
    machine.live_on(&store);
    machine.close(store);
}

/// Enough for a checkpoint and for a snapshot while the store runs.
fn act_long(machine: &mut Machine) {
    act_many(machine, 110);
}

/// Enough for a snapshot only.
fn act_snapshot(machine: &mut Machine) {
    act_many(machine, 30);
}

fn act_many(machine: &mut Machine, events: u64) {
    know_before(machine);
    let Some(store) = machine.open::<Notes>() else { return };
    let ids: Vec<String> = (0..events).map(|n| format!("a{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    machine.commit(&store, &ids);
    machine.commit(&store, &["after-a-snapshot"]);
    machine.live_on(&store);
    machine.close(store);
}
