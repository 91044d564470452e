//! Live queries of a store, as an app uses them: typed, through streams and computeds.
//!
//! Whether they are right for any schema, query and rebase is the oracle's, in `src/live/oracle`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{FutureExt, StreamExt};
use livestore::live::{Live, LiveQuery, Tier, batch};
use livestore::prelude::*;
use livestore::table::Select;
use proptest::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    #[column(primary_key)]
    pub id: String,
    #[column(index)]
    pub group: Option<i64>,
    pub rank: i64,
    pub text: String,
    pub done: bool,
    pub tags: Json<Vec<i64>>,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
}

#[derive(Event, Debug, Clone)]
pub enum ItemEvent {
    #[event(name = "v1.Put")]
    Put { id: String, group: Option<i64>, rank: i64, text: String, done: bool, tags: Vec<i64> },
    #[event(name = "v1.Moved")]
    Moved { id: String, rank: i64 },
    #[event(name = "v1.Done")]
    Done { rank: i64, done: bool },
    #[event(name = "v1.Removed")]
    Removed { id: String },
    #[event(name = "v1.Cleared")]
    Cleared { group: i64 },
    #[event(name = "v1.Owned")]
    Owned { id: i64, name: String },
    #[event(name = "v1.Raw")]
    Raw { rank: i64 },
    #[event(name = "v1.Fails")]
    Fails { rank: i64 },
}

impl Materialize for ItemEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Put { id, group, rank, text, done, tags } => {
                state.upsert(&Item { id, group, rank, text, done, tags: Json(tags) })
            }
            Self::Moved { id, rank } => {
                state.run(Item::update().set(Item::RANK, rank).filter(Item::ID.eq(id)))
            }
            Self::Done { rank, done } => {
                state.run(Item::update().set(Item::DONE, done).filter(Item::RANK.eq(rank)))
            }
            Self::Removed { id } => state.run(Item::delete().filter(Item::ID.eq(id))),
            Self::Cleared { group } => state.run(Item::delete().filter(Item::GROUP.eq(group))),
            Self::Owned { id, name } => state.upsert(&Owner { id, name }),
            Self::Raw { rank } => state
                .sql("INSERT OR REPLACE INTO item SELECT id, \"group\", rank + 1, text, done, tags FROM item WHERE rank = ?", (rank,))
                .map(|_| ()),
            Self::Fails { rank } => {
                state.run(Item::delete().filter(Item::RANK.ge(rank)))?;
                Err(MaterializeError::custom("no"))
            }
        }
    }
}

livestore::schema! { pub App { tables: [Item, Owner], events: [ItemEvent] } }

fn event() -> impl Strategy<Value = ItemEvent> {
    let id = || (0u8..12).prop_map(|n| format!("id{n}"));
    let rank = || -3i64..4;
    prop_oneof![
        8 => (id(), prop::option::of(0i64..3), rank(), "[abAB%_]{0,3}", any::<bool>(), prop::collection::vec(0i64..3, 0..3))
            .prop_map(|(id, group, rank, text, done, tags)| ItemEvent::Put { id, group, rank, text, done, tags }),
        3 => (id(), rank()).prop_map(|(id, rank)| ItemEvent::Moved { id, rank }),
        2 => (rank(), any::<bool>()).prop_map(|(rank, done)| ItemEvent::Done { rank, done }),
        3 => id().prop_map(|id| ItemEvent::Removed { id }),
        1 => (0i64..3).prop_map(|group| ItemEvent::Cleared { group }),
        2 => (0i64..3, "[xy]").prop_map(|(id, name)| ItemEvent::Owned { id, name }),
        1 => rank().prop_map(|rank| ItemEvent::Raw { rank }),
        1 => rank().prop_map(|rank| ItemEvent::Fails { rank }),
    ]
}

type Check = Box<dyn FnMut(&Store<App>) -> Result<(), TestCaseError>>;

