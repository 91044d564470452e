//! The app that wrote the files. It stays as it is: another schema would rebuild the state. For that
//! reason it is not one of the sample apps of `livestore-testing`, which may change.

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    #[column(primary_key)]
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) at: Timestamp,
    pub(crate) weight: Option<f64>,
}

#[derive(Event, Debug, Clone)]
pub(crate) enum NoteEvent {
    #[event(name = "v1.Noted")]
    Noted { id: String, text: String, at: Timestamp, weight: Option<f64> },
    #[event(name = "v1.Seen", client_only)]
    Seen { id: String },
}

impl Materialize for NoteEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Noted { id, text, at, weight } => state.insert(&Note { id, text, at, weight }),
            Self::Seen { id } => {
                state.run(Note::update().set(Note::TEXT, "seen").filter(Note::ID.eq(id)))
            }
        }
    }
}

#[client_document]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ui {
    pub(crate) filter: String,
}

livestore::schema! { pub(crate) App { tables: [Note], documents: [Ui], events: [NoteEvent] } }

pub(crate) fn noted(id: &str, text: &str, weight: Option<f64>) -> NoteEvent {
    let at = Timestamp::from_millis(1_795_352_709_210);
    NoteEvent::Noted { id: id.into(), text: text.into(), at, weight }
}
