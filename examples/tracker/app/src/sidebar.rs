//! The sidebar: teams, projects, and who works here.

use dioxus::prelude::*;
use livestore_dioxus::use_document;
use tracker_schema::{App, Settings};

use crate::part::{Pick, options};
use crate::ui::{Ui, use_ui};

#[component]
pub(crate) fn Sidebar() -> Element {
    let mut ui = use_ui();
    let filters = ui.filters.read();
    let names = ui.names.read();
    let settings = use_document::<App, Settings>(ui.store);
    let me = settings.get()?.me.clone();
    let class = if (ui.has_menu)() { "sidebar open" } else { "sidebar" };
    rsx! {
        nav { class, aria_label: "Teams and projects",
            h1 { i {} "Tracker" }
            h2 { "Teams" }
            ul {
                Entry {
                    name: "All teams",
                    is_current: filters.team.is_none() && filters.project.is_none(),
                    onpick: move |()| pick(ui, None, None),
                }
                for team in names.teams.clone() {
                    Entry {
                        key: "{team.id}",
                        name: "{team.name}",
                        is_current: filters.team.as_ref() == Some(&team.id),
                        onpick: move |()| pick(ui, Some(team.id.clone()), None),
                    }
                }
            }
            h2 { "Projects" }
            ul {
                for project in names.projects.clone() {
                    Entry {
                        key: "{project.id}",
                        name: "{project.name}",
                        is_current: filters.project.as_ref() == Some(&project.id),
                        onpick: move |()| pick(ui, None, Some(project.id.clone())),
                    }
                }
            }
            footer {
                label {
                    "You are "
                    Pick {
                        label: "Who you are",
                        value: me,
                        options: options("…", &names.people),
                        onpick: move |me: String| {
                            ui.report(settings.set(|set| set.me(me)));
                        },
                    }
                }
            }
        }
        if (ui.has_menu)() {
            div { class: "shade", onclick: move |_| ui.has_menu.set(false) }
        }
    }
}

fn pick(mut ui: Ui, team: Option<String>, project: Option<String>) {
    ui.has_menu.set(false);
    ui.show(|screen| screen.team(team).project(project));
}

#[component]
fn Entry(name: String, is_current: bool, onpick: EventHandler<()>) -> Element {
    rsx! {
        li {
            button { aria_current: is_current.then_some("true"), onclick: move |_| onpick.call(()), "{name}" }
        }
    }
}
