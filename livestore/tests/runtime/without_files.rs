//! Sessions that read nothing but what their leader sends, as those of a browser's pages.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use livestore::__private::web::{History, Journal, recover, without_files};
use livestore::eventlog::EventlogError;
use livestore::prelude::*;
use livestore_testing::wait_until;

use crate::app::{App, Misbehaved, Todo, TodoEvent, UiState, counted, created};
use crate::kit::{Home, STORE, log_of};

/// A journal in memory: the end of each commit, and its bytes.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Entry>>>);

type Entry = (u64, Vec<u8>);

impl Journal for Kept {
    fn add(&self, end: u64, commit: Vec<u8>) {
        self.0.lock().unwrap().push((end, commit));
    }

    fn remove(&self, end: u64) {
        self.0.lock().unwrap().retain(|(there, _)| *there > end);
    }
}

impl Kept {
    fn commits(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().iter().map(|(_, commit)| commit.clone()).collect()
    }
}

fn page(home: &Home) -> Store<App> {
    page_with(home, Kept::default())
}

fn page_with(home: &Home, journal: Kept) -> Store<App> {
    without_files(home.builder(), "static".to_owned(), journal).open().unwrap()
}

fn count(store: &Store<App>) -> u64 {
    store.query(Todo::all().count()).unwrap()
}

/// Waits for a future on this thread.
fn wait<F: Future>(future: F) -> F::Output {
    struct Thread(std::thread::Thread);
    impl Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Thread(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park_timeout(Duration::from_secs(1)),
        }
    }
}

#[track_caller]
fn wait_equal(a: &Store<App>, b: &Store<App>) {
    wait_until(|| {
        let (left, right) = (a.head().unwrap(), b.head().unwrap());
        left == right && a.state_hash().unwrap() == b.state_hash().unwrap()
    });
}

/// A store whose log has a snapshot, and some events behind it.
fn with_snapshot(home: &Home) -> Store<App> {
    let store = home.open::<App>();
    for n in 0..300 {
        store.commit(created(format!("{n}"))).unwrap();
    }
    store.close().unwrap();
    assert!(home.snapshot().exists());
    let store = home.open::<App>();
    store.commit((created("behind"), TodoEvent::Viewed { id: "1".into() })).unwrap();
    store
}

#[test]
fn it_starts_from_the_leaders_snapshot_and_follows() {
    let home = Home::new();
    let leader = with_snapshot(&home);
    let page = page(&home);
    assert_eq!(count(&page), 301);
    assert_eq!(page.client_id(), leader.client_id());
    page.commit((created("here"), UiState::set().zoom(3))).unwrap();
    assert_eq!(count(&page), 302);
    leader.commit(created("there")).unwrap();
    wait(page.flushed()).unwrap();
    wait_equal(&leader, &page);
    assert_eq!(leader.query(UiState::get()).unwrap().zoom, 3);
    let new: Vec<_> =
        page.events().after(SeqNum::new(301)).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(new.len(), 4, "{new:?}");
}

#[test]
fn it_starts_where_the_leaders_snapshot_ends() {
    for is_client_only in [false, true] {
        let home = Home::new();
        let store = home.open::<App>();
        for n in 0..300 {
            store.commit(created(format!("{n}"))).unwrap();
        }
        if is_client_only {
            store.commit(UiState::set().zoom(3)).unwrap();
        }
        let head = store.head().unwrap();
        store.close().unwrap();
        let leader = home.open::<App>();
        let page = page(&home);
        assert_eq!((count(&page), page.head().unwrap()), (300, head));
        let first = page.events().into_iter().next().unwrap();
        assert_eq!(first, Err(EventlogError::NotReceived { after: head }));
        page.commit(created("here")).unwrap();
        wait(History::of(&page)).unwrap();
        wait(page.flushed()).unwrap();
        wait_equal(&leader, &page);
        assert_eq!(log_of(&page), log_of(&leader));
    }
}

#[test]
fn it_reads_the_history_that_it_has_asked_for() {
    let home = Home::new();
    let leader = with_snapshot(&home);
    let page = page(&home);
    page.commit(created("here")).unwrap();
    let first = page.events().into_iter().next().unwrap();
    assert_eq!(first, Err(EventlogError::NotReceived { after: SeqNum::new(300) }));
    assert!(page.state_at(SeqNum::new(7)).is_err());
    wait(History::of(&page)).unwrap();
    wait(page.flushed()).unwrap();
    assert_eq!(log_of(&page), log_of(&leader));
    let then = page.state_at(SeqNum::new(7)).unwrap();
    assert_eq!(then.query(Todo::all().count()).unwrap(), 7);
    page.verify_replay().unwrap();
    // It is kept up to date.
    leader.commit(created("there")).unwrap();
    wait_equal(&leader, &page);
    assert_eq!(log_of(&page), log_of(&leader));
    wait(History::of(&page)).unwrap();
}

#[test]
fn a_snapshot_that_is_damaged_is_not_used() {
    let home = Home::new();
    let leader = with_snapshot(&home);
    let mut bytes = std::fs::read(home.snapshot()).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(home.snapshot(), bytes).unwrap();
    let page = page(&home);
    wait_equal(&leader, &page);
    assert_eq!(log_of(&page), log_of(&leader));
}

