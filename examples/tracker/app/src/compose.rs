//! The dialog for a new issue.

use dioxus::prelude::*;
use livestore::{new_id, now};
use tracker_schema::{Group, Issue, IssueEvent, Priority, Screen, Status, sample};

use crate::part::{Pick, options, picked, positions, some, typing};
use crate::ui::{Ui, use_ui};

/// What is written so far.
#[derive(Clone, Default)]
struct Draft {
    title: String,
    description: String,
    team: Option<String>,
    status: Status,
    priority: Priority,
    assignee: Option<String>,
}

#[component]
pub(crate) fn Compose() -> Element {
    let ui = use_ui();
    let names = ui.names.read();
    let mut draft = use_signal(move || {
        let filters = ui.filters.peek();
        let (team, assignee) = (filters.team.clone(), filters.assignee.clone());
        Draft { team, assignee, priority: filters.priority.unwrap_or_default(), ..Draft::default() }
    });
    let submit = move |event: Event<FormData>| {
        event.prevent_default();
        create(ui, &draft.peek());
    };
    let position = |at: Option<usize>| at.map(|at| at.to_string()).unwrap_or_default();
    let now = draft.read().clone();
    rsx! {
        div { class: "backdrop", onclick: move |_| ui.close_overlay() }
        form { class: "dialog", role: "dialog", aria_modal: "true", aria_label: "A new issue", onsubmit: submit,
            input {
                class: "title",
                placeholder: "Title",
                aria_label: "Title",
                autocomplete: "off",
                initial_value: "{now.title}",
                oninput: move |event| draft.write().title = event.value(),
                onkeydown: move |event| typing(&event),
                onmounted: move |event| async move { _ = event.set_focus(true).await },
            }
            textarea {
                rows: "4",
                placeholder: "Description",
                aria_label: "Description",
                initial_value: "{now.description}",
                oninput: move |event| draft.write().description = event.value(),
                onkeydown: move |event| typing(&event),
            }
            div { class: "line",
                Pick {
                    label: "Team",
                    value: now.team.unwrap_or_default(),
                    options: options("Engineering", &names.teams).split_off(usize::from(!names.teams.is_empty())),
                    onpick: move |id| draft.write().team = some(id),
                }
                Pick {
                    label: "Status",
                    value: position(Status::ALL.iter().position(|it| *it == now.status)),
                    options: positions(&Status::ALL),
                    onpick: move |at: String| draft.write().status = picked(&Status::ALL, &at).unwrap_or_default(),
                }
                Pick {
                    label: "Priority",
                    value: position(Priority::ALL.iter().position(|it| *it == now.priority)),
                    options: positions(&Priority::ALL),
                    onpick: move |at: String| {
                        draft.write().priority = picked(&Priority::ALL, &at).unwrap_or_default();
                    },
                }
                Pick {
                    label: "Assignee",
                    value: now.assignee.unwrap_or_default(),
                    options: options("Nobody", &names.people),
                    onpick: move |id| draft.write().assignee = some(id),
                }
            }
            footer {
                button { r#type: "button", onclick: move |_| ui.close_overlay(), "Cancel" }
                button { class: "main", r#type: "submit", disabled: now.title.trim().is_empty(), "Create" }
            }
        }
    }
}

/// Creates the issue, before all others of its status. The first one of a new workspace brings that along.
fn create(ui: Ui, draft: &Draft) {
    let title = draft.title.trim();
    if title.is_empty() {
        return;
    }
    let store = ui.store.peek().clone();
    let first = Group::Status(draft.status).after(&Screen::default(), None).first();
    let Some(first) = ui.report(store.query(first)) else { return };
    let Some(rank) = ui.report(Issue::rank_between(None, first.as_ref())) else { return };
    let teams = ui.names.peek().teams.clone();
    let workspace = if teams.is_empty() { sample::workspace() } else { Vec::new() };
    let first_team = teams.first().map_or("eng", |team| &*team.id);
    let id = new_id();
    let created = IssueEvent::Created {
        id: id.clone(),
        team: draft.team.clone().unwrap_or_else(|| first_team.to_owned()),
        title: title.to_owned(),
        description: draft.description.trim().to_owned(),
        status: draft.status,
        priority: draft.priority,
        assignee: draft.assignee.clone(),
        project: ui.filters.peek().project.clone(),
        estimate: None,
        labels: ui.filters.peek().label.iter().cloned().collect(),
        rank,
        by: ui.me(),
        at: now(),
    };
    ui.commit((workspace, created));
    ui.show(|screen| screen.selected(Some(id)));
    ui.close_overlay();
}
