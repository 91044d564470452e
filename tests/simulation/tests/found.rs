//! What the simulator has found, and what it must find, each in a world of its own.
#![cfg(simulation)]

use livestore_simulation::found;
use livestore_simulation::plan::Plan;
use livestore_simulation::run::{Run, run};

/// Runs the plan with several seeds.
fn lives(plan: impl Fn(u64) -> Plan) -> Vec<Run> {
    let one = |seed| match run(&Plan { seed, ..plan(seed) }) {
        Ok(run) => run,
        Err(failure) => panic!("seed {seed}: {failure:?}"),
    };
    (0..20).map(one).collect()
}

/// A disk that could neither write what was confirmed nor say what the log has: the store went on
/// with a head that was not in its log, and never synced again.
#[test]
fn a_log_that_can_neither_be_written_nor_read_stops_nothing_for_good() {
    let runs = lives(|_| found::a_log_that_can_neither_be_written_nor_read());
    assert!(runs.iter().all(|run| run.figures.events >= 1));
}

/// A snapshot of events that were pending: their store had a backend, and had not heard of it yet. It
/// counted as confirmed, so what was rebased since was missing in the state after the next open, and
/// what had moved was there twice.
#[test]
fn what_is_pending_before_the_first_pull_is_in_no_snapshot() {
    let runs = lives(|_| found::pending_before_the_first_pull());
    assert!(runs.iter().all(|run| run.figures.events == 91));
}

/// An event that a session commits is not one that an earlier session has committed, however equal.
#[test]
fn the_same_again_after_a_power_loss_is_another_event() {
    let runs = lives(found::the_same_again_after_a_power_loss);
    assert!(runs.iter().all(|run| run.figures.events == 47), "one of them is missing");
}

/// Each stays on its client as a whole, and everything else goes to both.
#[test]
fn commits_that_the_backend_refuses_hold_nothing_up() {
    let runs = lives(found::commits_that_the_backend_refuses);
    let figures = |run: &Run| (run.figures.refused, run.figures.events);
    assert!(
        runs.iter().all(|run| figures(run) == (6, 5)),
        "{:?}",
        runs.iter().map(figures).collect::<Vec<_>>()
    );
}

/// All of it is in quarantine, on both clients, and what failed for client-only events alone is not.
#[test]
fn a_commit_that_fails_behind_another_is_quarantined_as_a_whole() {
    let runs = lives(|_| found::a_commit_that_fails_behind_another());
    assert!(runs.iter().all(|run| run.figures.quarantined == 1));
}

/// One of the commands is withdrawn, and undo leaves alone what the other client has done.
#[test]
fn commands_for_one_seat_book_it_once() {
    let figures = |run: &Run| (run.figures.executed, run.figures.conflicts);
    let runs = lives(|_| found::commands_for_one_seat());
    assert!(runs.iter().all(|run| figures(run) == (2, 1)));
}

/// What was committed while nobody had the backend goes to it as soon as somebody has.
#[test]
fn a_leader_without_the_backend_makes_room() {
    let runs = lives(|_| found::a_leader_that_steps_down());
    for Run { figures, .. } in &runs {
        assert!(figures.committed >= 4 && figures.step_downs >= 3, "{figures}");
        assert_eq!(
            figures.events, figures.committed,
            "what the server has, and what was committed"
        );
    }
}

/// A leader decides the commands of those who follow it, and of whoever takes its place.
#[test]
fn a_leader_decides_what_sessions_have_asked_for() {
    let runs = lives(found::a_command_that_a_leader_decides);
    assert!(runs.iter().all(|run| run.figures.conflicts > 0));
}
