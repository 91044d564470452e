//! Feeds: a target has each change once, whatever is rebased, fails or is closed in between.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use livestore::prelude::*;
use livestore::store::{Cursor, Feed, FeedError, RowChange, Target};
use livestore_testing::Clients;
use livestore_testing::sample::notes::{App, Note, NoteEvent, added, written};
use proptest::prelude::*;

const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];

fn changed(id: &str, text: &str) -> NoteEvent {
    NoteEvent::Changed { id: id.into(), text: text.into() }
}

/// A target that outlives its feed, and checks what it gets.
#[derive(Clone, Default)]
struct Mirror(Arc<Mutex<Mirrored>>);

#[derive(Default)]
struct Mirrored {
    notes: BTreeMap<String, String>,
    cursor: Option<Cursor>,
    /// What was passed, such as "replace 2" or "+a ~b -c".
    log: Vec<String>,
    fails: bool,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the disk is full")]
struct Full;

impl Target for Mirror {
    type Row = Note;
    type Error = Full;

    fn cursor(&mut self) -> Result<Option<Cursor>, Full> {
        Ok(self.0.lock().unwrap().cursor.clone())
    }

    fn replace(&mut self, rows: Vec<Note>, cursor: &Cursor) -> Result<(), Full> {
        let mut copy = self.0.lock().unwrap();
        if copy.fails {
            return Err(Full);
        }
        copy.log.push(format!("replace {}", rows.len()));
        copy.notes = rows.into_iter().map(|note| (note.id, note.text)).collect();
        // As from a file.
        copy.cursor = Some(Cursor::from_text(cursor.as_str()));
        Ok(())
    }

    fn apply(&mut self, changes: Vec<RowChange<Note>>, cursor: &Cursor) -> Result<(), Full> {
        let mut copy = self.0.lock().unwrap();
        if copy.fails {
            return Err(Full);
        }
        let mut line = Vec::new();
        for change in changes {
            if let Some(before) = change.before() {
                assert_eq!(copy.notes.remove(&before.id).as_ref(), Some(&before.text));
            }
            if let Some(after) = change.after() {
                let was = copy.notes.insert(after.id.clone(), after.text.clone());
                assert_eq!(was, None, "{after:?}");
            }
            line.push(match &change {
                RowChange::Inserted(note) => format!("+{}", note.id),
                RowChange::Updated { after, .. } => format!("~{}", after.id),
                RowChange::Deleted(note) => format!("-{}", note.id),
            });
        }
        copy.log.push(line.join(" "));
        copy.cursor = Some(Cursor::from_text(cursor.as_str()));
        Ok(())
    }
}

impl Mirror {
    fn notes(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().notes.clone().into_iter().collect()
    }

    /// What was passed since the last call.
    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().log)
    }

    fn fail(&self, fails: bool) {
        self.0.lock().unwrap().fails = fails;
    }
}

fn notes(store: &Store<App>) -> Vec<(String, String)> {
    let notes = store.query(Note::all().order_by(Note::ID)).unwrap();
    notes.into_iter().map(|note| (note.id, note.text)).collect()
}

/// Updates the target until nothing changes any more.
fn update(feed: &mut Feed<App, Mirror>) {
    loop {
        feed.update().unwrap();
        if poll(feed).is_pending() {
            return;
        }
    }
}

fn poll(feed: &Feed<App, Mirror>) -> Poll<bool> {
    feed.poll_changed(&mut Context::from_waker(Waker::noop()))
}

/// What is rolled back gives its row ids to other rows: to `b` that of `c`, and to `c` that of `a`.
#[test]
fn changes_that_a_target_did_not_take_are_the_same_once_it_does() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    let target = Mirror::default();
    let mut feed = alice.feed(target.clone()).unwrap();
    let both = || {
        alice.commit([added("c"), added("a")]).unwrap();
        update(&mut feed);
        bob.commit([added("b"), added("c"), changed("c", "of bob")]).unwrap();
    };
    clients.conflict(&[&bob, &alice], both).unwrap();
    target.fail(true);
    assert!(matches!(feed.update(), Err(FeedError::Target(Full))));
    target.fail(false);
    target.log();
    update(&mut feed);
    assert_eq!(target.log(), ["~c -a +b"]);
    assert_eq!(target.notes(), notes(&alice));
}

