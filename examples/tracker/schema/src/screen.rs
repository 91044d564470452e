//! What a window shows: client documents, and the queries that follow from them.

use livestore::prelude::*;
use livestore::table::Select;

use crate::{Issue, Priority, Status};

/// What one window shows. It is there again after a restart, and never leaves the device.
#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Screen {
    pub layout: Layout,
    pub grouping: Grouping,
    /// Only issues of this team, if one is chosen. So it is with the other filters.
    pub team: Option<String>,
    pub project: Option<String>,
    pub priority: Option<Priority>,
    pub assignee: Option<String>,
    pub label: Option<String>,
    /// What is searched for.
    pub search: String,
    /// The issue that the keyboard acts on.
    pub selected: Option<String>,
    /// The issue whose details are open.
    pub open: Option<String>,
}

/// What all windows of a client share.
#[client_document(id = "settings")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The person who works here.
    pub me: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { me: "ada".to_owned() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Layout {
    #[default]
    List,
    Board,
}

/// What the list is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Grouping {
    #[default]
    Status,
    Priority,
    Assignee,
}

impl Grouping {
    /// The groups, in order, where these are the ids of all people.
    pub fn groups<'a>(self, people: impl IntoIterator<Item = &'a str>) -> Vec<Group> {
        match self {
            Self::Status => Status::ALL.map(Group::Status).to_vec(),
            Self::Priority => Priority::ALL.map(Group::Priority).to_vec(),
            Self::Assignee => {
                let people = people.into_iter().map(|person| Some(person.to_owned()));
                people.chain([None]).map(Group::Assignee).collect()
            }
        }
    }

    /// The group that an issue is in.
    pub fn of(self, issue: &Issue) -> Group {
        match self {
            Self::Status => Group::Status(issue.status),
            Self::Priority => Group::Priority(issue.priority),
            Self::Assignee => Group::Assignee(issue.assignee.clone()),
        }
    }
}

/// A part of the list, or a column of the board.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Group {
    Status(Status),
    Priority(Priority),
    Assignee(Option<String>),
    /// All that a search in the list has found.
    Found,
}

impl Group {
    /// The group's issues, of those that the screen shows, in order.
    pub fn issues(&self, screen: &Screen) -> Select<Issue> {
        self.members(screen).order_by(Issue::RANK)
    }

    /// The group's issues that come after this rank, or from the first one on.
    pub fn after(&self, screen: &Screen, rank: Option<&str>) -> Select<Issue> {
        let after = rank.map(|rank| Issue::RANK.gt(rank));
        self.members(screen).filter(after).order_by(Issue::RANK)
    }

    /// The group's issues that come before this rank, the nearest first; or from the last one on.
    pub fn before(&self, screen: &Screen, rank: Option<&str>) -> Select<Issue> {
        let before = rank.map(|rank| Issue::RANK.lt(rank));
        self.members(screen).filter(before).order_by(Issue::RANK.desc())
    }

    fn members(&self, screen: &Screen) -> Select<Issue> {
        let issues = screen.issues();
        match self {
            Self::Status(status) => issues.filter(Issue::STATUS.eq(status)),
            Self::Priority(priority) => issues.filter(Issue::PRIORITY.eq(priority)),
            Self::Assignee(assignee) => issues.filter(Issue::ASSIGNEE.eq(assignee)),
            Self::Found => issues,
        }
    }
}

impl Screen {
    /// The groups that the screen shows, in order, where these are the ids of all people. What is searched for in the
    /// list is one group: each letter asks one question, and not one for each group.
    pub fn groups<'a>(&self, people: impl IntoIterator<Item = &'a str>) -> Vec<Group> {
        match self.grouping() {
            Some(grouping) => grouping.groups(people),
            None => vec![Group::Found],
        }
    }

    /// The group that shows an issue.
    pub fn group_of(&self, issue: &Issue) -> Group {
        self.grouping().map_or(Group::Found, |grouping| grouping.of(issue))
    }

    fn grouping(&self) -> Option<Grouping> {
        match self.layout {
            Layout::Board => Some(Grouping::Status),
            Layout::List => Some(self.grouping).filter(|_| !self.is_search()),
        }
    }

    /// Whether something is searched for.
    fn is_search(&self) -> bool {
        !self.search.trim().is_empty()
    }

    /// The issues that pass the filters.
    pub fn issues(&self) -> Select<Issue> {
        let team = self.team.as_ref().map(|team| Issue::TEAM.eq(team));
        let project = self.project.as_ref().map(|project| Issue::PROJECT.eq(project));
        let priority = self.priority.map(|priority| Issue::PRIORITY.eq(priority));
        let assignee = self.assignee.as_ref().map(|person| Issue::ASSIGNEE.eq(person));
        let label = self.label.as_ref().map(|id| Issue::LABELS.like(format!("%,{id},%")));
        let found = Some(&self.search).filter(|_| self.is_search()).map(Issue::search);
        Issue::filter(Issue::DELETED_AT.is_null())
            .filter(team)
            .filter(project)
            .filter(priority)
            .filter(assignee)
            .filter(label)
            .filter(found)
    }

    /// Whether a filter is set.
    pub fn is_filtered(&self) -> bool {
        let chosen = [&self.team, &self.project, &self.assignee, &self.label];
        chosen.iter().any(|choice| choice.is_some()) || self.priority.is_some() || self.is_search()
    }
}

/// The issues that were changed last, of those that have these words, for a menu.
pub fn found(text: &str, count: u64) -> Select<Issue> {
    let screen = Screen { search: text.to_owned(), ..Screen::default() };
    screen.issues().order_by(Issue::UPDATED_AT.desc()).limit(count)
}
