use super::RequestId;

/// A message that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not JSON, or not an object with the fields that every message has.
    #[error("not a message: {0}")]
    Malformed(String),
    /// A kind of message, or a method, that this end does not know.
    #[error("Unknown request tag: {tag}")]
    UnknownTag {
        /// The tag.
        tag: String,
        /// The request, if it is one.
        request_id: Option<RequestId>,
    },
    /// A message whose content does not fit its kind.
    #[error("message {request_id} does not fit {tag}: {problem}")]
    Unfit {
        /// The request that it is, or answers.
        request_id: RequestId,
        /// Its kind or method.
        tag: String,
        /// What is wrong.
        problem: String,
    },
}

impl WireError {
    /// The request that cannot be answered otherwise than by this error, if it is known.
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::Malformed(_) => None,
            Self::UnknownTag { request_id, .. } => request_id.as_ref(),
            Self::Unfit { request_id, .. } => Some(request_id),
        }
    }
}

impl From<serde_json::Error> for WireError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
