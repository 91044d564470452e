//! Live queries that fail after a commit, and work again: `error()`, subscribers, streams, diffs and
//! computeds say so, and the last value stays.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, StreamExt};
use livestore::live::{Live, batch};
use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    #[column(primary_key)]
    pub id: String,
    pub n: i64,
    pub text: String,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Tagged {
    #[column(primary_key)]
    pub id: String,
    pub tags: Json<Vec<String>>,
}

#[derive(Event, Debug, Clone)]
pub enum ItemEvent {
    #[event(name = "v1.ItemSet")]
    Set { id: String, n: i64, text: String },
    #[event(name = "v1.SqlRun")]
    Sql { sql: String },
}

impl Materialize for ItemEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Set { id, n, text } => {
                state.upsert(&Item { id: id.clone(), n: *n, text: text.clone() })
            }
            Self::Sql { sql } => state.sql(sql, ()).map(drop),
        }
    }
}

livestore::schema! { pub App { tables: [Item, Tagged], events: [ItemEvent] } }

fn store() -> Store<App> {
    Store::builder("items").open().unwrap()
}

fn set(store: &Store<App>, id: &str, n: i64, text: &str) {
    store.commit(ItemEvent::Set { id: id.into(), n, text: text.into() }).unwrap();
}

fn sql(store: &Store<App>, sql: &str) {
    store.commit(ItemEvent::Sql { sql: sql.into() }).unwrap();
}

type Sum = (Option<i64>,);

fn sum() -> livestore::table::Raw<Sum> {
    raw("SELECT sum(n) FROM item", ())
}

/// A store whose sum is about to overflow: with the item "b" at 1, not at 0.
fn at_the_limit() -> Store<App> {
    let store = store();
    set(&store, "a", i64::MAX, "1");
    set(&store, "b", 0, "2");
    store
}

#[test]
fn a_failure_is_seen_by_everyone_and_ends_with_its_cause() {
    let store = at_the_limit();
    let live = store.live(sum()).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let _guard = live.subscribe({
        let (calls, live) = (Arc::clone(&calls), live.clone());
        move |rows| calls.lock().unwrap().push((rows[0].0, live.error().is_some()))
    });
    let (mut values, mut diffs) = (live.stream(), live.diffs());
    let mut next = || values.next().now_or_never().flatten().map(|rows| rows[0].0);
    assert_eq!((next(), next()), (Some(Some(i64::MAX)), None));
    assert_eq!(diffs.try_next().unwrap().len(), 1);

    set(&store, "b", 1, "2");
    let error = live.error().unwrap();
    assert_eq!(Err((*error).clone()), store.query(sum()).map(drop));
    assert_eq!(live.get()[0].0, Some(i64::MAX), "the last value stays");
    assert_eq!((next(), next()), (Some(Some(i64::MAX)), None));
    assert_eq!(diffs.next().now_or_never().flatten().unwrap().len(), 0, "an item without steps");
    assert!(diffs.try_next().is_none());
    assert!(store.live(sum()).is_err(), "as a fresh query");
    assert!(store.inspect().unwrap().to_string().contains("integer overflow"));

    set(&store, "c", 0, "3");
    assert_eq!(next(), None, "the same failure is not announced again");

    set(&store, "b", 0, "2");
    assert_eq!(live.error(), None);
    assert_eq!((next(), next()), (Some(Some(i64::MAX)), None));
    set(&store, "b", 1, "2");
    set(&store, "a", 5, "1");
    assert_eq!((live.error(), live.get()[0].0), (None, Some(6)));
    let expected = [(i64::MAX, true), (i64::MAX, false), (i64::MAX, true), (6, false)];
    assert_eq!(*calls.lock().unwrap(), expected.map(|(sum, fails)| (Some(sum), fails)));
}