#[test]
fn a_target_gets_all_rows_once_and_then_each_change() {
    let store = Store::<App>::builder("notes").open().unwrap();
    store.commit([added("a"), added("b")]).unwrap();
    let target = Mirror::default();
    let mut feed = store.feed(target.clone()).unwrap();
    assert!(feed.update().unwrap());
    assert_eq!(target.log(), ["replace 2"]);
    assert!(!feed.update().unwrap(), "there is nothing new");
    assert_eq!(poll(&feed), Poll::Pending);

    store.commit([added("c"), changed("a", "x")]).unwrap();
    store.commit(changed("a", "y")).unwrap();
    assert_eq!(poll(&feed), Poll::Ready(true));
    feed.update().unwrap();
    assert_eq!(target.log(), ["+c ~a"]);
    assert_eq!(target.notes(), notes(&store));

    feed.replace_all();
    feed.update().unwrap();
    assert_eq!(target.log(), ["replace 3"]);
    drop(store);
    assert_eq!(poll(&feed), Poll::Ready(false));
    assert!(matches!(feed.update(), Err(FeedError::Closed)));
}

#[test]
fn the_next_feed_continues_at_the_cursor() {
    let clients = Clients::<App>::new();
    let alice = clients.open("alice").unwrap();
    let target = Mirror::default();
    alice.commit([added("a"), added("b")]).unwrap();
    clients.sync().unwrap();
    alice.feed(target.clone()).unwrap().update().unwrap();
    alice.commit(changed("b", "new")).unwrap();
    clients.sync().unwrap();
    alice.offline();
    alice.commit(added("c")).unwrap();
    let alice = clients.restart(alice).unwrap();
    alice.offline();
    alice.feed(target.clone()).unwrap().update().unwrap();
    // Once more, from a pending event.
    alice.commit(changed("c", "new")).unwrap();
    let alice = clients.restart(alice).unwrap();
    alice.feed(target.clone()).unwrap().update().unwrap();
    assert_eq!(target.log(), ["replace 2", "~b +c", "~c"]);
    assert_eq!(target.notes(), notes(&alice));
}

#[test]
fn a_rebase_changes_what_it_changes_and_no_more() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit([added("a"), added("b")]).unwrap();
    clients.sync().unwrap();
    let target = Mirror::default();
    let mut feed = alice.feed(target.clone()).unwrap();
    feed.update().unwrap();
    alice.offline();
    // The second cannot be applied behind bob's, and is quarantined.
    alice.commit(written("c")).unwrap();
    alice.commit(added("d")).unwrap();
    alice.commit(changed("a", "of alice")).unwrap();
    feed.update().unwrap();
    bob.commit([
        NoteEvent::Added { id: "d".into(), text: "of bob".into() },
        changed("b", "of bob"),
    ])
    .unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    feed.update().unwrap();
    assert_eq!(target.notes(), notes(&alice));
    let log = target.log();
    assert_eq!(log[..2], ["replace 2", "+c +d ~a"]);
    assert!(!log[2].contains('a') && !log[2].contains('c'), "{log:?}");
}

#[test]
fn what_was_rebased_while_no_feed_was_there_is_replaced() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    let target = Mirror::default();
    alice.offline();
    alice.commit([added("a"), added("b")]).unwrap();
    alice.feed(target.clone()).unwrap().update().unwrap();
    bob.commit(added("c")).unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    alice.feed(target.clone()).unwrap().update().unwrap();
    assert_eq!(target.log(), ["replace 2", "replace 3"]);
    assert_eq!(target.notes(), notes(&alice));
}

#[test]
fn a_cursor_of_another_store_or_of_nothing_is_not_used() {
    let target = Mirror::default();
    for (n, cursor) in ["", "e1", "e1 0 0 x y", "e9999 1"].into_iter().enumerate() {
        let clients = Clients::<App>::new();
        let store = clients.open("alice").unwrap();
        store.commit(added("a")).unwrap();
        // The first time, as it is; then, as another store has left it.
        if n > 0 {
            target.0.lock().unwrap().cursor = Some(Cursor::from_text(cursor));
        }
        store.feed(target.clone()).unwrap().update().unwrap();
        assert_eq!(target.log(), ["replace 1"], "{cursor:?}");
    }
}

#[test]
fn a_target_that_fails_gets_the_changes_again_with_later_ones() {
    let store = Store::<App>::builder("notes").open().unwrap();
    let target = Mirror::default();
    target.fail(true);
    let mut feed = store.feed(target.clone()).unwrap();
    store.commit(added("a")).unwrap();
    assert!(matches!(feed.update(), Err(FeedError::Target(Full))));
    target.fail(false);
    feed.update().unwrap();
    store.commit(added("b")).unwrap();
    target.fail(true);
    feed.update().unwrap_err();
    store.commit([changed("b", "x"), added("c")]).unwrap();
    feed.update().unwrap_err();
    target.fail(false);
    feed.update().unwrap();
    assert_eq!(target.log(), ["replace 1", "+b +c"]);
    assert_eq!(target.notes(), notes(&store));
}

