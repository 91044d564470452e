//! What tools see: states as SQL, the past, what an event changed, what a store does.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use livestore::prelude::*;
use livestore::state::StateView;
use livestore::store::HistoryError;
use livestore::tools::{Activity, CommitByNameError, NamedEvent, SessionRole};
use livestore::value::Value;
use livestore_testing::sample::todos::{App, Todo, TodoEvent};
use livestore_testing::{Clients, wait_until};

fn created(id: usize) -> TodoEvent {
    TodoEvent::Created { id: format!("{id:05}"), text: format!("todo {id}"), created_at: now() }
}

fn completed(id: usize) -> TodoEvent {
    TodoEvent::Completed { id: format!("{id:05}") }
}

fn count(state: &StateView, sql: &str) -> i64 {
    let mut found = 0;
    let read = state.query(sql).unwrap().for_each(|row| {
        if let [Value::Integer(count)] = row {
            found = *count;
        }
        ControlFlow::Continue(())
    });
    read.unwrap();
    found
}

const ALL: &str = "SELECT count(*) FROM todo";
const COMPLETED: &str = "SELECT count(*) FROM todo WHERE completed";

#[test]
fn any_event_of_the_past_has_its_state() {
    let store = Store::<App>::builder("todos").open().unwrap();
    for n in 0..2_500 {
        store.commit(created(n)).unwrap();
        store.commit([completed(n), created(10_000 + n)]).unwrap();
    }
    let tools = store.tools();
    let timeline = tools.timeline();
    let check = |seq: u64| {
        let state = timeline.at(SeqNum::new(seq)).unwrap();
        let (whole, rest) = (seq / 3, seq % 3);
        let all = 2 * whole + [0, 1, 1][rest as usize];
        let done = whole + [0, 0, 1][rest as usize];
        assert_eq!(state.head(), SeqNum::new(seq));
        assert_eq!((count(&state, ALL), count(&state, COMPLETED)), (all as i64, done as i64));
    };
    let some = [7_500, 0, 1, 2, 3_333, 999, 1_000, 1_001, 1_002, 5_000, 6_001, 4_999, 42];
    some.into_iter().for_each(check);
    let mut reports = 0;
    let progress = |done| {
        reports += 1;
        assert!(done <= 7_500);
        ControlFlow::Continue(())
    };
    timeline.prepare(progress).unwrap();
    assert!(reports > 3);
    some.into_iter().for_each(check);
    let error = timeline.at(SeqNum::new(7_501)).unwrap_err();
    assert!(matches!(error, HistoryError::NoSuchEvent { .. }), "{error}");
}

#[test]
fn the_present_is_copied_and_does_not_change() {
    let clients = Clients::<App>::new();
    let store = clients.open("a").unwrap();
    store.commit(created(1)).unwrap();
    clients.sync().unwrap();
    assert_eq!(count(&store.tools().state().unwrap(), ALL), 1);
    store.offline();
    store.commit([created(2), created(3)]).unwrap();
    let state = store.tools().state().unwrap();
    store.commit(completed(2)).unwrap();
    assert_eq!((count(&state, ALL), count(&state, COMPLETED)), (3, 0), "pending events count");
    assert_eq!(count(&store.tools().state().unwrap(), COMPLETED), 1);
}

#[test]
fn a_rebase_changes_the_past_that_was_pending() {
    let clients = Clients::<App>::new();
    let (a, b) = (clients.open("a").unwrap(), clients.open("b").unwrap());
    clients.sync().unwrap();
    a.offline();
    (0..3).for_each(|n| drop(a.commit(created(n)).unwrap()));
    let timeline = a.tools().timeline();
    assert_eq!(count(&timeline.at(SeqNum::new(2)).unwrap(), ALL), 2);
    b.commit([created(10), completed(10)]).unwrap();
    wait_until(|| b.sync_status().unwrap().pending == 0);
    a.online();
    clients.sync().unwrap();
    let state = timeline.at(SeqNum::new(2)).unwrap();
    assert_eq!((count(&state, ALL), count(&state, COMPLETED)), (1, 1));
}

#[test]
fn what_an_event_changed_is_known_row_by_row() {
    let store = Store::<App>::builder("todos").open().unwrap();
    store.commit(created(1)).unwrap();
    store.commit([completed(1), created(2)]).unwrap();
    let timeline = store.tools().timeline();
    let changes = timeline.changes(SeqNum::new(2)).unwrap().unwrap();
    let [change] = &changes[..] else { panic!("one row changed: {changes:?}") };
    assert_eq!(change.table, "todo");
    let (before, after) = (change.before.as_ref().unwrap(), change.after.as_ref().unwrap());
    let differ = before.iter().zip(after).filter(|(before, after)| before != after);
    assert_eq!(differ.collect::<Vec<_>>(), [(&Value::Integer(0), &Value::Integer(1))]);
    let changes = timeline.changes(SeqNum::new(3)).unwrap().unwrap();
    assert!(changes.len() == 1 && changes[0].before.is_none());
}

