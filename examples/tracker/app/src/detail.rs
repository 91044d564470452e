//! One issue, with its comments and what people did to it.

use dioxus::prelude::*;
use livestore::Timestamp;
use livestore::table::Table as _;
use livestore::{new_id, now};
use livestore_dioxus::use_live;
use tracker_schema::{Activity, Comment, CommentEvent, Issue, IssueEvent, Priority, Status};

use crate::command::{self, Command};
use crate::part::{Pick, avatar, label_chip, options, picked, positions, some, typing};
use crate::ui::{Ui, focus, use_ui};
use crate::window::Shared;

/// The choices of an estimate, in points.
const POINTS: [u8; 6] = [1, 2, 3, 5, 8, 13];

#[component]
pub(crate) fn Detail(id: String) -> Element {
    let ui = use_ui();
    let found = use_live(ui.store, Issue::get(&id))()?;
    let Some(issue) = found.as_ref().as_ref().filter(|issue| issue.deleted_at.is_none()) else {
        return rsx! {
            aside { class: "detail",
                p { class: "nothing", "This issue has been deleted." }
                button { onclick: move |_| ui.open(None), "Close" }
            }
        };
    };
    let key = ui.names.read().key(issue);
    rsx! {
        aside { class: "detail", aria_label: "{key}",
            header {
                span { class: "key", "{key}" }
                button { class: "quiet", onclick: move |_| command::run(ui, Command::Delete), "Delete" }
                button { class: "quiet", aria_label: "Close", onclick: move |_| ui.open(None), "✕" }
            }
            Text { issue: issue.clone() }
            Properties { issue: issue.clone() }
            Labels { issue: issue.clone() }
            Feed { issue: id, created: (issue.created_by.clone(), issue.created_at) }
        }
    }
}

/// The title and the description. What is typed is committed when one leaves the field.
#[component]
fn Text(issue: Shared) -> Element {
    let mut ui = use_ui();
    let (before, id) = (issue.title.clone(), issue.id.clone());
    let retitle = move |event: Event<FormData>| {
        let (id, title) = (id.clone(), event.value().trim().to_owned());
        if !title.is_empty() && title != before {
            ui.commit(IssueEvent::Retitled { id, title, by: ui.me(), at: now() });
        }
    };
    let id = issue.id.clone();
    let describe = move |event: Event<FormData>| {
        let (id, description) = (id.clone(), event.value());
        ui.commit(IssueEvent::Described { id, description, by: ui.me(), at: now() });
    };
    rsx! {
        textarea {
            id: "title",
            rows: "1",
            aria_label: "Title",
            value: "{issue.title}",
            onchange: retitle,
            onkeydown: move |event| typing(&event),
            onmounted: move |event| {
                ui.title.set(Some(event.data()));
                if ui.is_editing.replace(false) {
                    focus(ui.title);
                }
            },
        }
        textarea {
            id: "description",
            rows: "2",
            aria_label: "Description",
            placeholder: "Add a description",
            value: "{issue.description}",
            onchange: describe,
            onkeydown: move |event| typing(&event),
        }
    }
}

#[component]
fn Properties(issue: Shared) -> Element {
    let ui = use_ui();
    let names = ui.names.read();
    let position = |at: Option<usize>| at.map(|at| at.to_string()).unwrap_or_default();
    let status = position(Status::ALL.iter().position(|it| *it == issue.status));
    let priority = position(Priority::ALL.iter().position(|it| *it == issue.priority));
    let no_points = (String::new(), "No estimate".to_owned());
    let points = POINTS.map(|points| (points.to_string(), format!("{points} points")));
    let points: Vec<_> = std::iter::once(no_points).chain(points).collect();
    rsx! {
        div { class: "properties",
            Pick {
                label: "Status",
                value: status,
                options: positions(&Status::ALL),
                onpick: move |at: String| {
                    if let Some(status) = picked(&Status::ALL, &at) {
                        command::run(ui, Command::Status(status));
                    }
                },
            }
            Pick {
                label: "Priority",
                value: priority,
                options: positions(&Priority::ALL),
                onpick: move |at: String| {
                    if let Some(priority) = picked(&Priority::ALL, &at) {
                        command::run(ui, Command::Priority(priority));
                    }
                },
            }
            Pick {
                label: "Assignee",
                value: issue.assignee.clone().unwrap_or_default(),
                options: options("Nobody", &names.people),
                onpick: {
                    let id = issue.id.clone();
                    move |person| {
                        let (id, assignee) = (id.clone(), some(person));
                        ui.commit(IssueEvent::Assigned { id, assignee, by: ui.me(), at: now() });
                    }
                },
            }
            Pick {
                label: "Project",
                value: issue.project.clone().unwrap_or_default(),
                options: options("No project", &names.projects),
                onpick: {
                    let id = issue.id.clone();
                    move |project| {
                        let (id, project) = (id.clone(), some(project));
                        ui.commit(IssueEvent::PutIntoProject { id, project, by: ui.me(), at: now() });
                    }
                },
            }
            Pick {
                label: "Estimate",
                value: issue.estimate.map(|points| points.to_string()).unwrap_or_default(),
                options: points,
                onpick: {
                    let id = issue.id.clone();
                    move |points: String| {
                        let (id, estimate) = (id.clone(), points.parse().ok());
                        ui.commit(IssueEvent::Estimated { id, estimate, by: ui.me(), at: now() });
                    }
                },
            }
        }
    }
}

