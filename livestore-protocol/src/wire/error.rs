use super::RequestId;

/// A text that is not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not JSON, or not an object with the fields that every message has.
    #[error("not a message: {0}")]
    Malformed(String),
    /// The kind of message, or the method, is unknown.
    #[error("Unknown request tag: {tag}")]
    UnknownTag {
        /// The tag.
        tag: String,
        /// The id of the request, if the message is a request.
        request_id: Option<RequestId>,
    },
    /// The content of the message does not fit its kind.
    #[error("message {request_id} does not fit {tag}: {problem}")]
    Unfit {
        /// The id of the request that the message is, or answers.
        request_id: RequestId,
        /// The kind or method of the message.
        tag: String,
        /// The problem, in words.
        problem: String,
    },
}

impl WireError {
    /// Returns the id of the request that the text is, or answers, if it could be read.
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
