//! The app whose events and files are fuzzed. It has a field of every kind, and what was found before
//! is in its events' shape: so it is not one of the sample apps of `livestore-testing`.
#![allow(missing_docs, reason = "a test, not an API")]

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    #[column(primary_key)]
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) stars: i64,
    pub(crate) at: Timestamp,
    pub(crate) weight: Option<f64>,
    pub(crate) tags: Json<Vec<String>>,
}

#[derive(Event, Debug, Clone, PartialEq)]
pub(crate) enum NoteEvent {
    #[event(name = "v1.Noted")]
    Noted {
        id: String,
        text: String,
        at: Timestamp,
        stars: Option<u32>,
        weight: Option<f64>,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default)]
        more: serde_json::Value,
    },
    #[event(name = "v1.Starred")]
    Starred { id: String, by: i64 },
    #[event(name = "v1.Seen", client_only)]
    Seen { id: String },
}

impl Materialize for NoteEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Noted { id, text, at, stars, weight, tags, more: _ } => {
                let stars = stars.unwrap_or_default().into();
                state.upsert(&Note { id, text, stars, at, weight, tags: Json(tags) })
            }
            Self::Starred { id, by } => {
                state.run(Note::update().add(Note::STARS, by).filter(Note::ID.eq(id)))
            }
            Self::Seen { id } => {
                state.run(Note::update().set(Note::TEXT, "seen").filter(Note::ID.eq(id)))
            }
        }
    }
}

livestore::schema! { pub(crate) App { tables: [Note], events: [NoteEvent] } }

pub(crate) fn noted(n: i64) -> NoteEvent {
    NoteEvent::Noted {
        id: format!("n{n}"),
        text: "Buy milk".to_owned(),
        at: Timestamp::from_millis(n),
        stars: Some(3),
        weight: None,
        tags: vec!["home".to_owned()],
        more: serde_json::Value::Null,
    }
}
