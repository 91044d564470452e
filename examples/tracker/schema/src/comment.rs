//! Comments.

use livestore::prelude::*;

use crate::Issue;

/// What someone wrote about an issue.
#[table(index(issue, created_at))]
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    #[column(primary_key)]
    pub id: String,
    #[column(references = Issue::ID)]
    pub issue: String,
    pub author: String,
    pub text: String,
    pub created_at: Timestamp,
}

impl Comment {
    /// The comments on an issue, the oldest first.
    pub fn of(issue: &str) -> impl livestore::live::Live<Value = List<Self>> + QueryIn<crate::App> {
        Self::filter(Self::ISSUE.eq(issue)).order_by(Self::CREATED_AT).order_by(Self::ID)
    }
}

#[derive(Event, Debug, Clone)]
#[serde(rename_all = "camelCase")]
pub enum CommentEvent {
    #[event(name = "v1.CommentAdded")]
    Added { id: String, issue: String, author: String, text: String, at: Timestamp },
    #[event(name = "v1.CommentDeleted")]
    Deleted { id: String },
}

impl Materialize for CommentEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Added { id, issue, author, text, at } => {
                state.insert(&Comment { id, issue, author, text, created_at: at })
            }
            Self::Deleted { id } => state.run(Comment::delete().filter(Comment::ID.eq(id))),
        }
    }
}
