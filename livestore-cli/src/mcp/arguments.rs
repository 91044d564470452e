//! What the tools take, as it is read.

use livestore::SeqNum;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::args::seq_num;
use crate::exit::{Failure, Result};

/// Reads the arguments of a tool.
pub(super) fn read<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| Failure::usage(format!("the arguments are wrong: {error}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Connect {
    pub(super) store_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Query {
    pub(super) sql: String,
    #[serde(default)]
    pub(super) bind_values: Vec<Value>,
    pub(super) at: Option<Seq>,
    pub(super) limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    pub(super) sql: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Events {
    pub(super) after: Option<Seq>,
    pub(super) to: Option<Seq>,
    pub(super) last: Option<usize>,
    pub(super) names: Vec<String>,
    pub(super) contains: Option<String>,
    pub(super) limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Export {
    pub(super) after: Option<Seq>,
    pub(super) to: Option<Seq>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commit {
    pub(super) events: Vec<NamedEvent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedEvent {
    pub(super) name: String,
    pub(super) args: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Import {
    pub(super) store_id: Option<String>,
    pub(super) data: Map<String, Value>,
    #[serde(default)]
    pub(super) force: bool,
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// A sequence number, as the command line takes one.
#[derive(Clone, Copy)]
pub(super) struct Seq(pub(super) SeqNum);

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        seq_num(&text).map(Self).map_err(D::Error::custom)
    }
}