#[test]
fn a_row_has_a_history() {
    let store = Store::<App>::builder("todos").open().unwrap();
    for n in 0..3_000 {
        store.commit(created(n)).unwrap();
    }
    // One event of the commit cannot be applied, so none of it is.
    store.commit([completed(7), created(3_000)]).unwrap();
    store.commit([completed(8), created(8)]).unwrap_err();
    let (mut of_seven, mut all) = (Vec::new(), 0);
    let timeline = store.tools().timeline();
    let trace = timeline.trace("todo", |event, change| {
        let row = change.and_then(|change| change.after.as_ref()).unwrap();
        all += 1;
        if row[0] == Value::text("00007") {
            of_seven.push((event.seq.global, event.name.to_string()));
        }
        ControlFlow::Continue(())
    });
    trace.unwrap();
    assert_eq!(all, 3_002);
    let expected = [(8, "v1.TodoCreated"), (3_001, "v1.TodoCompleted")];
    assert_eq!(of_seven, expected.map(|(seq, name)| (seq, name.to_owned())));
}

#[test]
fn an_event_is_committed_by_name_or_refused_in_words() {
    let store = Store::<App>::builder("todos").open().unwrap();
    let tools = store.tools();
    let commit = |name: &str, args: &str| tools.commit(&[NamedEvent::new(name, args)]);
    store.commit(created(1)).unwrap();
    let committed = commit("v1.TodoCompleted", r#"{"id": "00001"}"#).unwrap();
    assert_eq!(committed.last(), Some(SeqNum::new(2)));
    assert!(store.query(Todo::get("00001")).unwrap().unwrap().completed);
    let event = store.events().after(SeqNum::new(1)).into_iter().next().unwrap().unwrap();
    assert_eq!(*event.session_id, *tools.session_id());
    assert!(event.session_id.starts_with("devtools~"));
    let error = commit("v1.TodoCompletd", "{}").unwrap_err();
    assert!(matches!(error, CommitByNameError::UnknownEvent { .. }), "{error}");
    for args in ["", "{", "[]", "{}", r#"{"id":1}"#, r#"{"id":"a"} x"#] {
        let error = commit("v1.TodoCompleted", args).unwrap_err();
        assert!(matches!(error, CommitByNameError::Args { .. }), "{args}: {error}");
    }
    assert_eq!(store.head().unwrap(), SeqNum::new(2));
}

#[test]
fn observers_see_what_a_store_does() {
    let clients = Clients::<App>::new();
    let (a, b) = (clients.open("a").unwrap(), clients.open("b").unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&seen);
    let guard = a.tools().observe(move |activity| theirs.lock().unwrap().push(activity.clone()));
    assert_eq!(a.tools().role().unwrap(), SessionRole::Leads { followers: 0 });
    a.offline();
    a.commit([created(1), created(2)]).unwrap();
    b.commit(created(3)).unwrap();
    wait_until(|| b.sync_status().unwrap().pending == 0);
    a.online();
    clients.sync().unwrap();
    wait_until(|| {
        seen.lock().unwrap().iter().any(|seen| matches!(seen, Activity::Confirmed { .. }))
    });
    a.query(Todo::all()).unwrap();
    drop(guard);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let has = |is: &dyn Fn(&Activity) -> bool| assert!(seen.iter().any(is), "{seen:#?}");
    has(&|seen| {
        matches!(seen, Activity::Committed { seqs, names, .. }
        if seqs.len() == 2 && names[0] == "v1.TodoCreated")
    });
    has(&|seen| matches!(seen, Activity::Materialized { name, .. } if name == "v1.TodoCreated"));
    has(&|seen| {
        matches!(seen, Activity::Rebased { undone, redone, .. }
        if undone.iter().map(|seq| seq.global).eq([1, 2])
            && redone.iter().map(|seq| seq.global).eq([2, 3]))
    });
    has(&|seen| matches!(seen, Activity::Pulled { first, count: 1, .. } if first.global == 1));
    has(&|seen| matches!(seen, Activity::Pushed { first, count: 2 } if first.global == 2));
    has(&|seen| matches!(seen, Activity::Confirmed { last, .. } if last.global == 3));
    has(&|seen| matches!(seen, Activity::Queried { .. }));
}

#[test]
fn a_slow_network_delays_and_loses_nothing() {
    let clients = Clients::<App>::new();
    let (a, b) = (clients.open("a").unwrap(), clients.open("b").unwrap());
    clients.sync().unwrap();
    a.tools().delay_messages(Duration::from_millis(60));
    let begin = std::time::Instant::now();
    for n in 0..20 {
        a.commit(created(n)).unwrap();
        b.commit(created(100 + n)).unwrap();
    }
    clients.sync().unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(60), "a push takes its time");
    a.tools().drop_connection();
    a.commit(created(50)).unwrap();
    a.tools().delay_messages(Duration::ZERO);
    clients.sync().unwrap();
    clients.assert_converged();
    assert_eq!(b.query(Todo::all().count()).unwrap(), 41);
}
