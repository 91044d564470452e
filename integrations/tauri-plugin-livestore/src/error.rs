//! Why a command of a page failed.

use std::sync::Arc;

use livestore::ErrorChain;
use livestore::store::{CommitError, ReadError};
use livestore::table::QueryError;
use livestore::tools::CommitByNameError;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

/// The page gets an object: the `kind`, and a `message` with all causes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the app has no query {0:?}; register it with the plugin's builder")]
    UnknownQuery(String),
    #[error("the app has no client document {0:?}; register it with the plugin's builder")]
    UnknownDocument(String),
    #[error("the query {query:?} does not have these parameters")]
    Params { query: &'static str, source: serde_json::Error },
    #[error("the client document {document:?} has no field {field:?}")]
    UnknownField { document: &'static str, field: String },
    #[error("the client document {document:?} does not have these fields")]
    Fields { document: &'static str, source: serde_json::Error },
    #[error(transparent)]
    Query(#[from] Arc<QueryError>),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Commit(#[from] CommitByNameError),
    #[error(transparent)]
    Document(CommitError),
    #[error("the value has no JSON form")]
    Json(#[from] serde_json::Error),
    #[error("the app's code panicked: {0}")]
    Panic(String),
    #[error("the page was left or reloaded")]
    PageGone,
}

impl Error {
    fn kind(&self) -> &'static str {
        match self {
            Self::UnknownQuery(_) => "unknownQuery",
            Self::UnknownDocument(_) => "unknownDocument",
            Self::Params { .. } => "params",
            Self::UnknownField { .. } | Self::Fields { .. } => "fields",
            Self::Query(_) | Self::Read(_) | Self::Json(_) => "query",
            Self::Commit(CommitByNameError::UnknownEvent { .. }) => "unknownEvent",
            Self::Commit(CommitByNameError::Args { .. }) => "args",
            Self::Commit(_) | Self::Document(_) => "commit",
            Self::Panic(_) => "panic",
            Self::PageGone => "pageGone",
        }
    }
}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        Self::Query(Arc::new(error))
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("Error", 2)?;
        error.serialize_field("kind", self.kind())?;
        error.serialize_field("message", &ErrorChain::new(self).to_string())?;
        error.end()
    }
}
