use super::*;
use crate::eventlog::MemoryLog;
use crate::prelude::*;

#[table]
struct Item {
    #[column(primary_key)]
    id: u64,
}

/// Fails if the item is there.
#[derive(Event)]
#[event(name = "v1.Added")]
struct Added {
    id: u64,
}

impl Materialize for Added {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert(&Item { id: self.id })
    }
}

/// Rolls back everything if the item is there.
#[derive(Event)]
#[event(name = "v1.AddedOrRolledBack")]
struct AddedOrRolledBack {
    id: u64,
}

impl Materialize for AddedOrRolledBack {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.sql("INSERT OR ROLLBACK INTO item VALUES (?)", (self.id,)).map(|_| ())
    }
}

crate::schema! { App { tables: [Item], events: [Added, AddedOrRolledBack] } }

/// A log that adds these items, each in a commit of its own unless its place is in `continuing`.
fn log(ids: &[u64], continuing: std::ops::Range<usize>) -> (Eventlog, SeqNum) {
    let events = ids.iter().enumerate().map(|(place, id)| EncodedEvent {
        seq: SeqNum::new(place as u64 + 1),
        parent: SeqNum::new(place as u64),
        name: "v1.Added".into(),
        args: format!("{{\"id\":{id}}}"),
        client_id: "c".into(),
        session_id: "s".into(),
        schema_hash: 0,
        sync_metadata: None,
        continues: continuing.contains(&place),
        command: None,
    });
    (Eventlog::new(MemoryLog::with(events.collect())), SeqNum::new(ids.len() as u64))
}

fn count(state: &State) -> usize {
    usize::try_from(Item::all().count().run(&state.reader("")).unwrap()).unwrap()
}

fn numbers(events: &[Quarantined]) -> Vec<u64> {
    events.iter().map(|event| event.seq.global).collect()
}

#[test]
fn an_event_that_does_not_apply_takes_no_other_commit_with_it() {
    let mut ids: Vec<u64> = (0..3 * PAGE as u64 + 10).collect();
    let bad = [2 * PAGE + 100, 3 * PAGE + 5];
    bad.iter().for_each(|&bad| ids[bad] = 7);
    let (log, to) = log(&ids, 0..0);
    let mut state = State::empty(App::def()).unwrap();
    let mut reported = Vec::new();
    let mut progress = |done| reported.push(done);
    let mut replay = Replay::new(&log).progress(&mut progress);
    assert_eq!(replay.run(&mut state, to).unwrap(), ids.len() as u64);
    let places = bad.map(|bad| bad as u64 + 1);
    assert_eq!(numbers(&replay.into_quarantined()), places);
    assert_eq!(numbers(&state.quarantined().unwrap()), places);
    assert_eq!((count(&state), state.head), (ids.len() - bad.len(), to));
    assert!(reported.is_sorted(), "progress never goes back");
    assert_eq!(reported.last(), Some(&(ids.len() as u64)));
    assert!(!state.db.is_in_savepoint());
}

#[test]
fn a_commit_that_goes_on_in_the_next_page_is_whole() {
    let mut ids: Vec<u64> = (0..PAGE as u64 + 100).collect();
    // The commit begins three events before the page's end; its last event fails.
    let commit = PAGE - 3..PAGE + 3;
    ids[commit.end - 1] = 7;
    let (log, to) = log(&ids, commit.start + 1..commit.end);
    let mut state = State::empty(App::def()).unwrap();
    Replay::new(&log).run(&mut state, to).unwrap();
    let places: Vec<u64> = commit.map(|place| place as u64 + 1).collect();
    assert_eq!(numbers(&state.quarantined().unwrap()), places);
    assert_eq!(count(&state), ids.len() - places.len());
}

/// A backend has cut it, or a snapshot ends within it.
#[test]
fn a_commit_whose_beginning_was_applied_before_is_whole() {
    let (log, to) = log(&[1, 2, 3, 2], 2..4);
    for confirmed in [2, 3] {
        let mut state = State::empty(App::def()).unwrap();
        let mut replay = Replay::new(&log);
        replay.run(&mut state, SeqNum::new(confirmed)).unwrap();
        replay.run_pending(&mut state, to).unwrap();
        assert_eq!(numbers(&state.quarantined().unwrap()), [2, 3, 4]);
        assert_eq!((count(&state), state.head), (1, to));
        // The next rebase makes the state anew: nothing lies above a savepoint.
        assert_eq!(state.base(), to);
    }
}

#[test]
fn an_event_that_rolls_everything_back_takes_no_pending_one_with_it() {
    let (log, to) = log(&[1, 2, 2, 3, 1, 4, 4], 2..5);
    let mut events = log.read(SeqNum::ROOT, 10).unwrap();
    for event in &mut events {
        event.name = "v1.AddedOrRolledBack".into();
    }
    let log = Eventlog::new(MemoryLog::with(events));
    let mut replayed = State::empty(App::def()).unwrap();
    Replay::new(&log).run(&mut replayed, to).unwrap();
    for confirmed in [0, 1, 5] {
        let mut state = State::empty(App::def()).unwrap();
        let mut replay = Replay::new(&log);
        replay.run(&mut state, SeqNum::new(confirmed)).unwrap();
        replay.run_pending(&mut state, to).unwrap();
        assert_eq!(numbers(&state.quarantined().unwrap()), [2, 3, 4, 5, 7]);
        assert_eq!(state.hash().unwrap(), replayed.hash().unwrap());
        assert_eq!(state.base(), SeqNum::new(confirmed), "what is pending can be rolled back");
        let quarantined = numbers(&replay.into_quarantined());
        assert_eq!(quarantined.len(), quarantined.iter().collect::<BTreeSet<_>>().len());
    }
}

#[test]
fn a_replay_that_is_stopped_changes_nothing() {
    let (log, to) = log(&(0..2 * PAGE as u64).collect::<Vec<_>>(), 0..0);
    let mut state = State::empty(App::def()).unwrap();
    let stop = AtomicBool::new(false);
    let mut progress = |done| stop.store(done > PAGE as u64, Ordering::Relaxed);
    let mut replay = Replay::new(&log).stop(&stop).progress(&mut progress);
    assert_eq!(replay.run(&mut state, to).unwrap(), 0);
    assert_eq!((count(&state), state.head), (0, SeqNum::ROOT));
    assert!(!state.db.is_in_savepoint());
}
