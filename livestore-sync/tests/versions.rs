//! Stores of two versions of an app: each reads the other's events as well as it can.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::time::Duration;

use livestore::prelude::*;
use livestore_sync::InProcess;

#[table]
#[derive(Debug, PartialEq)]
struct Note {
    #[column(primary_key)]
    id: String,
    tags: i64,
}

mod first {
    use livestore::prelude::*;

    #[derive(Event)]
    #[event(name = "v1.Noted")]
    pub(super) struct Noted {
        pub(super) id: String,
    }

    impl Materialize for Noted {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&super::Note { id: self.id.clone(), tags: 0 })
        }
    }

    livestore::schema! { pub(super) Notes { tables: [super::Note], events: [Noted] } }
}

mod second {
    use livestore::prelude::*;

    #[derive(Event)]
    #[event(name = "v1.Noted")]
    struct NotedV1 {
        id: String,
    }

    #[derive(Event)]
    #[event(name = "v2.Noted", upcast("v1.Noted", with = from_v1))]
    pub(super) struct Noted {
        pub(super) id: String,
        pub(super) tags: Vec<String>,
    }

    fn from_v1(old: NotedV1) -> Noted {
        Noted { id: old.id, tags: vec!["old".to_owned()] }
    }

    impl Materialize for Noted {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            let tags = i64::try_from(self.tags.len()).map_err(MaterializeError::custom)?;
            state.insert(&super::Note { id: self.id.clone(), tags })
        }
    }

    livestore::schema! { pub(super) Notes { tables: [super::Note], events: [Noted] } }
}

fn open<S: Schema>(backend: &InProcess, client: &str) -> Store<S> {
    Store::<S>::builder("notes").client_id(client).sync(backend.clone()).open().unwrap()
}

#[test]
fn an_older_clients_event_is_read_as_the_newer_one() {
    let backend = InProcess::new();
    let old = open::<first::Notes>(&backend, "old");
    let new = open::<second::Notes>(&backend, "new");
    let patience = Duration::from_secs(60);
    old.commit(first::Noted { id: "a".into() }).unwrap();
    assert!(old.wait_synced(patience).unwrap());
    let pulled = new.events().follow().next().unwrap().unwrap();
    assert_eq!(pulled.name, "v1.Noted");
    let all = Note::all().order_by(Note::ID.asc());
    assert_eq!(new.query(all.clone()).unwrap(), [Note { id: "a".into(), tags: 1 }]);

    // The older client keeps what it cannot read yet.
    new.commit(second::Noted { id: "b".into(), tags: Vec::new() }).unwrap();
    assert!(new.wait_synced(patience).unwrap());
    let pulled = old.events().after(SeqNum::new(1)).follow().next().unwrap().unwrap();
    assert_eq!(pulled.name, "v2.Noted");
    assert_eq!(old.quarantined().unwrap().len(), 1);
    assert_eq!(new.query(all.count()).unwrap(), 2);
}
