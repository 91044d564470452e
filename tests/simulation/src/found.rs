//! Worlds that do one thing, for what drawn ones find too rarely.

use std::time::Duration;

use livestore::prelude::Durability;
use livestore::sync::OnBackendReset;

use crate::app::{Deed, Happening};
use crate::bookings::Request;
use crate::client::Habits;
use crate::disk::{CrashKind, Fault};
use crate::plan::{Action, Plan, Setup};

/// Every one of them, with several seeds.
pub fn plans() -> impl Iterator<Item = Plan> {
    let all = [
        |_| a_log_that_can_neither_be_written_nor_read(),
        |_| pending_before_the_first_pull(),
        the_same_again_after_a_power_loss,
        |_| a_commit_that_fails_behind_another(),
        commits_that_the_backend_refuses,
        |_| a_leader_that_ends_before_its_buffer_is_written(),
        |_| commands_for_one_seat(),
        |_| a_leader_that_steps_down(),
        a_command_that_a_leader_decides,
    ];
    all.into_iter().flat_map(|plan| (0..20).map(move |seed| Plan { seed, ..plan(seed) }))
}

/// A disk fails while what was confirmed is written.
pub fn a_log_that_can_neither_be_written_nor_read() -> Plan {
    alone(vec![
        wait(1_000),
        bump(0, 1),
        Action::Disk(Some(0), Fault::Fail, 1),
        wait(1_000),
        Action::Repair(Some(0)),
        bump(0, 2),
        wait(1_000),
    ])
}

/// Enough events for a snapshot, before the client has heard of the backend; others come first.
pub fn pending_before_the_first_pull() -> Plan {
    let many = (0..90).map(|mark| Happening::Bumped { mark, tally: 0, by: 1 });
    pair(vec![
        wait(10),
        bump(1, 999),
        Action::Commit(0, 0, Deed::Happen(many.collect())),
        wait(100),
        Action::Reopen(0),
    ])
}

/// The server has an event that a power loss has taken from the client, which then commits an equal
/// one: these are two.
pub fn the_same_again_after_a_power_loss(seed: u64) -> Plan {
    let mut actions = vec![wait(1_000)];
    // Enough for a checkpoint, which the disk keeps.
    actions.extend((1..=45).map(|mark| bump(0, mark)));
    actions.extend([
        wait(1_000),
        bump(0, 0),
        wait(1_000),
        Action::Crash(0, CrashKind::PowerLoss { seed }),
        Action::Start(0),
        bump(0, 0),
        wait(1_000),
    ]);
    alone(actions)
}

/// Two clients add an item, one of them with more in the same commit, behind which client-only
/// events are; the commit that comes second cannot be applied.
pub fn a_commit_that_fails_behind_another() -> Plan {
    let added = |mark, id: &str| Happening::Added { mark, id: id.to_owned(), owner: 0, rank: 0 };
    let commit = |client, all| Action::Commit(client, 0, Deed::Happen(all));
    let bumped = |mark| Happening::Bumped { mark, tally: 0, by: 1 };
    let looked = |mark, id: &str| Happening::Looked { mark, item: id.to_owned() };
    let opened = |mark, id: &str| Happening::Opened { mark, item: id.to_owned() };
    let removed = |mark, id: &str| Happening::Removed { mark, id: id.to_owned() };
    pair(vec![
        commit(0, vec![added(10, "b")]),
        wait(3_000),
        Action::Hold(1, 0, true),
        commit(0, vec![bumped(1), added(2, "a"), bumped(3)]),
        commit(0, vec![removed(11, "b")]),
        commit(1, vec![looked(4, "a"), bumped(5), looked(6, "a"), added(7, "a"), bumped(8)]),
        commit(1, vec![bumped(12), opened(13, "b"), bumped(14)]),
        wait(3_000),
        Action::Hold(1, 0, false),
        wait(3_000),
    ])
}

/// Two clients commit at the same time what the server's rule forbids, between what it does not.
pub fn commits_that_the_backend_refuses(seed: u64) -> Plan {
    let added = |mark| Happening::Added { mark, id: format!("item-{mark}"), owner: 0, rank: 0 };
    let bumped = |mark| Happening::Bumped { mark, tally: 0, by: 1 };
    let looked = |mark| Happening::Looked { mark, item: "item-2".to_owned() };
    let commit = |client, all| Action::Commit(client, 0, Deed::Happen(all));
    let mut actions = vec![wait(1_000), Action::Hold(0, 0, true)];
    actions.extend([
        commit(0, vec![added(2)]),
        commit(0, vec![looked(3), bumped(4), added(6), looked(5)]),
        commit(1, vec![added(11), bumped(12)]),
        commit(0, vec![bumped(7)]),
        commit(1, vec![bumped(13)]),
        Action::Hold(0, 0, false),
        wait(100 * (seed % 5)),
    ]);
    if seed % 2 == 0 {
        actions.extend([Action::Crash(0, CrashKind::Process), Action::Start(0)]);
    }
    actions.extend([bump(0, 8), bump(1, 14), wait(3_000)]);
    let mut plan = pair(actions);
    plan.setup.has_rule = true;
    plan
}

