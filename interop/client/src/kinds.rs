//! What `../../peer/kinds.mjs` is in TypeScript: an event for every kind of schema. Most are a newtype over the
//! type that a Rust app would choose; `k.Halves` is unknown here.

use std::collections::BTreeMap;

use livestore::prelude::*;
use serde_json::Value;

macro_rules! kinds {
    ($($variant:ident($of:ty) = $name:literal,)*) => {
        #[derive(Event, Debug, Clone)]
        pub(crate) enum KindEvent {
            #[event(name = "k.Void")]
            Void,
            #[event(name = "k.Empty")]
            Empty {},
            $(#[event(name = $name)] $variant($of),)*
        }

        impl KindEvent {
            fn row(&self) -> serde_json::Result<Kind> {
                let (id, args) = match self {
                    Self::Void => ("k.Void", "{}".to_owned()),
                    Self::Empty {} => ("k.Empty", "{}".to_owned()),
                    $(Self::$variant(args) => ($name, serde_json::to_string(args)?),)*
                };
                Ok(Kind { id: id.to_owned(), args })
            }
        }
    };
}

kinds! {
    Null(()) = "k.Null",
    Text(String) = "k.Text",
    Number(f64) = "k.Number",
    Boolean(bool) = "k.Boolean",
    Literal(Value) = "k.Literal",
    Enum(Value) = "k.Enum",
    Struct(Optional) = "k.Struct",
    Union(Figure) = "k.Union",
    Tuple(Value) = "k.Tuple",
    Record(BTreeMap<String, f64>) = "k.Record",
    Array(Vec<Vec<f64>>) = "k.Array",
    NonEmpty(Vec<f64>) = "k.NonEmpty",
    Date(Timestamp) = "k.Date",
    Millis(i64) = "k.Millis",
    DateTime(Timestamp) = "k.DateTime",
    Duration(f64) = "k.Duration",
    BigInt(String) = "k.BigInt",
    NumberFromString(Value) = "k.NumberFromString",
    Bytes(Value) = "k.Bytes",
    Url(Value) = "k.Url",
    Branded(String) = "k.Branded",
    Template(Value) = "k.Template",
    Class(Item) = "k.Class",
    Option(Value) = "k.Option",
    Either(Value) = "k.Either",
    Map(Vec<(String, f64)>) = "k.Map",
    Set(Vec<f64>) = "k.Set",
    Tree(Tree) = "k.Tree",
    Any(Value) = "k.Any",
}

/// The state has the args as they are on the wire.
impl Materialize for KindEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.upsert(&self.row().map_err(MaterializeError::custom)?)
    }
}

#[table(name = "kinds")]
pub(crate) struct Kind {
    #[column(primary_key)]
    id: String,
    args: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Optional {
    id: String,
    nullable: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    optional: Option<String>,
    #[serde(default = "seven")]
    defaulted: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    either: Option<Value>,
}

fn seven() -> f64 {
    7.0
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "_tag")]
pub(crate) enum Figure {
    Circle { radius: f64 },
    Square { side: f64 },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    id: String,
    at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tree {
    value: f64,
    children: Vec<Tree>,
}
