//! Issues, and what can happen to them.

use std::fmt;

use livestore::fractional_index::{FractionalIndexError, between_jittered};
use livestore::prelude::*;

use crate::Team;
use crate::activity::record;

/// An issue. A deleted one stays, with its comments, so that its deletion can be undone.
#[table(index(deleted_at, rank), index(status, rank), index(priority, rank), index(assignee, rank))]
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    #[column(primary_key)]
    pub id: String,
    pub team: String,
    /// The order of the eventlog gives it. So it can change until the issue is confirmed.
    pub number: u32,
    #[column(search)]
    pub title: String,
    #[column(search)]
    pub description: String,
    pub status: Status,
    pub priority: Priority,
    pub assignee: Option<String>,
    pub project: Option<String>,
    pub estimate: Option<u8>,
    /// The ids of its labels, in order, with a comma before and behind each.
    pub labels: String,
    /// Where it stands among others: a key of [`livestore::fractional_index`].
    pub rank: String,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    /// The number of changes, which are its [activity](crate::Activity).
    #[column(default = 0)]
    pub changes: u32,
}

impl Issue {
    /// The ids of its labels.
    pub fn label_ids(&self) -> impl Iterator<Item = &str> {
        self.labels.split(',').filter(|id| !id.is_empty())
    }

    /// Returns the rank of an issue that is put between two others; `None` is an end of the list.
    ///
    /// # Errors
    /// When the two have the same rank, because they were put at the same place at the same time.
    pub fn rank_between(
        before: Option<&Self>,
        behind: Option<&Self>,
    ) -> Result<String, FractionalIndexError> {
        let rank = |issue: &'_ Self| issue.rank.clone();
        between_jittered(before.map(rank).as_deref(), behind.map(rank).as_deref())
    }
}

/// How far it is, in the order of a board's columns.
#[derive(
    ColumnType, Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Shape,
)]
#[column_type(integer)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    Backlog,
    #[default]
    Todo,
    InProgress,
    InReview,
    Done,
    Canceled,
}

impl Status {
    pub const ALL: [Self; 6] =
        [Self::Backlog, Self::Todo, Self::InProgress, Self::InReview, Self::Done, Self::Canceled];
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backlog => "Backlog",
            Self::Todo => "Todo",
            Self::InProgress => "In Progress",
            Self::InReview => "In Review",
            Self::Done => "Done",
            Self::Canceled => "Canceled",
        })
    }
}

/// How urgent it is, the most urgent first.
#[derive(
    ColumnType, Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Shape,
)]
#[column_type(integer)]
#[serde(rename_all = "camelCase")]
pub enum Priority {
    Urgent,
    High,
    Medium,
    Low,
    #[default]
    None,
}

impl Priority {
    pub const ALL: [Self; 5] = [Self::Urgent, Self::High, Self::Medium, Self::Low, Self::None];
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Urgent => "Urgent",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::None => "No priority",
        })
    }
}

/// What happened to an issue, who did it, and when.
#[derive(Event, Debug, Clone)]
#[serde(rename_all = "camelCase")]
pub enum IssueEvent {
    #[event(name = "v1.IssueCreated")]
    Created {
        id: String,
        team: String,
        title: String,
        description: String,
        status: Status,
        priority: Priority,
        assignee: Option<String>,
        project: Option<String>,
        estimate: Option<u8>,
        labels: Vec<String>,
        rank: String,
        by: String,
        at: Timestamp,
    },
    #[event(name = "v1.IssueRetitled")]
    Retitled { id: String, title: String, by: String, at: Timestamp },
    #[event(name = "v1.IssueDescribed")]
    Described { id: String, description: String, by: String, at: Timestamp },
    /// It is put somewhere among those of a status, which may be a new one.
    #[event(name = "v1.IssueMoved")]
    Moved { id: String, status: Status, rank: String, by: String, at: Timestamp },
    #[event(name = "v1.IssuePrioritized")]
    Prioritized { id: String, priority: Priority, by: String, at: Timestamp },
    #[event(name = "v1.IssueAssigned")]
    Assigned { id: String, assignee: Option<String>, by: String, at: Timestamp },
    #[event(name = "v1.IssueEstimated")]
    Estimated { id: String, estimate: Option<u8>, by: String, at: Timestamp },
    #[event(name = "v1.IssuePutIntoProject")]
    PutIntoProject { id: String, project: Option<String>, by: String, at: Timestamp },
    #[event(name = "v1.IssueLabeled")]
    Labeled { id: String, label: String, by: String, at: Timestamp },
    #[event(name = "v1.IssueUnlabeled")]
    Unlabeled { id: String, label: String, by: String, at: Timestamp },
    #[event(name = "v1.IssueDeleted")]
    Deleted { id: String, by: String, at: Timestamp },
    #[event(name = "v1.IssueRestored")]
    Restored { id: String, by: String, at: Timestamp },
}