#[test]
fn a_confirmed_feed_has_nothing_that_is_pending() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    let target = Mirror::default();
    let mut feed = alice.confirmed_feed(target.clone()).unwrap();
    alice.offline();
    alice.commit([added("a"), added("b")]).unwrap();
    feed.update().unwrap();
    bob.commit(NoteEvent::Added { id: "a".into(), text: "of bob".into() }).unwrap();
    clients.sync().unwrap();
    feed.update().unwrap();
    alice.online();
    clients.sync().unwrap();
    feed.update().unwrap();
    // Both of alice's notes are one commit, of which the first cannot be applied.
    assert_eq!(target.log(), ["replace 0", "+a"]);
    assert_eq!(target.notes(), [("a".to_owned(), "of bob".to_owned())]);
}

#[test]
fn a_session_that_follows_another_has_feeds_too() {
    let directory = livestore_testing::StoreDirectory::new("notes");
    let open = |window: &str| directory.builder::<App>().window_id(window).open().unwrap();
    let (leader, follower) = (open("one"), open("two"));
    let target = Mirror::default();
    let mut feed = follower.feed(target.clone()).unwrap();
    feed.update().unwrap();
    follower.commit(added("a")).unwrap();
    feed.update().unwrap();
    leader.commit(added("b")).unwrap();
    // Both have committed at once: the leader's came first.
    livestore_testing::wait_until(|| notes(&follower).len() == 2);
    feed.update().unwrap();
    assert_eq!(target.notes(), notes(&leader));
    drop(feed);
    leader.close().unwrap();
    follower.commit(added("c")).unwrap();
    follower.feed(target.clone()).unwrap().update().unwrap();
    assert_eq!(target.notes(), notes(&follower));
}

/// A step of a random world.
#[derive(Debug, Clone)]
enum Step {
    Commit { bob: bool, events: Vec<NoteEvent> },
    Connect { bob: bool, online: bool },
    Sync,
    Update,
    Reopen { feed: usize },
}

fn event() -> impl Strategy<Value = NoteEvent> {
    (0..3, prop::sample::select(&IDS[..]), "[xy]{1,2}").prop_map(|(kind, id, text)| match kind {
        0 => NoteEvent::Written { id: id.into(), text },
        1 => NoteEvent::Seen { id: id.into() },
        _ => changed(id, &text),
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), prop::collection::vec(event(), 1..4))
            .prop_map(|(bob, events)| Step::Commit { bob, events }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(bob, online)| Step::Connect { bob, online }),
        2 => Just(Step::Sync),
        3 => Just(Step::Update),
        1 => (0..2_usize).prop_map(|feed| Step::Reopen { feed }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn targets_equal_the_store_in_random_worlds(steps in prop::collection::vec(step(), 1..40)) {
        let clients = Clients::<App>::new();
        let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
        let (all, confirmed) = (Mirror::default(), Mirror::default());
        let mut feeds =
            [alice.feed(all.clone()).unwrap(), alice.confirmed_feed(confirmed.clone()).unwrap()];
        for step in steps.into_iter().chain([Step::Update]) {
            match step {
                Step::Commit { bob: by_bob, events } => {
                    (if by_bob { &bob } else { &alice }).commit(events).unwrap();
                }
                Step::Connect { bob: is_bob, online } => {
                    let client = if is_bob { &bob } else { &alice };
                    if online { client.online() } else { client.offline() }
                }
                Step::Sync => clients.sync().unwrap(),
                Step::Reopen { feed: 0 } => feeds[0] = alice.feed(all.clone()).unwrap(),
                Step::Reopen { .. } => {
                    feeds[1] = alice.confirmed_feed(confirmed.clone()).unwrap();
                }
                Step::Update => {
                    // Nothing moves while they are compared.
                    alice.offline();
                    for feed in &mut feeds {
                        update(feed);
                    }
                    prop_assert_eq!(all.notes(), notes(&alice));
                    let last = alice.events().confirmed().into_iter().last();
                    let last = last.map_or(SeqNum::ROOT, |event| event.unwrap().seq);
                    let state = alice.state_at(last).unwrap();
                    let rows = state.query(Note::all().order_by(Note::ID)).unwrap();
                    let rows: Vec<_> = rows.into_iter().map(|it| (it.id, it.text)).collect();
                    prop_assert_eq!(confirmed.notes(), rows);
                }
            }
        }
    }
}
