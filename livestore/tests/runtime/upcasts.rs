//! Older events that are read as newer ones: from the log, and in what `events()` gives.

use livestore::prelude::*;
use livestore::state::QuarantineReason;

use crate::kit::{Home, log_of};
use crate::versions::first;

/// Two versions later: text was split in words, then the words were counted.
mod third {
    use livestore::prelude::*;

    pub use super::first::Note;

    #[derive(Event, Debug, PartialEq)]
    #[event(name = "v3.NoteWritten", upcast("v2.NoteWritten", with = from_v2))]
    pub struct Written {
        pub id: String,
        pub words: Vec<String>,
        pub count: usize,
    }

    #[derive(Event, Debug)]
    #[event(name = "v2.NoteWritten", upcast("v1.NoteWritten", with = from_v1))]
    pub struct WrittenV2 {
        pub id: String,
        pub words: Vec<String>,
    }

    #[derive(Event, Debug)]
    #[event(name = "v1.NoteWritten")]
    pub struct WrittenV1 {
        pub id: String,
        pub text: String,
    }

    fn from_v2(old: WrittenV2) -> Result<Written, String> {
        match old.words.len() {
            0 => Err(format!("note {} has no words", old.id)),
            count => Ok(Written { id: old.id, words: old.words, count }),
        }
    }

    fn from_v1(old: WrittenV1) -> WrittenV2 {
        WrittenV2 { id: old.id, words: old.text.split_whitespace().map(Into::into).collect() }
    }

    impl Materialize for Written {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            let text = format!("{} words: {}", self.count, self.words.join("-"));
            state.insert(&Note { id: self.id.clone(), text })
        }
    }

    livestore::schema! { pub Notes { tables: [Note], events: [Written] } }
}

fn written_home(texts: &[&str]) -> Home {
    let home = Home::new();
    let store = home.open::<first::Notes>();
    for (n, text) in texts.iter().enumerate() {
        store.commit(first::written(n, text)).unwrap();
    }
    store.close().unwrap();
    home
}

fn texts<S: livestore::schema::HasTable<first::Note>>(store: &Store<S>) -> Vec<String> {
    store
        .query(first::Note::all().order_by(first::Note::ID.asc()).select(first::Note::TEXT))
        .unwrap()
}

#[test]
fn a_log_is_read_through_the_whole_chain() {
    let home = written_home(&["to be or", "not"]);
    let store = home.open::<third::Notes>();
    assert_eq!(texts(&store), ["3 words: to-be-or", "1 words: not"]);
    assert_eq!(store.quarantined().unwrap(), []);
    let new = third::Written { id: "9".into(), words: vec!["new".into()], count: 1 };
    store.commit(new).unwrap();
    let log = log_of(&store);
    // The log keeps what was written.
    assert_eq!(
        (&*log[0].name, &*log[0].args),
        ("v1.NoteWritten", r#"{"id":"0","text":"to be or"}"#)
    );
    assert_eq!(&*log[2].name, "v3.NoteWritten");
    let decoded: third::Written = log[0].decode().unwrap();
    let words = ["to", "be", "or"].map(str::to_owned).to_vec();
    assert_eq!(decoded, third::Written { id: "0".into(), words, count: 3 });
    assert!(log[2].decode::<third::WrittenV2>().is_err());
}

#[test]
fn an_event_that_its_upcaster_refuses_is_quarantined() {
    let home = written_home(&["fine", " ", "too"]);
    let store = home.open::<third::Notes>();
    assert_eq!(texts(&store), ["1 words: fine", "1 words: too"]);
    let quarantined = store.quarantined().unwrap();
    let reason = "\"v1.NoteWritten\" has no newer form: note 1 has no words";
    assert_eq!(quarantined[0].seq, SeqNum::new(2));
    assert_eq!(quarantined[0].reason, QuarantineReason::Failed(reason.into()));
}

#[test]
fn the_shape_of_the_older_event_is_compared_too() {
    mod wrong {
        use livestore::prelude::*;

        #[derive(Event)]
        #[event(name = "v2.NoteWritten", upcast("v1.NoteWritten", with = from_v1))]
        pub struct Written {
            pub id: String,
        }

        #[derive(Event)]
        #[event(name = "v1.NoteWritten")]
        pub struct WrittenV1 {
            pub id: u64,
        }

        fn from_v1(old: WrittenV1) -> Written {
            Written { id: old.id.to_string() }
        }

        impl Materialize for Written {
            fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
                Ok(())
            }
        }

        livestore::schema! { pub Notes { events: [Written] } }
    }
    let home = written_home(&["text"]);
    let error = home.builder::<wrong::Notes>().open().unwrap_err();
    assert!(error.to_string().contains("`id` was `String` and is now `u64`"), "{error}");
}