#[test]
fn values_on_top_of_a_failing_query_fail_with_it() {
    let store = at_the_limit();
    let live = store.live(sum()).unwrap();
    let half = live.map(|rows| rows[0].0.unwrap_or(0) / 2);
    let text = half.map(|half| format!("half: {half}"));
    let other = signal(1).map(|n| n + 1);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let _guard = text.subscribe({
        let (calls, text) = (Arc::clone(&calls), text.clone());
        move |now: &String| calls.lock().unwrap().push((now.clone(), text.error().is_some()))
    });
    let last = format!("half: {}", i64::MAX / 2);
    assert_eq!((text.error(), &**text.get()), (None, &*last));

    set(&store, "b", 1, "2");
    assert_eq!(text.error(), live.error());
    assert!(half.error().is_some() && other.error().is_none());
    assert_eq!(**text.get(), last);
    set(&store, "a", 9, "1");
    assert_eq!((half.error(), text.error(), &**text.get()), (None, None, "half: 5"));
    assert_eq!(*calls.lock().unwrap(), [(last, true), ("half: 5".to_owned(), false)]);
}

#[test]
fn a_computed_that_panics_has_a_value_again_when_its_input_allows() {
    let store = store();
    set(&store, "a", 2, "");
    let live = store.live(sum()).unwrap();
    let inverse = live.map(|rows| 100 / rows[0].0.unwrap());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let _guard = inverse.subscribe({
        let calls = Arc::clone(&calls);
        move |inverse| calls.lock().unwrap().push(*inverse)
    });
    set(&store, "a", 0, "");
    assert_eq!(inverse.error(), None, "a panic is no failure of a query");
    set(&store, "a", 4, "");
    assert_eq!((*inverse.get(), &*calls.lock().unwrap()), (25, &vec![25]));
}