/// A live query, a stream and a computed of it, beside a fresh query: all show the same.
fn follows<Q>(store: &Store<App>, query: Q) -> Check
where
    Q: QueryIn<App, Output: Debug> + Live<Value: Debug> + Clone,
{
    let live = store.live(query.clone()).unwrap();
    let mut stream = live.stream();
    let text = computed({
        let live = live.clone();
        move |get| format!("{:?}", get.of(&live))
    });
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let guard = text.subscribe(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut last = stream.next().now_or_never().flatten();
    Box::new(move |store| {
        let _ = &guard;
        let (before, fresh) = (format!("{last:?}"), store.query(query.clone()).unwrap());
        if let Some(next) = stream.next().now_or_never() {
            last = next;
        }
        let fresh = format!("{fresh:?}");
        prop_assert_eq!(format!("{:?}", live.get()), &*fresh, "live, {:?}", live.report());
        prop_assert_eq!(&*text.get(), &fresh, "computed");
        prop_assert_eq!(format!("{last:?}"), format!("Some({fresh})"), "stream");
        let changed = usize::from(before != format!("Some({fresh})"));
        prop_assert_eq!(calls.swap(0, Ordering::Relaxed), changed, "calls");
        Ok(())
    })
}

/// A live query of each tier, and of each kind of value.
fn checks(store: &Store<App>) -> Vec<Check> {
    let open = || Item::filter(Item::DONE.eq(false) & Item::RANK.ge(-1));
    let names = "SELECT name, count(*) FROM owner JOIN item ON item.\"group\" = owner.id GROUP BY name ORDER BY name";
    vec![
        follows(store, open().order_by(Item::RANK.desc())),
        follows(store, open().order_by(Item::GROUP.asc()).limit(3).offset(1)),
        follows(store, Item::filter(Item::TAGS.contains(1)).select((Item::TEXT, Item::TAGS))),
        follows(
            store,
            open().group_by(Item::GROUP).select((Item::GROUP, count(), Item::RANK.sum())),
        ),
        follows(store, joined()),
        follows(store, raw::<(String, i64)>(names, ())),
        follows(store, open().count()),
        follows(store, Item::get("id3")),
        follows(store, open().order_by(Item::RANK.desc()).first()),
        follows(store, Item::filter(Item::ID.eq("id4")).optional()),
        follows(store, Item::all().select((count(), Item::RANK.sum())).one()),
    ]
}

fn joined() -> Select<(Item, Owner), (String, String)> {
    Item::all()
        .join(Item::GROUP.on(Owner::ID))
        .filter(Item::DONE.eq(true))
        .filter(Owner::NAME.eq("x"))
        .order_by(Item::ID.asc())
        .select((Item::ID, Owner::NAME))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn all_that_follows_a_query_shows_the_same(
        before in prop::collection::vec(event(), 0..20),
        batches in prop::collection::vec(prop::collection::vec(event(), 1..4), 1..30),
    ) {
        let store = Store::<App>::builder("live").open().unwrap();
        for event in before {
            let _ = store.commit(event);
        }
        let mut checks = checks(&store);
        for events in batches {
            let fails = events.iter().any(|event| matches!(event, ItemEvent::Fails { .. }));
            prop_assert_eq!(store.commit(events).is_err(), fails);
            checks.iter_mut().try_for_each(|check| check(&store))?;
        }
    }
}

fn put(id: &str, rank: i64) -> ItemEvent {
    let (id, text) = (id.to_owned(), id.to_owned());
    ItemEvent::Put { id, group: Some(rank % 3), rank, text, done: false, tags: Vec::new() }
}

fn store() -> Store<App> {
    let store = Store::<App>::builder("live").open().unwrap();
    store.commit((0..10).map(|n| put(&format!("i{n}"), n)).collect::<Vec<_>>()).unwrap();
    store
}

#[test]
fn equal_queries_share_one_node_and_dropping_frees_everything() {
    let store = store();
    let query = || Item::filter(Item::RANK.lt(5)).order_by(Item::RANK.asc());
    let (one, two) = (store.live(query()).unwrap(), store.live(query()).unwrap());
    let guard = one.subscribe(|_| ());
    let stream = two.stream();
    let diffs = one.diffs();
    assert_eq!(store.inspect().unwrap().queries.len(), 1);
    assert_eq!(store.inspect().unwrap().watched, ["item"]);
    drop((one, two));
    assert_eq!(store.inspect().unwrap().queries.len(), 1);
    drop((guard, stream));
    assert_eq!(store.inspect().unwrap().queries.len(), 1);
    drop(diffs);
    assert!(store.inspect().unwrap().queries.is_empty());
    assert!(store.inspect().unwrap().watched.is_empty());
}

#[test]
fn tiers_are_explained() {
    let store = store();
    let tier = |report: livestore::live::LiveReport| report.tier;
    assert_eq!(tier(store.explain_live(Item::get("i1")).unwrap()), Tier::Point);
    assert_eq!(tier(store.explain_live(Item::all()).unwrap()), Tier::Rows);
    assert_eq!(tier(store.explain_live(Item::all().count()).unwrap()), Tier::Groups);
    assert_eq!(tier(store.explain_live(joined()).unwrap()), Tier::Rerun);
}

#[test]
fn computeds_follow_queries_and_signals_without_glitches() {
    let store = store();
    let items = store.live(Item::all().count()).unwrap();
    let twice = {
        let items = items.clone();
        computed(move |get| **get.of(&items) * 2)
    };
    let offset = signal(1);
    let sum = {
        let (items, twice, offset) = (items.clone(), twice.clone(), offset.clone());
        computed(move |get| {
            let (items, twice) = (**get.of(&items), *get.of(&twice));
            assert_eq!(twice, items * 2, "a glitch");
            items + twice + *get.of(&offset)
        })
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let _guard = sum.subscribe(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(*sum.get(), 31);
    store.commit(put("new", 50)).unwrap();
    assert_eq!((*sum.get(), calls.load(Ordering::Relaxed)), (34, 1));
    batch(|| {
        store.commit(put("newer", 51)).unwrap();
        offset.set(2);
        offset.set(3);
    });
    assert_eq!((*sum.get(), calls.load(Ordering::Relaxed)), (39, 2));
    offset.set(3);
    store.commit(ItemEvent::Moved { id: "new".into(), rank: 60 }).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_callback_may_commit_subscribe_and_panic() {
    let store = store();
    let count: LiveQuery<_> = store.live(Item::all().count()).unwrap();
    let _panics = count.subscribe(|_| panic!("harmless"));
    let theirs = store.clone();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let _guard = count.subscribe(move |n| {
        noted.lock().unwrap().push(**n);
        if **n < 14 {
            theirs.commit(put(&format!("more{}", **n), 70)).unwrap();
        }
    });
    store.commit(put("first", 70)).unwrap();
    assert_eq!(*seen.lock().unwrap(), [11, 12, 13, 14]);
}

#[test]
fn a_query_follows_its_signal() {
    let store = store();
    let below = signal(3);
    let items = store
        .live_with({
            let below = below.clone();
            move |get| Item::filter(Item::RANK.lt(*get.of(&below)))
        })
        .unwrap();
    assert_eq!(items.get().len(), 3);
    below.set(5);
    assert_eq!(items.get().len(), 5);
    store.commit(ItemEvent::Removed { id: "i0".into() }).unwrap();
    assert_eq!(items.get().len(), 4);
    drop(items);
    assert!(store.inspect().unwrap().queries.is_empty());
}

#[test]
fn live_queries_go_on_over_a_state_that_is_made_anew() {
    let store = store();
    let count = store.live(Item::all().count()).unwrap();
    drop(store.live(Owner::all()).unwrap());
    store.reset_state().unwrap();
    store.commit(put("after", 99)).unwrap();
    assert_eq!(**count.get(), 11);
}

#[test]
fn a_list_and_its_rows_are_json_as_the_rows_are() {
    #[table]
    #[derive(Serialize)]
    struct Word {
        #[column(primary_key)]
        text: String,
    }
    #[derive(Event)]
    #[event(name = "v1.Said")]
    struct Said {
        text: String,
    }
    impl Materialize for Said {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.upsert(&Word { text: self.text.clone() })
        }
    }
    livestore::schema! { Words { tables: [Word], events: [Said] } }

    let store = Store::<Words>::builder("words").open().unwrap();
    let words = store.live(Word::all()).unwrap();
    let first = words.map(|words| words.first().map(|word| word.text.clone()));
    store.commit([Said { text: "a".into() }, Said { text: "b".into() }]).unwrap();
    let json = serde_json::to_string(&*words.get()).unwrap();
    assert_eq!(json, r#"[{"text":"a"},{"text":"b"}]"#);
    assert_eq!(first.get().as_deref(), Some("a"));
    let mut texts = Vec::new();
    for word in &*words.get() {
        texts.push(word.text.clone());
    }
    assert_eq!(texts, ["a", "b"]);
}

#[test]
fn rows_in_no_order_may_be_in_that_of_an_index() {
    #[table]
    struct Place {
        #[column(primary_key)]
        row: i64,
        #[column(primary_key)]
        seat: i64,
        note: String,
    }
    #[derive(Event)]
    enum Seating {
        #[event(name = "v1.Taken")]
        Taken { row: i64, seat: i64 },
        #[event(name = "v1.Moved")]
        Moved { seat: i64, to: i64 },
        #[event(name = "v1.Noted")]
        Noted { note: String },
    }
    impl Materialize for Seating {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            match self {
                Self::Taken { row, seat } => {
                    state.insert(&Place { row: *row, seat: *seat, note: "-".repeat(100) })
                }
                Self::Moved { seat, to } => {
                    state.run(Place::update().set(Place::ROW, *to).filter(Place::SEAT.eq(*seat)))
                }
                Self::Noted { note } => state.run(Place::update().set(Place::NOTE, note)),
            }
        }
    }
    livestore::schema! { Theatre { tables: [Place], events: [Seating] } }

    let store = Store::<Theatre>::builder("theatre").open().unwrap();
    let seats = || raw::<(i64,)>("SELECT seat FROM place", ());
    store.commit((1..4).map(|n| Seating::Taken { row: n, seat: n }).collect::<Vec<_>>()).unwrap();
    let live = store.live(seats()).unwrap();
    // The index of the key has all that the query reads, and is shorter than the table.
    store.commit(Seating::Moved { seat: 1, to: 9 }).unwrap();
    assert_eq!(*live.get(), *store.query(seats()).unwrap());
    assert_eq!(live.get().last().map(|seat| seat.0), Some(1));
    let runs = live.report().runs;
    store.commit(Seating::Noted { note: "x".into() }).unwrap();
    assert_eq!(live.report().runs, runs);
}

/// The warnings of this thread, as text.
#[derive(Clone, Default)]
struct Warnings(Arc<std::sync::Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = String::new();
        event.record(&mut |field: &tracing::field::Field, value: &dyn Debug| {
            text += &format!("{field}: {value:?} ");
        });
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_query_whose_every_run_is_slow_is_reported_once() {
    let store = Store::<App>::builder("slow").open().unwrap();
    // Millions of steps take long on every machine.
    let counted =
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000000)
        SELECT count(*) + (SELECT count(*) FROM owner) FROM c";
    let _slow = store.live(raw::<(i64,)>(counted, ())).unwrap();
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || {
        for id in [1, 2] {
            store.commit(ItemEvent::Owned { id, name: String::new() }).unwrap();
        }
    });
    let warnings = warnings.0.lock().unwrap();
    // On a machine that is busy enough, any query is slow twice.
    let of_counted: Vec<_> = warnings.iter().filter(|it| it.contains("WITH RECURSIVE")).collect();
    let [warning] = &*of_counted else { panic!("{warnings:?}") };
    assert!(warning.contains("it is SQL as text"), "{warning}");
}
