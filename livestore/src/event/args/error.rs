//! Why an event cannot be encoded or decoded.

use std::fmt;

/// Why an event could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A field has no JSON form.
    #[error("field `{field}` has no JSON form: {reason}")]
    Field {
        /// The field's name in the JSON.
        field: String,
        /// serde's message.
        reason: String,
    },
    /// A field would be read back as another value than the one that is committed.
    #[error("field `{field}` would change on its way through JSON: {reason}")]
    Changed {
        /// The field's name in the JSON.
        field: String,
        /// What JSON cannot say, or what became of the value.
        reason: String,
    },
    /// The args cannot be read back.
    #[error("the event could not be read back")]
    Unreadable(#[source] DecodeError),
}

/// Why an event could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No such event is defined.
    #[error("no event is called \"{name}\"")]
    UnknownEvent {
        /// The unknown name.
        name: String,
    },
    /// The args are not a JSON object.
    #[error("the args are not a JSON object: {reason}")]
    NotAnObject {
        /// The JSON parser's message.
        reason: String,
    },
    /// A required field is missing.
    #[error("field `{field}` is missing")]
    MissingField {
        /// The field's name in the JSON.
        field: String,
    },
    /// The upcaster cannot make a newer event of it.
    #[error("\"{name}\" has no newer form: {reason}")]
    Upcast {
        /// The older event's name.
        name: String,
        /// The upcaster's message.
        reason: String,
    },
    /// A field holds something else than its type takes.
    #[error("field `{field}`: {reason}")]
    Field {
        /// The field's name in the JSON.
        field: String,
        /// serde's message.
        reason: String,
    },
}

impl DecodeError {
    /// The error for a name that no definition has.
    pub fn unknown_event(name: &str) -> Self {
        Self::UnknownEvent { name: name.to_owned() }
    }

    pub(super) fn field(field: &str, reason: impl fmt::Display) -> Self {
        Self::Field { field: field.to_owned(), reason: reason.to_string() }
    }
}