/// The query fails once `bad` has run, as a fresh one does, and works again after `good`.
#[track_caller]
fn fails_and_recovers<Q: QueryIn<App> + Live + Clone>(query: Q, bad: &str, good: &str) {
    let store = store();
    set(&store, "a", 1, "{}");
    set(&store, "b", 2, "{}");
    sql(&store, r#"INSERT INTO tagged VALUES ('a', '["x"]')"#);
    let live = store.live(query.clone()).unwrap();
    let version = live.version();
    sql(&store, bad);
    assert!(store.query(query.clone()).is_err(), "{bad}");
    assert!(live.error().is_some(), "{bad}");
    assert!(live.version() > version);
    // What fails does not keep other live queries from following.
    let count = store.live(Item::all().count()).unwrap();
    set(&store, "c", 3, "{}");
    assert_eq!(**count.get(), 3);
    sql(&store, good);
    assert_eq!(live.error(), None, "{good}");
    let fresh = store.live(query).unwrap();
    assert_eq!(fresh.report().id, live.report().id);
    store.reset_state().unwrap();
    assert_eq!(live.error(), None);
}

#[test]
fn every_way_to_fail_is_noticed() {
    let (min, zero) =
        ("UPDATE item SET n = -9223372036854775807 - 1 WHERE id = 'a'", "UPDATE item SET n = 0");
    let text = |text: &str| format!("UPDATE item SET text = '{text}' WHERE id = 'a'");
    let (broken, whole) = (text("{"), text("{}"));
    let max = "UPDATE item SET n = 9223372036854775807";
    fails_and_recovers(raw::<(i64,)>("SELECT abs(n) FROM item", ()), min, zero);
    fails_and_recovers(
        raw::<(i64,)>("SELECT json_extract(text, '$.a') IS NULL FROM item", ()),
        &broken,
        &whole,
    );
    fails_and_recovers(raw::<(i64,)>("SELECT sum(n) FROM item GROUP BY text", ()), max, zero);
    // One row that cannot be decoded, in lists of all kinds.
    let small = || raw::<(u8,)>("SELECT n FROM item", ());
    fails_and_recovers(small(), max, zero);
    let broken = "UPDATE tagged SET tags = 'no json' WHERE id = 'a'";
    let whole = "UPDATE tagged SET tags = '[]'";
    fails_and_recovers(Tagged::all(), broken, whole);
    fails_and_recovers(Tagged::all().order_by(Tagged::ID.desc()).limit(1), broken, whole);
    fails_and_recovers(Tagged::all().first(), broken, whole);
    fails_and_recovers(Tagged::all().select(Tagged::TAGS), broken, whole);
    fails_and_recovers(Tagged::get("a"), broken, whole);
    fails_and_recovers(Tagged::filter(Tagged::TAGS.contains("y")), broken, whole);
    // Sums and numbers of rows.
    fails_and_recovers(Item::all().select(Item::N.sum()), max, zero);
    fails_and_recovers(
        Item::all().group_by(Item::TEXT).select((Item::TEXT, Item::N.sum())),
        max,
        zero,
    );
    fails_and_recovers(
        Item::filter(Item::N.eq(1)).one(),
        zero,
        "UPDATE item SET n = 1 WHERE id = 'b'",
    );
    let all = "UPDATE item SET n = 7";
    fails_and_recovers(Item::filter(Item::N.eq(7)).optional(), all, zero);
    // A join.
    let joined = Item::all().join(Item::ID.on(Tagged::ID));
    fails_and_recovers(joined, broken, whole);
}

#[test]
fn a_row_that_a_list_does_not_show_does_not_fail_it() {
    let store = store();
    let insert = |id: &str, tags: &str| {
        sql(&store, &format!("INSERT INTO tagged VALUES ('{id}', '{tags}')"))
    };
    insert("b", "[]");
    insert("c", "[]");
    let by_id = || Tagged::all().order_by(Tagged::ID.asc());
    let (first, second) = (by_id().limit(1), by_id().limit(1).offset(1));
    let (head, tail) = (store.live(first.clone()).unwrap(), store.live(second.clone()).unwrap());
    insert("d", "no json");
    assert_eq!((head.error(), tail.error()), (None, None));
    assert_eq!(tail.get()[0].id, "c");
    sql(&store, "DELETE FROM tagged WHERE id = 'c'");
    assert_eq!((head.error(), tail.error().is_some()), (None, true));
    assert!(store.query(second.clone()).is_err());
    insert("a", "no json too");
    assert!(head.error().is_some());
    assert_eq!((tail.error(), &*tail.get()[0].id), (None, "b"));
    sql(&store, "UPDATE tagged SET tags = '[]'");
    assert_eq!((head.error(), tail.error()), (None, None));
    assert_eq!((&*head.get()[0].id, &*tail.get()[0].id), ("a", "b"));
}

#[test]
fn a_sum_overflows_on_its_way_as_in_sqlite() {
    let query = || Item::all().select(Item::N.sum());
    let store = at_the_limit();
    let live = store.live(query()).unwrap();
    for (b, c) in [(1, -1), (0, -1), (1, 0), (-1, 1), (0, 0)] {
        batch(|| {
            set(&store, "b", b, "2");
            set(&store, "c", c, "3");
        });
        assert_eq!(live.error().is_some(), store.query(query()).is_err(), "{b} {c}");
    }
}

#[test]
fn a_query_that_depends_on_a_value_fails_visibly_and_recovers() {
    let store = at_the_limit();
    let doubled = signal(false);
    let live = store.live_with({
        let doubled = doubled.clone();
        move |get| match *get.of(&doubled) {
            false => raw::<Sum>("SELECT sum(n) FROM item", ()),
            true => raw::<Sum>("SELECT sum(n + n / 9223372036854775807) FROM item", ()),
        }
    });
    let live = live.unwrap();
    let calls = Arc::new(Mutex::new(0));
    let _guard = live.subscribe({
        let calls = Arc::clone(&calls);
        move |_| *calls.lock().unwrap() += 1
    });
    doubled.set(true);
    set(&store, "b", 1, "2");
    // The query of the signal's new value has failed from its start; it recovers with the data.
    assert!(live.error().is_some());
    assert_eq!(live.get()[0].0, Some(i64::MAX));
    set(&store, "a", 10, "1");
    assert_eq!((live.error(), live.get()[0].0), (None, Some(11)));
    assert!(*calls.lock().unwrap() >= 2);
    doubled.set(false);
    assert_eq!((live.error(), live.get()[0].0), (None, Some(11)));
}

#[test]
fn sql_that_sqlite_refuses_is_shown_until_the_signal_changes() {
    let store = at_the_limit();
    let table = signal(String::from("item"));
    let live = store.live_with({
        let table = table.clone();
        move |get| raw::<(i64,)>(format!("SELECT count(*) FROM {}", get.of(&table)), ())
    });
    let live = live.unwrap();
    table.set("nothing".into());
    assert!(live.error().is_some());
    assert_eq!(live.get()[0].0, 2);
    table.set("tagged".into());
    assert_eq!((live.error(), live.get()[0].0), (None, 0));
}
