//! The names of what issues refer to.

use dioxus::prelude::*;
use livestore::live::List;
use livestore::table::{Arrange as _, Choose as _, Table as _};
use livestore_dioxus::use_live;
use tracker_schema::{App, Issue, Label, Person, Project, Team};

/// Something that has a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
    /// A team's key, or a label's colour.
    pub(crate) mark: String,
}

/// All teams, people, projects and labels, each in the order of their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Names {
    pub(crate) teams: Vec<Named>,
    pub(crate) people: Vec<Named>,
    pub(crate) projects: Vec<Named>,
    pub(crate) labels: Vec<Named>,
}

impl Names {
    /// An issue as people call it: `ENG-12`.
    pub(crate) fn key(&self, issue: &Issue) -> String {
        let team = find(&self.teams, &issue.team).map_or("?", |team| &*team.mark);
        format!("{team}-{}", issue.number)
    }

    pub(crate) fn person<'a>(&'a self, id: &'a str) -> &'a str {
        find(&self.people, id).map_or(id, |person| &*person.name)
    }

    pub(crate) fn project<'a>(&'a self, id: &'a str) -> &'a str {
        find(&self.projects, id).map_or(id, |project| &*project.name)
    }

    /// The labels of an issue.
    pub(crate) fn labels_of(&self, issue: &Issue) -> impl Iterator<Item = &Named> {
        issue.label_ids().filter_map(|id| find(&self.labels, id))
    }
}

fn find<'a>(all: &'a [Named], id: &str) -> Option<&'a Named> {
    all.iter().find(|named| named.id == id)
}

/// The names, which change when something gets one.
pub(crate) fn use_names(store: ReadSignal<livestore::Store<App>>) -> Memo<Names> {
    let teams = Team::all().order_by(Team::NAME).select((Team::ID, Team::NAME, Team::KEY));
    let people = Person::all().order_by(Person::NAME).select((Person::ID, Person::NAME));
    let projects = Project::all().order_by(Project::NAME).select((Project::ID, Project::NAME));
    let labels = Label::all().order_by(Label::NAME).select((Label::ID, Label::NAME, Label::COLOR));
    let (teams, people) = (use_live(store, teams), use_live(store, people));
    let (projects, labels) = (use_live(store, projects), use_live(store, labels));
    use_memo(move || Names {
        teams: teams().map_or_else(|_| Vec::new(), |all| marked(&all)),
        people: people().map_or_else(|_| Vec::new(), |all| plain(&all)),
        projects: projects().map_or_else(|_| Vec::new(), |all| plain(&all)),
        labels: labels().map_or_else(|_| Vec::new(), |all| marked(&all)),
    })
}

fn marked(all: &List<(String, String, String)>) -> Vec<Named> {
    let named = |(id, name, mark): &(String, String, String)| Named {
        id: id.clone(),
        name: name.clone(),
        mark: mark.clone(),
    };
    all.iter().map(|row| named(row)).collect()
}

fn plain(all: &List<(String, String)>) -> Vec<Named> {
    let named = |(id, name): &(String, String)| Named {
        id: id.clone(),
        name: name.clone(),
        mark: String::new(),
    };
    all.iter().map(|row| named(row)).collect()
}
