//! What undoes what happened to issues and comments. The events are those that restore what was there before.

use livestore::prelude::*;
use livestore::table::Reader;

use crate::{Comment, CommentEvent, Issue, IssueEvent};

impl Undo for IssueEvent {
    type Events = Option<Self>;

    fn undo(&self, before: &Reader<'_>) -> Result<Option<Self>, QueryError> {
        if let Self::Created { id, by, at, .. } = self {
            return Ok(Some(Self::Deleted { id: id.clone(), by: by.clone(), at: *at }));
        }
        let Some((id, by, at)) = self.change() else { return Ok(None) };
        let Some(issue) = before.query(Issue::get(id))? else { return Ok(None) };
        let (id, by) = (id.to_owned(), by.to_owned());
        let has = |label: &str| issue.label_ids().any(|id| id == label);
        Ok(Some(match self {
            Self::Created { .. } => return Ok(None),
            Self::Retitled { .. } => Self::Retitled { id, title: issue.title, by, at },
            Self::Described { .. } => {
                Self::Described { id, description: issue.description, by, at }
            }
            Self::Moved { .. } => {
                Self::Moved { id, status: issue.status, rank: issue.rank, by, at }
            }
            Self::Prioritized { .. } => Self::Prioritized { id, priority: issue.priority, by, at },
            Self::Assigned { .. } => Self::Assigned { id, assignee: issue.assignee, by, at },
            Self::Estimated { .. } => Self::Estimated { id, estimate: issue.estimate, by, at },
            Self::PutIntoProject { .. } => {
                Self::PutIntoProject { id, project: issue.project, by, at }
            }
            // A label that was there before stays, and one that was not is not added.
            Self::Labeled { label, .. } if has(label) => return Ok(None),
            Self::Labeled { label, .. } => Self::Unlabeled { id, label: label.clone(), by, at },
            Self::Unlabeled { label, .. } if !has(label) => return Ok(None),
            Self::Unlabeled { label, .. } => Self::Labeled { id, label: label.clone(), by, at },
            Self::Deleted { .. } if issue.deleted_at.is_some() => return Ok(None),
            Self::Deleted { .. } => Self::Restored { id, by, at },
            Self::Restored { .. } if issue.deleted_at.is_none() => return Ok(None),
            Self::Restored { .. } => Self::Deleted { id, by, at },
        }))
    }
}

impl Undo for CommentEvent {
    type Events = Option<Self>;

    fn undo(&self, before: &Reader<'_>) -> Result<Option<Self>, QueryError> {
        Ok(match self {
            Self::Added { id, .. } => Some(Self::Deleted { id: id.clone() }),
            Self::Deleted { id } => before.query(Comment::get(id))?.map(|comment| {
                let Comment { id, issue, author, text, created_at: at } = comment;
                Self::Added { id, issue, author, text, at }
            }),
        })
    }
}
