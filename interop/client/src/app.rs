//! The app that all clients of the matrix run: what `../../peer/schema.mjs` is in TypeScript. The two change
//! together, so it is not one of the sample apps of `livestore-testing`.

use livestore::event::{Args, DecodeError, Event as _};
use livestore::prelude::*;
use livestore::schema::{Batch, Commit, EncodeBatchError, Schema};
use livestore::value::Json;
use serde_json::Value;

use crate::kinds::{Kind, KindEvent};

#[table(name = "todos")]
pub(crate) struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
    #[column(default = false)]
    completed: bool,
}

#[table(name = "samples")]
pub(crate) struct Sample {
    #[column(primary_key)]
    id: String,
    text: String,
    at: Timestamp,
    whole: i64,
    ratio: f64,
    flag: bool,
    nullable: Option<String>,
    maybe: Option<String>,
    nested: Json<Value>,
}

#[table(name = "notes")]
pub(crate) struct Note {
    #[column(primary_key)]
    id: String,
    text: String,
}

#[table(name = "tags")]
pub(crate) struct Tag {
    #[column(primary_key)]
    id: String,
    tag: String,
}

#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Screen {
    filter: String,
}

#[derive(Event, Debug, Clone)]
pub(crate) enum Old {
    #[event(name = "v1.TodoCreated")]
    Created { id: String, text: String },
    #[event(name = "v1.TodoCompleted")]
    Completed { id: String },
    #[event(name = "v1.Sampled")]
    Sampled {
        id: String,
        text: String,
        at: Timestamp,
        whole: i64,
        ratio: f64,
        flag: bool,
        nullable: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maybe: Option<String>,
        nested: Value,
    },
    #[event(name = "v1.Noted", client_only)]
    Noted { id: String, text: String },
}

/// Only the newer app knows it.
#[derive(Event, Debug, Clone)]
pub(crate) enum New {
    #[event(name = "v2.TodoTagged")]
    Tagged { id: String, tag: String },
}

impl Materialize for Old {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Created { id, text } => state.insert(&Todo { id, text, completed: false }),
            Self::Completed { id } => {
                state.run(Todo::update().set(Todo::COMPLETED, true).filter(Todo::ID.eq(id)))
            }
            Self::Sampled { id, text, at, whole, ratio, flag, nullable, maybe, nested } => {
                let nested = Json(nested);
                state.insert(&Sample { id, text, at, whole, ratio, flag, nullable, maybe, nested })
            }
            Self::Noted { id, text } => state.insert(&Note { id, text }),
        }
    }
}

impl Materialize for New {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let Self::Tagged { id, tag } = self.clone();
        state.insert(&Tag { id, tag })
    }
}

livestore::schema! {
    pub(crate) Older {
        tables: [Todo, Sample, Note, Kind], documents: [Screen], events: [Old, KindEvent]
    }
}

livestore::schema! {
    pub(crate) Newer {
        tables: [Todo, Sample, Note, Kind, Tag],
        documents: [Screen],
        events: [Old, KindEvent, New]
    }
}

/// An event by its name, as the harness has it.
pub(crate) enum Change {
    Old(Old),
    New(New),
    Kind(KindEvent),
    Screen(ScreenSet),
}

impl Change {
    /// The event called `name`, or the setting of the document `Screen`.
    pub(crate) fn decode(name: &str, args: &str) -> Result<Self, DecodeError> {
        let args = Args::parse(args)?;
        match name {
            "Screen" => Ok(Self::Screen(Screen::set().filter(args.field::<String>("filter")?))),
            "v2.TodoTagged" => New::decode(name, &args).map(Self::New),
            _ if name.starts_with("k.") => KindEvent::decode(name, &args).map(Self::Kind),
            _ => Old::decode(name, &args).map(Self::Old),
        }
    }
}

impl<S: Schema> Commit<S> for Change {
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        match self {
            Self::Old(event) => batch.push(&event),
            Self::New(event) => batch.push(&event),
            Self::Kind(event) => batch.push(&event),
            Self::Screen(event) => batch.push(&event),
        }
    }
}
