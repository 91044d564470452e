//! Materializers that use more than the event and the state: their event fails, with the reason, and
//! nobody waits for themselves.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use livestore::live::batch;
use livestore::prelude::*;
use livestore::state::QuarantineReason;
use livestore::table::Impurity;
use livestore::value::{Storage, Value, ValueError};

use crate::kit::{Home, log_of};

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    #[column(primary_key)]
    id: String,
    text: String,
}

/// Uses something while it is materialized.
#[derive(Event, Debug, Clone)]
#[event(name = "v1.Used")]
pub struct Used {
    what: String,
}

impl Materialize for Used {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let text = STORES.with_borrow(|stores| match stores {
            Some(stores) => stores.used(&self.what),
            None => String::new(),
        });
        state.insert(&Item { id: self.what.clone(), text })
    }
}

livestore::schema! { pub App { tables: [Item], events: [Used] } }

#[table]
pub struct Elsewhere {
    #[column(primary_key)]
    id: String,
}

livestore::schema! { pub Other { tables: [Elsewhere], events: [] } }

thread_local! {
    /// What the materializers of this thread can reach.
    static STORES: RefCell<Option<Stores>> = const { RefCell::new(None) };
}

struct Stores {
    own: Store<App>,
    other: Store<Other>,
    past: livestore::store::StateAt<App>,
    live: LiveQuery<livestore::live::List<Item>>,
    signal: Signal<u32>,
    errors: RefCell<Vec<String>>,
}

impl Stores {
    /// Swallows errors, as a careless materializer does.
    fn used(&self, what: &str) -> String {
        let Self { own, other, past, live, signal, .. } = self;
        let used = Used { what: "inner".into() };
        match what {
            "now" => return now().to_string(),
            "new_id" => return new_id(),
            "now, then a panic" => panic!("it is {}", now()),
            "query" => self.note(own.query(Item::all().count()).map_err(Into::into)),
            "query the past" => self.note(past.query(Item::all().count()).map_err(Into::into)),
            "commit" => self.note(own.commit(used).map_err(Into::into)),
            "commit in a batch" => self.note(batch(|| own.commit(used)).map_err(Into::into)),
            "live" => self.note(own.live(Item::all()).map_err(Into::into)),
            "head" => self.note(own.head().map_err(Into::into)),
            "state_hash" => self.note(own.state_hash().map_err(Into::into)),
            "quarantined" => self.note(own.quarantined().map_err(Into::into)),
            "state_at" => self.note(own.state_at(SeqNum::ROOT).map_err(Into::into)),
            "reset_state" => self.note(own.reset_state().map_err(Into::into)),
            "flush" => self.note(own.flush().map_err(Into::into)),
            "events" => {
                own.events().into_iter().for_each(|event| self.note(event.map_err(Into::into)))
            }
            "inspect" => self.note(own.inspect().map_err(Into::into)),
            "sync_status" => self.note(own.sync_status().map_err(Into::into)),
            "close" => self.note(own.clone().close().map_err(Into::into)),
            "open" => self.note(Store::<App>::builder("new").open().map_err(Into::into)),
            "other store" => self.note(other.query(Elsewhere::all().count()).map_err(Into::into)),
            "pause_sync" => own.pause_sync(),
            "resume_sync" => own.resume_sync(),
            "client_id" => return own.client_id().to_owned(),
            "session_id" => return own.session_id().to_owned(),
            "live value" => return live.get().len().to_string(),
            "signal" => return signal.get().to_string(),
            "set a signal" => signal.set(7),
            _ => {}
        }
        String::new()
    }

    fn note<T>(&self, result: livestore::Result<T>) {
        self.errors.borrow_mut().extend(result.err().map(|error| error.to_string()));
    }
}

