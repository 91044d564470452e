//! `verify_replay`: a state that a replay does not make is noticed, with its first event.

use std::cell::Cell;
use std::collections::HashMap;

use livestore::prelude::*;
use livestore::state::{Difference, Divergence, DivergenceCause};
use livestore::store::VerifyError;

use crate::app::{self, TodoEvent, created};
use crate::kit::Home;

thread_local! {
    /// What the materializers of this thread do today.
    static TODAY: Cell<Today> = const { Cell::new(Today::Plain) };
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

#[derive(Clone, Copy, PartialEq)]
enum Today {
    Plain,
    /// Of "c" and "d", the text is in capitals.
    Louder,
    /// There is no "c".
    Less,
    /// There is one more row for each of "c".
    More,
    /// "c" is refused.
    Refusing,
    /// Of "c" and "d", the text is the number of calls so far.
    Counting,
    /// Tags are inserted in the order of a hash map.
    Hashed,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    #[column(primary_key)]
    id: String,
    #[column(primary_key)]
    n: u32,
    text: String,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.WordAdded")]
pub struct WordAdded {
    id: String,
}

impl Materialize for WordAdded {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let today = TODAY.get();
        let is_late = ["c", "d"].contains(&&*self.id);
        let word = |n: u32, text: &str| Word { id: self.id.clone(), n, text: text.to_owned() };
        match (today, &*self.id) {
            (Today::Louder, _) if is_late => state.insert(&word(0, "LOUD")),
            (Today::Less, "c") => Ok(()),
            (Today::Refusing, "c") => Err(MaterializeError::custom("not today")),
            (Today::More, "c") => {
                state.insert(&word(0, "plain"))?;
                state.insert(&word(1, "one more"))
            }
            (Today::Counting, _) if is_late => {
                CALLS.set(CALLS.get() + 1);
                state.insert(&word(0, &CALLS.get().to_string()))
            }
            (Today::Hashed, _) => {
                let numbers: HashMap<u32, ()> = (0..50).map(|n| (n, ())).collect();
                numbers.keys().try_for_each(|n| state.insert(&word(*n, "plain")))
            }
            _ => state.insert(&word(0, "plain")),
        }
    }
}

livestore::schema! { pub Words { tables: [Word], events: [WordAdded] } }

/// Events from "a" to "e", each in a commit of its own but for the last two.
fn commit_words(store: &Store<Words>) {
    let word = |id: &str| WordAdded { id: id.into() };
    for id in ["a", "b", "c"] {
        store.commit(word(id)).unwrap();
    }
    store.commit(["d", "e"].map(word)).unwrap();
}

/// A store in memory whose state was made one day, and is replayed on another.
fn store_of(day: Today, replayed: Today) -> Store<Words> {
    TODAY.set(day);
    let store = Store::<Words>::builder("words").open().unwrap();
    commit_words(&store);
    TODAY.set(replayed);
    store
}

#[track_caller]
fn divergence(store: &Store<Words>) -> Divergence {
    match store.verify_replay() {
        Err(VerifyError::Diverged(divergence)) => divergence,
        other => panic!("{other:?}"),
    }
}

fn event_of(divergence: &Divergence) -> Option<(String, &str)> {
    let event = divergence.event.as_ref();
    event.map(|(seq, name)| (seq.to_string(), name.as_str()))
}

#[test]
fn a_replayed_state_is_confirmed() {
    let store = store_of(Today::Plain, Today::Plain);
    assert_eq!(store.verify_replay(), Ok(()));
    let app = Store::<app::App>::builder("todos").open().unwrap();
    assert_eq!(app.verify_replay(), Ok(()), "an empty log");
    app.commit((created("a"), app::UiState::set().zoom(2), TodoEvent::Viewed { id: "a".into() }))
        .unwrap();
    assert_eq!(app.verify_replay(), Ok(()));
    app.clone().close().unwrap();
    assert!(matches!(app.verify_replay(), Err(VerifyError::History(_))));
}

#[test]
fn a_changed_materializer_is_found_with_the_row_and_its_event() {
    let store = store_of(Today::Plain, Today::Louder);
    let found = divergence(&store);
    assert_eq!(found.cause, DivergenceCause::Changed);
    assert_eq!(event_of(&found), Some(("e3".into(), "v1.WordAdded")));
    assert_eq!(
        found.to_string(),
        "the state differs from a replay in table `word`, row id = 'c', n = 0, at event e3, \
         v1.WordAdded; if its materializer was changed, raise `Materialize::VERSION`; if not, it uses \
         more than the event and the state"
    );
    store.reset_state().unwrap();
    assert_eq!(store.verify_replay(), Ok(()));
}

#[test]
fn rows_that_are_missing_or_too_many_are_found() {
    let more = divergence(&store_of(Today::Plain, Today::More));
    let row = |n: u32| Difference::Row { table: "word", row: format!("id = 'c', n = {n}") };
    assert_eq!((&more.difference, event_of(&more).unwrap().0.as_str()), (&row(1), "e3"));
    let less = divergence(&store_of(Today::Plain, Today::Less));
    assert_eq!((&less.difference, event_of(&less)), (&row(0), None));
    assert!(less.to_string().contains("which no event of the replay writes"), "{less}");
}

#[test]
fn an_event_that_a_replay_refuses_is_found() {
    let found = divergence(&store_of(Today::Plain, Today::Refusing));
    assert_eq!(event_of(&found), Some(("e3".into(), "v1.WordAdded")));
    assert_eq!(found.cause, DivergenceCause::Changed);
}

#[test]
fn a_materializer_that_counts_its_calls_is_found_at_its_first_event() {
    let store = store_of(Today::Counting, Today::Counting);
    let found = divergence(&store);
    assert_eq!(found.cause, DivergenceCause::NotDeterministic);
    assert_eq!(event_of(&found), Some(("e3".into(), "v1.WordAdded")));
    assert!(found.to_string().contains("row id = 'c', n = 0"), "{found}");
}

#[test]
fn an_event_in_the_middle_of_a_commit_is_named() {
    TODAY.set(Today::Counting);
    let store = Store::<Words>::builder("words").open().unwrap();
    store.commit(["x", "d", "e"].map(|id| WordAdded { id: id.into() })).unwrap();
    assert_eq!(event_of(&divergence(&store)).unwrap().0, "e2");
}

#[test]
fn the_order_of_a_hash_map_is_found() {
    let found = divergence(&store_of(Today::Hashed, Today::Hashed));
    assert_eq!(found.cause, DivergenceCause::NotDeterministic);
    assert_eq!(event_of(&found).unwrap().0, "e1");
}

#[test]
fn a_debug_build_does_not_use_a_snapshot_of_an_older_materializer() {
    let home = Home::new();
    TODAY.set(Today::Plain);
    let store = home.open::<Words>();
    commit_words(&store);
    store.close().unwrap();
    TODAY.set(Today::Louder);
    let store = home.open::<Words>();
    let loud = || Word::filter(Word::TEXT.eq("LOUD")).count();
    assert_eq!(store.query(loud()).unwrap(), 2);
    assert_eq!(store.verify_replay(), Ok(()));
    store.close().unwrap();
    let (store, boot) = home.boot::<Words>();
    assert_eq!((boot.replayed(), store.query(loud()).unwrap()), (0, 2));
}
