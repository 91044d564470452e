//! The command palette: commands and issues, found by what one types.

use dioxus::prelude::*;
use tracker_schema::screen::found;

use crate::command::{self, Command};
use crate::part::use_in_sight;
use crate::ui::{Ui, use_ui};

/// How many issues it offers.
const ISSUES: u64 = 6;

#[component]
pub(crate) fn Palette() -> Element {
    let mut ui = use_ui();
    let mut text = use_signal(String::new);
    let mut at = use_signal(|| 0_usize);
    let offers = use_memo(move || offers(ui, &text.read()));
    let pick = use_callback(move |n: usize| {
        let picked = offers.peek().get(n).map(|offer| offer.0.clone());
        if let Some(command) = picked {
            ui.overlay.set(None);
            ui.focus_list();
            command::run(ui, command);
        }
    });
    let pressed = move |event: Event<KeyboardData>| {
        let last = offers.peek().len().saturating_sub(1);
        match event.key() {
            Key::ArrowDown => at.with_mut(|at| *at = (*at + 1).min(last)),
            Key::ArrowUp => at.with_mut(|at| *at = at.saturating_sub(1)),
            Key::Enter => pick.call(*at.peek()),
            _ => return crate::part::typing(&event),
        }
        event.prevent_default();
        event.stop_propagation();
    };
    rsx! {
        div { class: "backdrop", onclick: move |_| ui.close_overlay() }
        div { class: "dialog palette", role: "dialog", aria_modal: "true", aria_label: "Commands",
            input {
                role: "combobox",
                aria_expanded: "true",
                aria_controls: "offers",
                aria_activedescendant: "offer-{at}",
                aria_label: "A command, or the title of an issue",
                placeholder: "Type a command, or the title of an issue",
                autocomplete: "off",
                initial_value: "{text}",
                oninput: move |event| {
                    text.set(event.value());
                    at.set(0);
                },
                onkeydown: pressed,
                onmounted: move |event| async move { _ = event.set_focus(true).await },
            }
            ul { id: "offers", role: "listbox",
                for (n, (_, name, keys)) in offers.read().iter().cloned().enumerate() {
                    Offer { key: "{n}", n, name, keys, is_selected: at() == n, onpick: pick }
                }
            }
        }
    }
}

#[component]
fn Offer(
    n: usize,
    name: String,
    keys: String,
    is_selected: bool,
    onpick: EventHandler<usize>,
) -> Element {
    let element = use_in_sight(is_selected);
    rsx! {
        li {
            id: "offer-{n}",
            role: "option",
            aria_selected: is_selected,
            onmounted: move |event| element.set(event),
            onclick: move |_| onpick.call(n),
            span { "{name}" }
            if !keys.is_empty() {
                kbd { "{keys}" }
            }
        }
    }
}

/// What is offered for a text: commands whose names have all of its words, and issues.
fn offers(ui: Ui, text: &str) -> Vec<(Command, String, String)> {
    let wanted = text.trim().to_lowercase();
    let has_all = |name: &str| {
        let name = name.to_lowercase();
        wanted.split_whitespace().all(|word| name.contains(word))
    };
    let commands = command::all().into_iter().filter(|(_, name, _)| has_all(name));
    let mut offers: Vec<_> =
        commands.map(|(command, name, key)| (command, name, key.to_owned())).collect();
    if !wanted.is_empty() {
        let store = ui.store.peek().clone();
        let issues = ui.report(store.query(found(&wanted, ISSUES))).unwrap_or_default();
        let names = ui.names.peek();
        let offer = |issue: tracker_schema::Issue| {
            let key = names.key(&issue);
            (Command::Open(issue.id), issue.title, key)
        };
        offers.extend(issues.into_iter().map(offer));
    }
    offers
}
