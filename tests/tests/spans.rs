//! What spans say of commits and queries, and what they never say.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore::store::Builder;
use livestore_testing::sample::todos::{App, Todo, TodoEvent};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const SECRET: &str = "nobody must read this";

/// Keeps the fields of all spans and events, with their values.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(String, String)>>>);

impl Recorder {
    /// The values of the field of this name, or the names of spans.
    fn all(&self, name: &str) -> Vec<String> {
        let fields = self.0.lock().unwrap();
        fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.clone()).collect()
    }

    fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

impl Visit for Recorder {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.lock().unwrap().push((field.name().to_owned(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.lock().unwrap().push((field.name().to_owned(), value.to_owned()));
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("livestore")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let name = span.metadata().name().to_owned();
        self.0.lock().unwrap().push(("span".to_owned(), name));
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Opens a store, commits to it and queries it.
fn used(builder: Builder<App>) -> Recorder {
    let recorder = Recorder::default();
    tracing::subscriber::with_default(recorder.clone(), || {
        let store = builder.open().unwrap();
        let created = |id: &str| TodoEvent::Created {
            id: id.to_owned(),
            text: SECRET.to_owned(),
            created_at: Timestamp::from_millis(0),
        };
        store.commit([created("a"), created("b")]).unwrap();
        let found = store.query(Todo::filter(Todo::TEXT.eq(SECRET))).unwrap();
        assert_eq!(found.len(), 2);
        store.commit(created("a")).unwrap_err();
    });
    recorder
}

#[test]
fn spans_have_the_conventions_names_and_neither_sql_nor_args() {
    let recorder = used(Store::<App>::builder("todos"));
    let spans = recorder.all("span");
    for span in ["open", "commit", "write", "query"] {
        assert!(spans.iter().any(|name| name == span), "no {span} in {spans:?}");
    }
    assert!(recorder.all("db.namespace").iter().all(|store| store == "todos"));
    assert!(recorder.all("db.operation.name").contains(&"commit".to_owned()));
    assert!(recorder.all("livestore.events").contains(&"2".to_owned()));
    let traces = recorder.all("livestore.trace_id");
    assert!(!traces.is_empty() && traces.iter().all(|trace| trace.len() == 32), "{traces:?}");
    assert_eq!(recorder.all("db.query.text"), [] as [String; 0]);
    let text = recorder.text();
    assert!(!text.contains(SECRET) && !text.contains("FROM"), "{text}");
}

#[test]
fn the_sql_of_queries_is_there_if_it_is_asked_for_and_their_values_are_not() {
    let recorder = used(Store::<App>::builder("todos").trace_sql());
    let [sql] = &recorder.all("db.query.text")[..] else { panic!("{}", recorder.text()) };
    assert!(sql.starts_with("SELECT") && sql.contains("FROM"), "{sql}");
    assert!(!recorder.text().contains(SECRET), "{}", recorder.text());
}