fn reachable(store: &Store<App>) {
    let stores = Stores {
        own: store.clone(),
        other: Store::builder("other").open().unwrap(),
        past: store.state_at(SeqNum::ROOT).unwrap(),
        live: store.live(Item::all()).unwrap(),
        signal: signal(1),
        errors: RefCell::default(),
    };
    STORES.with_borrow_mut(|reachable| *reachable = Some(stores));
}

fn used(what: &str) -> Used {
    Used { what: what.into() }
}

fn impurity_of(store: &Store<App>, what: &str) -> Impurity {
    let error = store.commit(used(what)).unwrap_err();
    match error {
        CommitError::Materialize { source: MaterializeError::Impure(impurity), .. } => impurity,
        error => panic!("{what}: {error:?}"),
    }
}

#[test]
fn an_event_whose_materializer_uses_more_than_its_state_is_refused() {
    let store = Store::<App>::builder("todos").open().unwrap();
    reachable(&store);
    let uses = [
        (Impurity::Clock, &["now", "now, then a panic"][..]),
        (Impurity::Randomness, &["new_id"]),
        (
            Impurity::Store,
            &[
                "query",
                "query the past",
                "commit",
                "commit in a batch",
                "live",
                "head",
                "state_hash",
                "quarantined",
                "state_at",
                "reset_state",
                "flush",
                "events",
                "inspect",
                "sync_status",
                "close",
                "open",
                "other store",
                "pause_sync",
                "resume_sync",
                "client_id",
                "session_id",
            ],
        ),
        (Impurity::LiveValue, &["live value", "signal", "set a signal"]),
    ];
    for (impurity, all) in uses {
        for what in all {
            assert_eq!(impurity_of(&store, what), impurity, "{what}");
        }
    }
    assert_eq!(log_of(&store), []);
    assert_eq!(store.query(Item::all().count()).unwrap(), 0);
    STORES.with_borrow(|stores| {
        let stores = stores.as_ref().unwrap();
        assert_eq!(*stores.signal.get(), 1, "a materializer sets no signal");
        let errors = stores.errors.borrow();
        assert!(errors.len() >= 16, "{errors:?}");
        for error in &*errors {
            assert!(error.contains("use `state`, the argument of `materialize`"), "{error}");
        }
    });

    store.commit(used("nothing else")).unwrap();
    assert_eq!(store.query(Item::all().count()).unwrap(), 1);
    assert!(now() > Timestamp::from_millis(0) && new_id().len() == 21, "outside, all as before");
    STORES.with_borrow_mut(Option::take);
}

#[test]
fn the_error_says_where_the_value_belongs() {
    let store = Store::<App>::builder("todos").open().unwrap();
    reachable(&store);
    let error = store.commit([used("fine"), used("now")]).unwrap_err();
    assert_eq!(
        livestore::ErrorChain::new(&error).to_string(),
        "event 1 of the commit, v1.Used, cannot be applied: the materializer called `now()`, which \
         returns another time in a replay; put the time into the event"
    );
    assert_eq!(store.query(Item::all().count()).unwrap(), 0, "the commit is refused as a whole");
    STORES.with_borrow_mut(Option::take);
}

#[test]
fn an_event_of_the_log_whose_materializer_became_impure_is_quarantined() {
    let home = Home::new();
    let store = home.open::<App>();
    store.commit(used("now")).unwrap();
    reachable(&store);
    store.reset_state().unwrap();
    let quarantined = store.quarantined().unwrap();
    let [quarantined] = &*quarantined else { panic!("{quarantined:?}") };
    let QuarantineReason::Failed(reason) = &quarantined.reason else { panic!("{quarantined:?}") };
    assert!(reason.contains("put the time into the event"), "{reason}");
    STORES.with_borrow_mut(Option::take);
    store.reset_state().unwrap();
    assert_eq!(store.quarantined().unwrap(), []);
}

/// Old events get their time by an upcast, which is a part of materializing them.
mod upcast {
    use super::*;

    pub mod before {
        use super::*;

        #[derive(Event, Debug, Clone)]
        #[event(name = "v1.Made")]
        pub struct Made {
            pub id: String,
        }

