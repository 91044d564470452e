//! A store as a stream.

use std::collections::HashMap;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::store::{StoreError, StoreId};

/// What the streams of stores are called. The rest is a hash: an id can be any text.
const PREFIX: &str = "LIVESTORE_";

/// The subjects of all stores.
pub(super) const ALL_SUBJECTS: &str = "livestore.store.>";

/// The metadata of a stream.
const ID: &str = "livestore.id";
const BACKEND_ID: &str = "livestore.backend_id";

/// Returns the name of a store's stream.
pub(super) fn name_of(store: &StoreId) -> String {
    let hash = digest(&SHA256, store.as_str().as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{hash}")
}

/// Returns the subject of a stream's messages.
pub(super) fn subject_of(name: &str) -> String {
    format!("livestore.store.{}", name.strip_prefix(PREFIX).unwrap_or(name))
}

/// The configuration of a stream, as far as it matters. What is absent is as NATS has it by default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Config {
    pub(super) name: String,
    subjects: Vec<String>,
    retention: String,
    storage: String,
    discard: String,
    num_replicas: u8,
    max_msgs: i64,
    max_bytes: i64,
    max_age: i64,
    max_msgs_per_subject: i64,
    max_msg_size: i64,
    allow_direct: bool,
    #[serde(default)]
    allow_atomic: bool,
    deny_delete: bool,
    deny_purge: bool,
    #[serde(default)]
    sealed: bool,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

/// What a stream is and has.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    pub(super) config: Config,
    pub(super) state: State,
}

#[derive(Debug, Deserialize)]
pub(super) struct State {
    pub(super) last_seq: u64,
}

impl Config {
    /// Returns the configuration of a new store.
    pub(super) fn new(store: &StoreId, backend_id: String, replicas: u8) -> Self {
        let name = name_of(store);
        Self {
            subjects: vec![subject_of(&name)],
            name,
            retention: "limits".to_owned(),
            storage: "file".to_owned(),
            discard: "new".to_owned(),
            num_replicas: replicas,
            max_msgs: -1,
            max_bytes: -1,
            max_age: 0,
            max_msgs_per_subject: -1,
            max_msg_size: -1,
            allow_direct: true,
            allow_atomic: true,
            deny_delete: true,
            deny_purge: true,
            sealed: false,
            metadata: HashMap::from([
                (ID.to_owned(), store.as_str().to_owned()),
                (BACKEND_ID.to_owned(), backend_id),
            ]),
        }
    }

    pub(super) fn store(&self) -> Option<&str> {
        self.metadata.get(ID).map(String::as_str)
    }

    pub(super) fn backend_id(&self) -> Option<&str> {
        self.metadata.get(BACKEND_ID).map(String::as_str)
    }

    /// Fails if the stream would lose events, or cannot be appended to as is necessary. An operator may
    /// change the number of replicas.
    pub(super) fn check(&self, store: &StoreId) -> Result<String, StoreError> {
        let wrong = |what: &str| {
            let name = &self.name;
            Err(StoreError::Unavailable(format!(
                "the stream {name} has another {what} than a store needs"
            )))
        };
        let Some(backend_id) = self.backend_id() else { return wrong("backend id") };
        let wanted = Self::new(store, backend_id.to_owned(), self.num_replicas);
        let differences = [
            ("store id", self.store() != Some(store.as_str())),
            ("subject", self.subjects != wanted.subjects),
            ("retention", self.retention != wanted.retention),
            ("storage", self.storage != wanted.storage),
            ("max_msgs", self.max_msgs != wanted.max_msgs),
            ("max_bytes", self.max_bytes != wanted.max_bytes && self.discard != wanted.discard),
            ("max_age", self.max_age != wanted.max_age),
            ("max_msgs_per_subject", self.max_msgs_per_subject != wanted.max_msgs_per_subject),
            ("allow_direct", !self.allow_direct),
            ("allow_atomic", !self.allow_atomic),
            ("sealed", self.sealed),
        ];
        match differences.iter().find(|(_, differs)| *differs) {
            Some((what, _)) => wrong(what),
            None => Ok(backend_id.to_owned()),
        }
    }
}