/// Two processes commit in turns, and the one that leads ends before it writes by itself.
pub fn a_leader_that_ends_before_its_buffer_is_written() -> Plan {
    let mut actions = vec![Action::Slow(Some(0), Duration::from_secs(3)), wait(100)];
    actions.extend((1..=6).flat_map(|mark| [bump(0, mark), wait(5)]));
    actions.extend([Action::EndProcess(0, 0), wait(1_000), bump(0, 7), wait(1_000)]);
    let mut plan = alone(actions);
    for client in &mut plan.setup.clients {
        (client.durability, client.processes) = (Durability::Buffered, 2);
    }
    plan
}

/// Two clients book the same seat at the same time, and then undo something.
pub fn commands_for_one_seat() -> Plan {
    let book = |client, mark| Action::Execute(client, 0, Request::Book { mark, seat: 1 });
    let added = |mark, id: &str| Happening::Added { mark, id: id.to_owned(), owner: 0, rank: 0 };
    let moved = |mark, rank| Happening::Moved { mark, id: "a".to_owned(), rank };
    let commit = |client, one| Action::Commit(client, 0, Deed::Happen(vec![one]));
    pair(vec![
        commit(0, added(1, "a")),
        wait(1_000),
        Action::Hold(1, 0, true),
        commit(1, moved(2, 5)),
        book(1, 100),
        commit(0, moved(3, 9)),
        book(0, 200),
        wait(1_000),
        Action::Hold(1, 0, false),
        wait(1_000),
        Action::Undo(1, 0, false),
        Action::Undo(0, 0, false),
        wait(1_000),
        Action::Reopen(1),
        wait(1_000),
    ])
}

/// A session without the backend leads, and one that has it joins, several times.
pub fn a_leader_that_steps_down() -> Plan {
    let round =
        |mark| [Action::EndProcess(0, 1), wait(1_000), bump(0, mark), Action::StartProcess(0, 1)];
    let mut actions: Vec<_> = (1..=4).flat_map(round).collect();
    actions.extend([wait(1_000), bump(0, 5), wait(1_000), bump(0, 6), wait(1_000)]);
    let mut plan = alone(actions);
    for client in &mut plan.setup.clients {
        (client.processes, client.tool) = (2, Some(0));
    }
    plan
}

/// Sessions of a client book one seat before each knows of the other, and one may end with that.
pub fn a_command_that_a_leader_decides(seed: u64) -> Plan {
    let book = |mark| Action::Execute(0, 0, Request::Book { mark, seat: 1 });
    let mut actions = vec![wait(1_000)];
    actions.extend((1..=6).map(|mark| book(mark * 10)));
    if seed % 2 == 0 {
        actions.extend([
            Action::Stop(0, 0),
            wait(100),
            book(100),
            book(110),
            Action::EndProcess(0, 0),
        ]);
    }
    actions.push(wait(3_000));
    let mut plan = alone(actions);
    plan.setup.line_delay = Duration::from_millis(50);
    plan.setup.clients.iter_mut().for_each(|client| client.processes = 3);
    plan
}

fn bump(client: usize, mark: u64) -> Action {
    let bumped = Happening::Bumped { mark, tally: 0, by: 1 };
    Action::Commit(client, 0, Deed::Happen(vec![bumped]))
}

fn wait(millis: u64) -> Action {
    Action::Wait(Duration::from_millis(millis))
}

/// One client with one store.
fn alone(actions: Vec<Action>) -> Plan {
    let (durability, on_reset) = (Durability::Written, OnBackendReset::KeepAndStop);
    let habits = Habits { durability, on_reset, processes: 1, syncs: true, tool: None };
    let (delay, line_delay) = (Duration::from_millis(20), Duration::from_millis(1));
    let (clients, has_rule, is_hasty) = (vec![habits], false, false);
    let setup = Setup { clients, shared: 1, own: 0, delay, line_delay, has_rule, is_hasty };
    Plan { seed: 1, setup, actions }
}

/// Two clients that share one.
fn pair(actions: Vec<Action>) -> Plan {
    let mut plan = alone(actions);
    plan.setup.clients.extend(plan.setup.clients.clone());
    plan
}
