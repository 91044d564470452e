//! Taking an issue: a command, because two people may want the same one at the same time.

use livestore::prelude::*;

use crate::{Issue, IssueEvent, Person};

/// Assigns an issue to somebody who has seen whose it is. If somebody else was faster, even if that turns out
/// later, nothing is assigned.
#[derive(Command, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Take {
    pub issue: String,
    /// Whose it was.
    pub seen: Option<String>,
    pub by: String,
    pub at: Timestamp,
}

/// Why somebody does not get an issue.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotTaken {
    #[error("{assignee} was faster: “{title}” is theirs now")]
    Faster { title: String, assignee: String },
    #[error("“{title}” is nobody's any more")]
    Released { title: String },
    #[error("“{title}” was deleted")]
    Deleted { title: String },
    #[error("there is no such issue")]
    NoSuchIssue,
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Execute for Take {
    type Events = IssueEvent;
    type Output = ();
    type Error = NotTaken;

    fn execute(
        &self,
        state: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(IssueEvent, ()), NotTaken> {
        let Self { issue: id, seen, by, at } = self.clone();
        let Some(Issue { title, assignee, deleted_at, .. }) = state.query(Issue::get(&id))? else {
            return Err(NotTaken::NoSuchIssue);
        };
        if deleted_at.is_some() {
            return Err(NotTaken::Deleted { title });
        }
        match assignee {
            // On another device, the same person may have been faster.
            assignee if assignee == seen || assignee.as_ref() == Some(&by) => {
                Ok((IssueEvent::Assigned { id, assignee: Some(by.clone()), by, at }, ()))
            }
            Some(person) => {
                let known = state.query(Person::get(&person))?;
                let assignee = known.map_or(person, |person| person.name);
                Err(NotTaken::Faster { title, assignee })
            }
            None => Err(NotTaken::Released { title }),
        }
    }
}
