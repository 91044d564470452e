//! A log whose events have another shape than the schema's: told before anything is touched.

use livestore::prelude::*;
use livestore::store::IncompatibleEvents;

use crate::kit::Home;
use crate::versions::first::{Note, written};
use crate::versions::{first, incompatible};

/// As `first`, with a field that may be absent.
mod grown {
    use livestore::prelude::*;

    pub use super::first::Note;

    #[derive(Event, Debug)]
    #[event(name = "v1.NoteWritten")]
    pub struct Written {
        pub id: String,
        pub text: String,
        pub mood: Option<String>,
    }

    impl Materialize for Written {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&Note { id: self.id.clone(), text: self.text.clone() })
        }
    }

    livestore::schema! { pub Notes { tables: [Note], events: [Written] } }
}

fn written_home() -> Home {
    let home = Home::new();
    home.open::<first::Notes>().commit([written("a", "Hello"), written("7", "you")]).unwrap();
    home
}

fn shapes(home: &Home) -> Vec<String> {
    let log = home.sqlite();
    let mut select = log.prepare("SELECT shape FROM event_shapes ORDER BY shape").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn events_that_cannot_be_read_are_named_and_nothing_is_touched() {
    let home = written_home();
    let files = || [home.eventlog(), home.snapshot()].map(|file| std::fs::read(file).unwrap());
    let before = files();
    let error = home.builder::<incompatible::Notes>().open().unwrap_err();
    assert_eq!(
        error.to_string(),
        "this version of the app cannot read all events of the log: \"v1.NoteWritten\" (2 cannot be read): \
         `body: String` is new and required, `id` was `String` and is now `u64`"
    );
    let OpenError::Incompatible { events } = error else { panic!("{error}") };
    let fields: Vec<_> = events[0].fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!((events[0].name.as_str(), events[0].count), ("v1.NoteWritten", 2));
    assert_eq!(fields, ["body", "id"]);
    assert_eq!(files(), before);
    assert_eq!(home.open::<first::Notes>().query(Note::all().count()).unwrap(), 2);
}

#[test]
fn the_store_opens_nevertheless_when_asked_to() {
    let home = written_home();
    let open = || {
        let builder = home.builder::<incompatible::Notes>();
        builder.incompatible_events(IncompatibleEvents::Quarantine).open().unwrap()
    };
    assert_eq!(open().quarantined().unwrap().len(), 2);
    assert_eq!(open().quarantined().unwrap().len(), 2);
    let refused = home.builder::<incompatible::Notes>().open().unwrap_err();
    assert!(matches!(refused, OpenError::Incompatible { .. }), "{refused}");
    // What the other version might have written, it has not.
    assert_eq!(home.open::<first::Notes>().query(Note::all().count()).unwrap(), 2);
}

#[test]
fn a_field_more_or_less_can_be_read() {
    let home = written_home();
    home.open::<grown::Notes>()
        .commit(grown::Written { id: "b".into(), text: "Hi".into(), mood: None })
        .unwrap();
    assert_eq!(home.open::<first::Notes>().query(Note::all().count()).unwrap(), 3);
    assert_eq!(
        shapes(&home),
        [
            "= event\nid: String\nmood: Option<String> (optional)\ntext: String",
            "= event\nid: String\ntext: String"
        ]
    );
}

#[test]
fn a_shape_that_nothing_was_written_in_is_forgotten() {
    let home = Home::new();
    drop(home.open::<incompatible::Notes>());
    let store = home.open::<first::Notes>();
    store.commit(written("a", "Hello")).unwrap();
    drop(store);
    assert_eq!(home.open::<first::Notes>().query(Note::all().count()).unwrap(), 1);
    assert_eq!(shapes(&home), ["= event\nid: String\ntext: String"]);
}

#[test]
fn a_log_without_shapes_opens_as_ever() {
    let home = written_home();
    home.sqlite().execute_batch("DROP TABLE event_shapes").unwrap();
    let store = home.open::<incompatible::Notes>();
    assert_eq!(store.quarantined().unwrap().len(), 2);
}

#[test]
fn recorded_shapes_in_an_unknown_format_are_ignored() {
    let home = written_home();
    let forget = || {
        let log = home.sqlite();
        log.execute_batch("UPDATE event_shapes SET shape = 'of a later grammar'").unwrap();
    };
    forget();
    let error = home.builder::<incompatible::Notes>().open().unwrap_err();
    assert_eq!(
        error.to_string(),
        "this version of the app cannot read all events of the log: \"v1.NoteWritten\" (2 cannot be read)"
    );
    assert_eq!(home.open::<first::Notes>().query(Note::all().count()).unwrap(), 2);
    assert_eq!(shapes(&home), ["= event\nid: String\ntext: String"]);
}

/// A score whose type has changed while it was in use.
macro_rules! scored {
    ($version:ident, $score:ty) => {
        mod $version {
            use livestore::prelude::*;

            pub use super::first::Note;

            #[derive(Event, Debug)]
            #[event(name = "v1.Scored")]
            pub struct Scored {
                pub id: String,
                pub score: $score,
            }

            impl Materialize for Scored {
                fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
                    state.insert(&Note { id: self.id.clone(), text: self.score.to_string() })
                }
            }

            livestore::schema! { pub Scores { tables: [Note], events: [Scored] } }
        }
    };
}

scored!(narrow, u8);
scored!(wide, u16);

#[test]
fn a_retyped_field_is_no_harm_as_long_as_every_event_reads() {
    let home = Home::new();
    let narrow = home.open::<narrow::Scores>();
    narrow.commit(narrow::Scored { id: "a".into(), score: 200 }).unwrap();
    drop(narrow);

    let wide = home.open::<wide::Scores>();
    assert_eq!(shapes(&home), ["= event\nid: String\nscore: u16"]);
    wide.commit(wide::Scored { id: "b".into(), score: 255 }).unwrap();
    drop(wide);

    let narrow = home.open::<narrow::Scores>();
    assert_eq!(narrow.query(Note::get("b")).unwrap().unwrap().text, "255");
    drop(narrow);

    home.open::<wide::Scores>().commit(wide::Scored { id: "c".into(), score: 256 }).unwrap();
    let error = home.builder::<narrow::Scores>().open().unwrap_err();
    assert_eq!(
        error.to_string(),
        "this version of the app cannot read all events of the log: \"v1.Scored\" (1 cannot be \
         read): `score` was `u16` and is now `u8`"
    );
}