#[component]
fn Labels(issue: Shared) -> Element {
    let ui = use_ui();
    let has = |id: &str| issue.label_ids().any(|label| label == id);
    rsx! {
        div { class: "labels", role: "group", aria_label: "Labels",
            for label in ui.names.read().labels.clone() {
                button {
                    key: "{label.id}",
                    aria_pressed: has(&label.id),
                    onclick: {
                        let (id, label, is_on) = (issue.id.clone(), label.id.clone(), has(&label.id));
                        move |_| toggle(ui, id.clone(), label.clone(), is_on)
                    },
                    {label_chip(&label)}
                }
            }
        }
    }
}

fn toggle(ui: Ui, id: String, label: String, is_on: bool) {
    let (by, at) = (ui.me(), now());
    ui.commit(match is_on {
        true => IssueEvent::Unlabeled { id, label, by, at },
        false => IssueEvent::Labeled { id, label, by, at },
    });
}

/// What people wrote and did, in the order of time, and a field to write more.
#[component]
fn Feed(issue: String, created: (String, Timestamp)) -> Element {
    let ui = use_ui();
    let comments = use_live(ui.store, Comment::of(&issue))()?;
    let activity = use_live(ui.store, Activity::of(&issue))()?;
    let names = ui.names.read();
    let (by, at) = created;
    let did = activity.iter().map(|it| (it.at, it.by.clone(), it.what.clone(), None));
    let wrote = comments
        .iter()
        .map(|it| (it.created_at, it.author.clone(), it.text.clone(), Some(it.id.clone())));
    let begin = (at, by, "wrote this issue".to_owned(), None);
    let mut lines: Vec<_> = std::iter::once(begin).chain(did).chain(wrote).collect();
    lines.sort_by_key(|(at, ..)| *at);
    rsx! {
        ol { class: "feed", aria_label: "Activity",
            for (n, (at, by, text, comment)) in lines.into_iter().enumerate() {
                li { key: "{n}", class: if comment.is_some() { "comment" },
                    {avatar(Some(names.person(&by)))}
                    div {
                        b { "{names.person(&by)} " }
                        if comment.is_none() { "{text} " }
                        time { "{minute(at)}" }
                        if let Some(id) = comment.clone() {
                            button {
                                class: "quiet",
                                aria_label: "Delete the comment",
                                onclick: move |_| ui.commit(CommentEvent::Deleted { id: id.clone() }),
                                "✕"
                            }
                            p { "{text}" }
                        }
                    }
                }
            }
        }
        Write { issue }
    }
}

fn minute(at: Timestamp) -> String {
    let text = at.to_string().replace('T', " ");
    text.get(.."2026-01-01 00:00".len()).map(str::to_owned).unwrap_or(text)
}

#[component]
fn Write(issue: String) -> Element {
    let ui = use_ui();
    let mut text = use_signal(String::new);
    let submit = move |event: Event<FormData>| {
        event.prevent_default();
        let (issue, written) = (issue.clone(), text.peek().trim().to_owned());
        if !written.is_empty() {
            let (id, author, at) = (new_id(), ui.me(), now());
            ui.commit(CommentEvent::Added { id, issue, author, text: written, at });
            text.set(String::new());
        }
    };
    rsx! {
        form { class: "write", onsubmit: submit,
            input {
                id: "comment",
                placeholder: "Leave a comment",
                aria_label: "A comment",
                autocomplete: "off",
                value: "{text}",
                oninput: move |event| text.set(event.value()),
                onkeydown: move |event| typing(&event),
            }
            button { r#type: "submit", disabled: text.read().trim().is_empty(), "Send" }
        }
    }
}
