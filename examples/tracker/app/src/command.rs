//! All commands, by which name and key they go, and what they do.

use dioxus::prelude::*;
use livestore::now;
use livestore::store::{Receipt, UndoError};
use tracker_schema::{App, Issue, IssueEvent, Layout, Priority, Screen, Status, Take, sample};

use crate::sync;
use crate::ui::{Overlay, Ui, focus};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    Palette,
    NewIssue,
    Search,
    Show(Layout),
    ClearFilters,
    PauseOrResume,
    Fill,
    Undo,
    Redo,
    /// The next issue of the list, or the one before.
    Select {
        forward: bool,
    },
    /// The first issue of the list.
    SelectFirst,
    Open(String),
    /// The others are about the issue that is open, or else selected.
    OpenSelected,
    Edit,
    Status(Status),
    /// To the next status, or the one before.
    Advance {
        forward: bool,
    },
    Priority(Priority),
    AssignToMe,
    Delete,
}

/// The commands that the palette offers, with their names and keys.
pub(crate) fn all() -> Vec<(Command, String, &'static str)> {
    let named = |command, name: &str, key| (command, name.to_owned(), key);
    let keys = ["1", "2", "3", "4", "0"];
    let priority =
        |(it, key): (&Priority, _)| (Command::Priority(*it), format!("Priority: {it}"), key);
    let mut all = vec![
        named(Command::NewIssue, "New issue", "C"),
        named(Command::Search, "Search", "/"),
        named(Command::Show(Layout::List), "Show the list", "L"),
        named(Command::Show(Layout::Board), "Show the board", "B"),
        named(Command::Undo, "Undo", "Ctrl Z"),
        named(Command::Redo, "Redo", "Ctrl Shift Z"),
        named(Command::Edit, "Edit the issue", "E"),
        named(Command::AssignToMe, "Assign to me", "I"),
        named(Command::Advance { forward: true }, "Move to the next status", "]"),
        named(Command::Advance { forward: false }, "Move to the status before", "["),
    ];
    all.extend(Status::ALL.map(|it| (Command::Status(it), format!("Status: {it}"), "")));
    all.extend(Priority::ALL.iter().zip(keys).map(priority));
    all.extend([
        named(Command::Delete, "Delete the issue", ""),
        named(Command::ClearFilters, "Clear all filters", ""),
        named(Command::PauseOrResume, "Work offline, or sync again", ""),
        named(Command::Fill, "Fill with a sample", ""),
    ]);
    all
}

/// Does it.
pub(crate) fn run(mut ui: Ui, command: Command) {
    match command {
        Command::Palette => ui.overlay.set(Some(Overlay::Palette)),
        Command::NewIssue => ui.overlay.set(Some(Overlay::NewIssue)),
        Command::Search => focus(ui.search),
        Command::Show(layout) => ui.show(|screen| screen.layout(layout)),
        Command::ClearFilters => {
            ui.show(clear_filters);
            ui.searches += 1;
        }
        Command::PauseOrResume => sync::pause_or_resume(ui),
        Command::Fill => {
            let store = ui.store.peek().clone();
            ui.report(sample::fill(&store, ui.sample.0));
        }
        Command::Undo => step(ui, livestore::Store::undo),
        Command::Redo => step(ui, livestore::Store::redo),
        Command::Select { forward } => select(ui, ui.current(), forward),
        Command::SelectFirst => select(ui, None, true),
        Command::Open(id) => ui.open(Some(id)),
        Command::OpenSelected => ui.open(ui.selected.peek().clone()),
        Command::Edit if ui.open.peek().is_some() => focus(ui.title),
        Command::Edit => {
            ui.is_editing.set(true);
            ui.open(ui.current().map(|issue| issue.id));
        }
        Command::Status(status) => {
            if let Some(issue) = ui.current() {
                ui.set_status(&issue, status);
            }
        }
        Command::Advance { forward } => advance(ui, forward),
        Command::Priority(priority) => {
            change(ui, |id, by| IssueEvent::Prioritized { id, priority, by, at: now() })
        }
        Command::AssignToMe => take(ui),
        Command::Delete => {
            change(ui, |id, by| IssueEvent::Deleted { id, by, at: now() });
            ui.open(None);
        }
    }
}

/// Undoes or redoes. It is no mistake to ask for more than there is.
fn step(ui: Ui, step: impl FnOnce(&livestore::Store<App>) -> Result<Receipt, UndoError>) {
    let store = ui.store.peek().clone();
    match step(&store) {
        Ok(_) | Err(UndoError::Nothing) => {}
        Err(error) => {
            ui.report::<(), _>(Err(error));
        }
    }
}

/// Commits an event about the current issue, by the person who works here.
fn change(ui: Ui, event: impl FnOnce(String, String) -> IssueEvent) {
    if let Some(issue) = ui.current() {
        ui.commit(event(issue.id, ui.me()));
    }
}

/// Assigns the current issue to the person who works here, unless somebody else is faster.
fn take(ui: Ui) {
    let Some(issue) = ui.current() else { return };
    let take = Take { issue: issue.id, seen: issue.assignee, by: ui.me(), at: now() };
    let store = ui.store.peek().clone();
    ui.report(store.execute(take));
}

fn advance(ui: Ui, forward: bool) {
    let Some(issue) = ui.current() else { return };
    let at = Status::ALL.iter().position(|status| *status == issue.status);
    let next = at.and_then(|at| if forward { at.checked_add(1) } else { at.checked_sub(1) });
    if let Some(status) = next.and_then(|at| Status::ALL.get(at)) {
        ui.set_status(&issue, *status);
    }
}

fn clear_filters(
    screen: <Screen as livestore::schema::Document>::Set,
) -> <Screen as livestore::schema::Document>::Set {
    screen.team(None).project(None).priority(None).assignee(None).label(None).search("")
}

/// Selects the issue that the window shows behind this one, or before it; without one, the first or the last of all. An
/// issue that is open makes room for it.
fn select(ui: Ui, current: Option<Issue>, forward: bool) {
    let screen = ui.filters.peek().clone();
    let names = ui.names.peek();
    let mut groups = screen.groups(names.people.iter().map(|person| &*person.id));
    if !forward {
        groups.reverse();
    }
    let group = current.as_ref().map(|issue| screen.group_of(issue));
    let start = group.and_then(|group| groups.iter().position(|it| *it == group)).unwrap_or(0);
    let store = ui.store.peek().clone();
    for (n, group) in groups.iter().skip(start).enumerate() {
        let rank = current.as_ref().filter(|_| n == 0).map(|issue| &*issue.rank);
        let next = if forward { group.after(&screen, rank) } else { group.before(&screen, rank) };
        let Some(next) = ui.report(store.query(next.first())) else { return };
        if let Some(issue) = next {
            let open = ui.open.peek().as_ref().map(|_| issue.id.clone());
            ui.show(|screen| screen.selected(Some(issue.id)).open(open));
            return;
        }
    }
}
