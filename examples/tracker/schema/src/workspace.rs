//! Teams, people, projects and labels: what issues refer to.

use livestore::prelude::*;

/// A team. It counts its issues, so that each has a number.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    #[column(primary_key)]
    pub id: String,
    /// What stands before the number of an issue: `ENG` in `ENG-12`.
    pub key: String,
    pub name: String,
    /// The number of the team's last issue.
    #[column(default = 0)]
    pub last_number: u32,
}

/// Someone who writes and does issues.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    #[column(primary_key)]
    pub id: String,
    pub name: String,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    #[column(primary_key)]
    pub id: String,
    pub name: String,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    #[column(primary_key)]
    pub id: String,
    pub name: String,
    /// A colour of CSS.
    pub color: String,
}

/// The things that can happen to a workspace. Two clients that add the same thing add it once.
#[derive(Event, Debug, Clone)]
#[serde(rename_all = "camelCase")]
pub enum WorkspaceEvent {
    #[event(name = "v1.TeamCreated")]
    TeamCreated { id: String, key: String, name: String },
    #[event(name = "v1.PersonJoined")]
    PersonJoined { id: String, name: String },
    #[event(name = "v1.ProjectCreated")]
    ProjectCreated { id: String, name: String },
    #[event(name = "v1.LabelCreated")]
    LabelCreated { id: String, name: String, color: String },
}

impl Materialize for WorkspaceEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::TeamCreated { id, key, name } => {
                state.insert_or_ignore(&Team { id, key, name, last_number: 0 })
            }
            Self::PersonJoined { id, name } => state.insert_or_ignore(&Person { id, name }),
            Self::ProjectCreated { id, name } => state.insert_or_ignore(&Project { id, name }),
            Self::LabelCreated { id, name, color } => {
                state.insert_or_ignore(&Label { id, name, color })
            }
        }?;
        Ok(())
    }
}