        impl Materialize for Made {
            fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
                state.insert(&Item { id: self.id.clone(), text: String::new() })
            }
        }

        livestore::schema! { pub Before { tables: [Item], events: [Made] } }
    }

    #[derive(Event, Debug, Clone)]
    #[event(name = "v2.Made", upcast("v1.Made", with = with_time))]
    pub struct Made {
        id: String,
        at: Timestamp,
    }

    fn with_time(old: before::Made) -> Made {
        Made { id: old.id, at: now() }
    }

    impl Materialize for Made {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&Item { id: self.id.clone(), text: self.at.to_string() })
        }
    }

    livestore::schema! { pub After { tables: [Item], events: [Made] } }

    #[test]
    fn an_upcast_has_no_clock() {
        let home = Home::new();
        let store = home.open::<before::Before>();
        store.commit(before::Made { id: "a".into() }).unwrap();
        store.close().unwrap();
        let store = home.open::<After>();
        assert_eq!(store.query(Item::all().count()).unwrap(), 0);
        assert_eq!(store.quarantined().unwrap().len(), 1);
        store.commit(Made { id: "b".into(), at: now() }).unwrap();
    }
}

#[test]
fn another_thread_waits_until_a_commit_is_done() {
    let store = Store::<App>::builder("todos").open().unwrap();
    let commits = |from: u32| {
        let store = store.clone();
        move || {
            for n in from..from + 200 {
                store.commit(used(&n.to_string())).unwrap();
                store.query(Item::get(n.to_string())).unwrap().unwrap();
            }
        }
    };
    let threads = [0, 1_000, 2_000].map(|from| std::thread::spawn(commits(from)));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(store.query(Item::all().count()).unwrap(), 600);
}

/// A column type that asks the store while a row is read.
mod decode {
    use super::*;

    thread_local! {
        static STORE: RefCell<Option<Store<Curious>>> = const { RefCell::new(None) };
    }
    static ASKS: AtomicBool = AtomicBool::new(false);

    #[derive(Debug, Clone, PartialEq)]
    pub struct Asking(i64);

    impl ColumnType for Asking {
        type Base = Self;
        const STORAGE: Storage = Storage::Integer;

        fn encode(&self) -> Result<Value<'_>, ValueError> {
            Ok(Value::Integer(self.0))
        }

        fn decode(value: Value<'_>) -> Result<Self, ValueError> {
            if ASKS.load(Ordering::Relaxed) {
                let asked = STORE.with_borrow(|store| store.as_ref().map(|store| store.head()));
                if let Some(Err(error)) = asked {
                    return Err(ValueError::custom(error));
                }
            }
            i64::decode(value).map(Self)
        }
    }

    #[table]
    #[derive(Debug)]
    pub struct Row {
        #[column(primary_key)]
        id: Asking,
    }

    #[derive(Event, Debug)]
    #[event(name = "v1.RowAdded")]
    pub struct RowAdded {
        id: i64,
    }

    impl Materialize for RowAdded {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&Row { id: Asking(self.id) })
        }
    }

    livestore::schema! { pub Curious { tables: [Row], events: [RowAdded] } }

    #[test]
    fn a_query_whose_decoding_asks_the_store_fails_instead_of_waiting_for_itself() {
        let store = Store::<Curious>::builder("todos").open().unwrap();
        STORE.with_borrow_mut(|asked| *asked = Some(store.clone()));
        store.commit(RowAdded { id: 1 }).unwrap();
        ASKS.store(true, Ordering::Relaxed);
        let error = store.query(Row::all()).unwrap_err();
        let error = livestore::ErrorChain::new(&error).to_string();
        assert!(
            error.contains("the store was used by code that it calls while it works"),
            "{error}"
        );
        ASKS.store(false, Ordering::Relaxed);
        assert_eq!(store.query(Row::all()).unwrap().len(), 1);
        STORE.with_borrow_mut(Option::take);
    }
}
