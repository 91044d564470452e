//! Integers past 2^53 between clients and backends in Rust and in JavaScript: they are carried, or a
//! warning says that they were not. The warnings are the process's: this file has one test of them.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore::sync::{ConnectRequest, Connection, Cursor, MessageSender, SyncBackend, SyncEvent};
use livestore_sync::InProcess;
use livestore_testing::{assert_converged, sync};

const PAST_2_53: i64 = 9_007_199_254_740_993;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    pub number: u64,
    pub any: Json<serde_json::Value>,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.Added")]
pub struct Added {
    pub id: i64,
    pub number: u64,
    pub any: serde_json::Value,
}

impl Materialize for Added {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let Self { id, number, any } = self.clone();
        state.insert(&User { id, number, any: Json(any) })
    }
}

livestore::schema! { pub App { tables: [User], events: [Added] } }

fn added(id: i64) -> Added {
    Added { id, number: i64::MAX.unsigned_abs(), any: serde_json::json!([id, u64::MAX]) }
}

/// An event as another implementation writes it.
mod peer {
    use livestore::prelude::*;
    use serde_json::value::RawValue;

    #[derive(Event, Debug, Clone)]
    #[event(name = "v1.Added")]
    pub struct Added(pub Box<RawValue>);

    impl Materialize for Added {
        fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
            Ok(())
        }
    }

    livestore::schema! { pub Peer { events: [Added] } }
}

#[test]
fn all_digits_of_an_integer_are_carried_from_any_client() {
    let backend = InProcess::new();
    let other = Store::<peer::Peer>::builder("s").sync(backend.clone()).open().unwrap();
    let args =
        format!(r#"{{"id":{PAST_2_53},"number":{},"any":[{PAST_2_53},{}]}}"#, i64::MAX, u64::MAX);
    other.commit(peer::Added(serde_json::value::RawValue::from_string(args).unwrap())).unwrap();
    let open = || Store::<App>::builder("s").sync(backend.clone()).open().unwrap();
    let (a, b) = (open(), open());
    a.commit(added(-PAST_2_53)).unwrap();
    sync(&[&a, &b]).unwrap();
    assert_converged(&[&a, &b]);
    let user = |id| {
        let Added { id, number, any } = added(id);
        User { id, number, any: Json(any) }
    };
    let users = b.query(User::all().order_by(User::ID.asc())).unwrap();
    assert_eq!(users, [user(-PAST_2_53), user(PAST_2_53)]);
}

/// An integer that no field of its type can have is not cut down to one that it can.
#[test]
fn an_integer_that_does_not_fit_is_quarantined() {
    let backend = InProcess::new();
    let other = Store::<peer::Peer>::builder("s").sync(backend.clone()).open().unwrap();
    let ids = ["9223372036854775808", "9007199254740993.5", "1e3", "1e400", "-0.0"];
    for id in ids {
        let args = format!(r#"{{"id":{id},"number":0,"any":0}}"#);
        other.commit(peer::Added(serde_json::value::RawValue::from_string(args).unwrap())).unwrap();
    }
    let store = Store::<App>::builder("s").sync(backend).open().unwrap();
    livestore_testing::wait_until(|| store.head().unwrap().global == ids.len() as u64);
    assert_eq!(store.query(User::all().count()).unwrap(), 0);
    let quarantined = store.quarantined().unwrap();
    assert_eq!(quarantined.len(), ids.len(), "{quarantined:?}");
}

/// A backend that reads and writes numbers as JavaScript does.
#[derive(Debug, Clone)]
struct JavaScript(InProcess);

struct Rewriting(Box<dyn Connection>);

impl SyncBackend for JavaScript {
    fn connect(&self, request: ConnectRequest, messages: MessageSender) -> Box<dyn Connection> {
        Box::new(Rewriting(self.0.connect(request, messages)))
    }
}

impl Connection for Rewriting {
    fn pull(&mut self, cursor: Option<Cursor>) {
        self.0.pull(cursor);
    }

    fn push(&mut self, mut events: Vec<SyncEvent>, backend_id: Option<String>) {
        for event in &mut events {
            event.args = event.args.replace("9007199254740993", "9007199254740992");
        }
        self.0.push(events, backend_id);
    }
}

#[derive(Debug, Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

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
fn a_backend_that_rounds_an_integer_is_reported() {
    let warnings = Warnings::default();
    tracing::subscriber::set_global_default(warnings.clone()).unwrap();
    let backend = JavaScript(InProcess::new());
    let open = || Store::<App>::builder("rounded").sync(backend.clone()).open().unwrap();
    let (a, b) = (open(), open());
    let small = |id| Added { id, number: 1, any: serde_json::json!(2.5) };
    a.commit(small(1)).unwrap();
    a.commit([small(2), small(PAST_2_53)]).unwrap();
    sync(&[&a, &b]).unwrap();
    assert_converged(&[&a, &b]);
    assert!(a.query(User::get(PAST_2_53 - 1)).unwrap().is_some());
    let warnings = warnings.0.lock().unwrap();
    let rounded: Vec<_> =
        warnings.iter().filter(|warning| warning.contains("changed numbers")).collect();
    let [warning] = &*rounded else { panic!("{warnings:?}") };
    assert!(warning.contains("e3") && warning.contains("v1.Added"), "{warning}");
}
