//! Who has done what to which rows.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore::store::RowActivity;
use livestore::tools::Timeline;
use livestore_testing::sample::notes::{App, Note, NoteEvent, added, written};
use livestore_testing::{Clients, wait_until};

fn changed(id: &str, text: &str) -> NoteEvent {
    NoteEvent::Changed { id: id.into(), text: text.into() }
}

/// The texts before and after, the newest first.
fn texts(entries: &[Arc<RowActivity<Note>>]) -> Vec<String> {
    let text = |note: &Option<Note>| note.as_ref().map_or("-".to_owned(), |note| note.text.clone());
    let rows = entries.iter().flat_map(|entry| &entry.rows);
    rows.map(|row| format!("{} → {}", text(&row.before), text(&row.after))).collect()
}

fn open() -> Store<App> {
    Store::<App>::builder("notes").open().unwrap()
}

#[test]
fn rows_are_selected_by_their_keys_and_by_what_they_are() {
    let store = open();
    store.commit([added("a"), added("b")]).unwrap();
    store.commit(changed("a", "x")).unwrap();
    store.commit([changed("a", "y"), changed("b", "x"), changed("a", "y")]).unwrap();
    let all = || store.activity::<Note>();
    assert_eq!(texts(&all().row("a").read().unwrap()), ["x → y", "text of a → x", "- → text of a"]);
    assert_eq!(all().row("a").row("b").read().unwrap().len(), 5, "one event has changed nothing");
    assert_eq!(all().row("c").read().unwrap(), []);
    let x = |note: &Note| note.text == "x";
    assert_eq!(
        texts(&all().filter(x).read().unwrap()),
        ["text of b → x", "x → y", "text of a → x"]
    );
    assert_eq!(texts(&all().filter(x).row("b").read().unwrap()), ["text of b → x"]);
}

#[test]
fn pages_follow_one_another_to_the_first_event() {
    let store = open();
    store.commit(added("a")).unwrap();
    for n in 0..23 {
        // A page may begin and end within a commit.
        store.commit([changed("a", &format!("{n}")), changed("a", &format!("{n}!"))]).unwrap();
    }
    let whole = store.activity::<Note>().read().unwrap();
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let mut query = store.activity::<Note>().row("a").limit(5);
        if let Some(before) = before {
            query = query.before(before);
        }
        let page = query.read().unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.event.seq);
        pages.extend(page);
    }
    assert_eq!((pages.len(), pages), (47, whole));
}

#[test]
fn events_that_are_not_applied_have_changed_nothing() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.offline();
    alice.commit([written("b"), added("a")]).unwrap();
    bob.commit(NoteEvent::Added { id: "a".into(), text: "bob's".into() }).unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    for client in [&alice, &bob] {
        let activity = client.activity::<Note>().read().unwrap();
        assert_eq!(texts(&activity), ["- → bob's"]);
        assert_eq!(*activity[0].event.client_id, *bob.client_id());
    }
}

#[test]
fn it_is_live_and_says_what_is_pending() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    let live = alice.activity::<Note>().row("a").live().unwrap();
    let page = || (*live.get()).clone().unwrap();
    let notified = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&notified);
    let _guard = live.subscribe(move |page| {
        seen.lock().unwrap().push(page.as_ref().map_or(0, |page| page.len()));
    });
    alice.commit(added("a")).unwrap();
    clients.sync().unwrap();
    wait_until(|| page().iter().all(|entry| !entry.is_pending));
    assert_eq!(texts(&page()), ["- → text of a"]);

    alice.offline();
    alice.commit(changed("a", "alice's")).unwrap();
    assert_eq!(texts(&page()), ["text of a → alice's", "- → text of a"]);
    assert!(page()[0].is_pending && !page()[1].is_pending);
    bob.commit(changed("a", "bob's")).unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    let expected = ["bob's → alice's", "text of a → bob's", "- → text of a"];
    wait_until(|| texts(&page()) == expected && !page()[0].is_pending);
    assert_eq!(texts(&bob.activity::<Note>().row("a").read().unwrap()), expected);

    wait_until(|| notified.lock().unwrap().last() == Some(&3));
    let before = live.get();
    alice.commit(added("b")).unwrap();
    clients.sync().unwrap();
    assert!(Arc::ptr_eq(&before, &live.get()), "nothing has happened to the row");
}

/// What is read on is what a whole replay finds, and what devtools show.
#[test]
fn the_live_value_is_that_of_a_whole_replay() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    let live = alice.activity::<Note>().live().unwrap();
    for n in 0..12 {
        let id = ["a", "b", "c"][n % 3];
        if n % 4 == 1 {
            alice.offline();
        }
        alice.commit([written(id), changed(id, &format!("{n}"))]).unwrap();
        bob.commit(changed(id, &format!("bob's {n}"))).unwrap();
        if n % 4 == 3 {
            alice.online();
        }
        if n % 2 == 0 {
            clients.sync().unwrap();
        }
        let fresh = || alice.activity::<Note>().read().unwrap();
        wait_until(|| (*live.get()).clone().unwrap() == fresh());
    }
    alice.online();
    clients.sync().unwrap();
    wait_until(|| alice.sync_status().unwrap().is_synced());
    let fresh = alice.activity::<Note>().read().unwrap();
    assert_eq!((*live.get()).clone().unwrap(), fresh);
    let timeline: Timeline = alice.tools().timeline();
    let mut traced = 0;
    let each = |_: &EncodedEvent, change: Option<&livestore::tools::RowChange>| {
        traced += usize::from(change.is_some());
        std::ops::ControlFlow::Continue(())
    };
    timeline.trace("note", each).unwrap();
    assert_eq!(traced, fresh.iter().map(|entry| entry.rows.len()).sum::<usize>());
}

#[test]
fn a_closed_store_says_so() {
    let store = open();
    let live = store.activity::<Note>().live().unwrap();
    let activity = store.activity::<Note>();
    store.commit(added("a")).unwrap();
    assert_eq!((*live.get()).clone().unwrap().len(), 1);
    store.close().unwrap();
    assert!(activity.read().is_err() && activity.live().is_err());
}
