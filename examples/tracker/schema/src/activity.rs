//! What people did to an issue, in words.

use livestore::prelude::*;

use crate::{Issue, IssueEvent, Label, Person, Project};

/// One change of an issue.
#[table(primary_key(issue, number))]
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    pub issue: String,
    /// The first change has number 1.
    pub number: u32,
    pub by: String,
    pub at: Timestamp,
    /// What was done, as in “moved it to Done”.
    pub what: String,
}

impl Activity {
    /// What happened to an issue, the oldest first.
    pub fn of(issue: &str) -> impl livestore::live::Live<Value = List<Self>> + QueryIn<crate::App> {
        Self::filter(Self::ISSUE.eq(issue)).order_by(Self::NUMBER)
    }
}

/// Adds a change of an issue, which was `before`.
pub(crate) fn record(
    state: &mut Writer<'_>,
    before: &Issue,
    by: &str,
    at: Timestamp,
    what: String,
) -> Result<(), MaterializeError> {
    let number = before.changes.saturating_add(1);
    state.insert(&Activity { issue: before.id.clone(), number, by: by.to_owned(), at, what })
}

impl IssueEvent {
    /// What the event does to the issue, which was `before`; `None` if that is not worth a line, as when it is only
    /// put elsewhere in its column.
    pub(crate) fn in_words(
        &self,
        before: &Issue,
        state: &Writer<'_>,
    ) -> Result<Option<String>, QueryError> {
        Ok(Some(match self {
            Self::Created { .. } => return Ok(None),
            Self::Moved { status, .. } if *status == before.status => return Ok(None),
            Self::Moved { status, .. } => format!("moved it to {status}"),
            Self::Retitled { title, .. } => format!("named it “{title}”"),
            Self::Described { .. } => "described it".to_owned(),
            Self::Prioritized { priority, .. } => format!("set its priority to {priority}"),
            Self::Assigned { assignee: None, .. } => "assigned it to nobody".to_owned(),
            Self::Assigned { assignee: Some(id), .. } => {
                let person = state.query(Person::get(id))?;
                format!("assigned it to {}", person.map_or_else(|| id.clone(), |it| it.name))
            }
            Self::Estimated { estimate: None, .. } => "took away its estimate".to_owned(),
            Self::Estimated { estimate: Some(points), .. } => format!("estimated {points} points"),
            Self::PutIntoProject { project: None, .. } => "took it out of its project".to_owned(),
            Self::PutIntoProject { project: Some(id), .. } => {
                let project = state.query(Project::get(id))?;
                format!("put it into {}", project.map_or_else(|| id.clone(), |it| it.name))
            }
            Self::Labeled { label, .. } => {
                format!("added the label {}", label_name(label, state)?)
            }
            Self::Unlabeled { label, .. } => {
                format!("took away the label {}", label_name(label, state)?)
            }
            Self::Deleted { .. } => "deleted it".to_owned(),
            Self::Restored { .. } => "restored it".to_owned(),
        }))
    }
}

fn label_name(id: &str, state: &Writer<'_>) -> Result<String, QueryError> {
    Ok(state.query(Label::get(id))?.map_or_else(|| id.to_owned(), |label| label.name))
}