impl Materialize for IssueEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let Some((id, by, at)) = self.change() else { return self.create(state) };
        let Some(before) = state.query(Issue::get(id))? else {
            return Err(MaterializeError::custom(format_args!("there is no issue {id}")));
        };
        let issue = Issue::update()
            .filter(Issue::ID.eq(id))
            .set(Issue::UPDATED_AT, at)
            .add(Issue::CHANGES, 1);
        state.run(match self.clone() {
            Self::Retitled { title, .. } => issue.set(Issue::TITLE, title),
            Self::Described { description, .. } => issue.set(Issue::DESCRIPTION, description),
            Self::Moved { status, rank, .. } => {
                issue.set(Issue::STATUS, status).set(Issue::RANK, rank)
            }
            Self::Prioritized { priority, .. } => issue.set(Issue::PRIORITY, priority),
            Self::Assigned { assignee, .. } => issue.set(Issue::ASSIGNEE, assignee),
            Self::Estimated { estimate, .. } => issue.set(Issue::ESTIMATE, estimate),
            Self::PutIntoProject { project, .. } => issue.set(Issue::PROJECT, project),
            Self::Labeled { label, .. } => {
                let others = before.label_ids().filter(|id| *id != label);
                issue.set(Issue::LABELS, joined(others.chain([&*label])))
            }
            Self::Unlabeled { label, .. } => {
                issue.set(Issue::LABELS, joined(before.label_ids().filter(|id| *id != label)))
            }
            Self::Deleted { .. } => issue.set(Issue::DELETED_AT, at),
            Self::Restored { .. } => issue.set(Issue::DELETED_AT, None),
            Self::Created { .. } => issue,
        })?;
        match self.in_words(&before, state)? {
            Some(what) => record(state, &before, by, at, what),
            None => Ok(()),
        }
    }
}

impl IssueEvent {
    /// Which issue it changes, who does, and when; `None` for the event that creates one.
    pub(crate) fn change(&self) -> Option<(&str, &str, Timestamp)> {
        match self {
            Self::Created { .. } => None,
            Self::Retitled { id, by, at, .. }
            | Self::Described { id, by, at, .. }
            | Self::Moved { id, by, at, .. }
            | Self::Prioritized { id, by, at, .. }
            | Self::Assigned { id, by, at, .. }
            | Self::Estimated { id, by, at, .. }
            | Self::PutIntoProject { id, by, at, .. }
            | Self::Labeled { id, by, at, .. }
            | Self::Unlabeled { id, by, at, .. }
            | Self::Deleted { id, by, at }
            | Self::Restored { id, by, at } => Some((id, by, *at)),
        }
    }

    fn create(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let Self::Created { team, .. } = self else { return Ok(()) };
        let Some(Team { last_number, .. }) = state.query(Team::get(team))? else {
            return Err(MaterializeError::custom(format_args!("there is no team {team}")));
        };
        let number = last_number.saturating_add(1);
        state.run(Team::update().filter(Team::ID.eq(team)).set(Team::LAST_NUMBER, number))?;
        match self.clone().into_issue(number) {
            Some(issue) => state.insert(&issue),
            None => Ok(()),
        }
    }

    fn into_issue(self, number: u32) -> Option<Issue> {
        let Self::Created {
            id,
            team,
            title,
            description,
            status,
            priority,
            assignee,
            project,
            estimate,
            labels,
            rank,
            by,
            at,
        } = self
        else {
            return None;
        };
        let labels = joined(labels.iter().map(String::as_str));
        Some(Issue {
            id,
            team,
            number,
            title,
            description,
            status,
            priority,
            assignee,
            project,
            estimate,
            labels,
            rank,
            created_by: by,
            created_at: at,
            updated_at: at,
            deleted_at: None,
            changes: 0,
        })
    }
}

/// The form in which an issue has its labels.
fn joined<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    match ids.is_empty() {
        true => String::new(),
        false => format!(",{},", ids.join(",")),
    }
}