#[test]
fn it_goes_on_with_the_next_leader() {
    let home = Home::new();
    let leader = with_snapshot(&home);
    let (page, next) = (page(&home), home.open::<App>());
    for n in 0..50 {
        page.commit((created(format!("p{n}")), counted("all", 1))).unwrap();
        next.commit(counted("all", 1)).unwrap();
    }
    leader.close().unwrap();
    page.commit(created("alone")).unwrap();
    wait_until(|| wait(page.flushed()).is_ok());
    wait_equal(&next, &page);
    assert_eq!(count(&next), 352);
    next.close().unwrap();
    // Nobody can lead now, and commits wait.
    page.commit(created("later")).unwrap();
    let again = home.open::<App>();
    wait_until(|| count(&again) == 353);
    wait_equal(&again, &page);
    again.verify_replay().unwrap();
}

#[test]
fn a_rollback_of_all_that_is_pending_is_made_good_without_the_history() {
    let home = Home::new();
    let leader = with_snapshot(&home);
    let page = page(&home);
    leader.close().unwrap();
    let todos = page.live(Todo::all().count()).unwrap();
    let rolled_back_if_there = |id: &str| Misbehaved::RolledBackIfThere { id: id.to_owned() };
    page.commit(created("before")).unwrap();
    page.commit(rolled_back_if_there("taken")).unwrap();
    page.commit(created("after")).unwrap();
    assert!(page.commit(rolled_back_if_there("before")).is_err());
    assert_eq!((count(&page), **todos.get()), (304, 304));
    // Somebody else comes first, and has that todo.
    let first: Store<App> = home.builder().single_process().open().unwrap();
    first.commit(created("taken")).unwrap();
    first.close().unwrap();
    let leader = home.open::<App>();
    wait_until(|| count(&leader) == 304);
    wait_equal(&leader, &page);
    assert_eq!((count(&page), **todos.get()), (304, 304));
    let quarantined = page.quarantined().unwrap();
    assert_eq!(quarantined.len(), 1, "{quarantined:?}");
    assert_eq!(&*quarantined[0].name, "v1.RolledBackIfThere");
    assert!(page.events().into_iter().next().unwrap().is_err(), "it never had the history");
    page.commit(created("more")).unwrap();
    wait_equal(&leader, &page);
    leader.verify_replay().unwrap();
}

#[test]
fn a_leader_that_cannot_write_says_so() {
    let home = Home::new();
    let leader: Store<App> = home.builder().durability(Durability::Buffered).open().unwrap();
    let page = page(&home);
    page.commit(created("stored")).unwrap();
    wait(page.flushed()).unwrap();
    std::fs::remove_file(home.eventlog()).unwrap();
    page.commit(created("kept")).unwrap();
    let failed = wait(page.flushed()).unwrap_err();
    assert!(matches!(failed, EventlogError::Unacknowledged { .. }), "{failed:?}");
    assert!(failed.to_string().contains("was deleted"), "{failed}");
    assert_eq!((count(&page), page.sync_status().unwrap().pending), (2, 0));
    // Another one cannot join.
    let refused = without_files(home.builder::<App>(), "w".to_owned(), Kept::default()).open();
    assert!(refused.unwrap_err().to_string().contains("was deleted"));
    drop(leader);
}

#[test]
fn a_reset_reaches_it() {
    let home = Home::new();
    let leader = with_snapshot(&home);
    let page = page(&home);
    leader.reset_state().unwrap();
    wait_equal(&leader, &page);
    page.reset_state().unwrap();
    page.commit(created("after")).unwrap();
    wait_until(|| count(&leader) == 302);
    wait_equal(&leader, &page);
    // It may have got the state of a snapshot that was made meanwhile.
    wait(History::of(&page)).unwrap();
    wait(page.flushed()).unwrap();
    assert_eq!(log_of(&page), log_of(&leader));
}

#[test]
fn a_journal_has_what_the_leader_may_not_have() {
    let home = Home::new();
    let (leader, kept) = (with_snapshot(&home), Kept::default());
    let page = page_with(&home, kept.clone());
    leader.close().unwrap();
    page.commit([created("a"), created("b")]).unwrap();
    page.commit(created("c")).unwrap();
    let commits = kept.commits();
    assert_eq!(commits.len(), 2);
    let leader = home.open::<App>();
    wait_until(|| kept.commits().is_empty());
    assert_eq!(count(&leader), 304);
    // The page was gone before it knew.
    for _ in 0..2 {
        wait(recover_in(&home, &commits)).unwrap();
        assert_eq!(count(&leader), 304, "nothing is there twice");
    }
}

#[test]
fn what_a_page_has_left_behind_is_added_once() {
    let home = Home::new();
    let (leader, kept) = (with_snapshot(&home), Kept::default());
    let page = page_with(&home, kept.clone());
    page.commit(created("sent")).unwrap();
    wait(page.flushed()).unwrap();
    leader.close().unwrap();
    page.commit([created("a"), created("b")]).unwrap();
    page.commit(created("c")).unwrap();
    let commits = kept.commits();
    // It does not wait for a leader for long.
    drop(page);
    let leader = home.open::<App>();
    for _ in 0..2 {
        wait(recover_in(&home, &commits)).unwrap();
        assert_eq!(count(&leader), 305);
    }
    let ours = log_of(&leader).into_iter().filter(|event| event.args.contains("\"b\""));
    assert!(ours.map(|event| event.continues).eq([true]), "a commit stays one");
    // What nobody can read stays where it is, and those before it are added.
    assert!(wait(recover_in(&home, &[vec![1, 2, 3]])).is_err());
    let mut damaged = commits.clone();
    damaged[1].truncate(9);
    assert!(wait(recover_in(&home, &damaged)).unwrap_err().contains("cannot read"));
    assert_eq!(count(&leader), 305);
}

async fn recover_in(home: &Home, commits: &[Vec<u8>]) -> Result<(), String> {
    recover(&home.folder(), STORE, commits).unwrap().await
}
