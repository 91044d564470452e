//! What the keyboard does.

use dioxus::prelude::*;
use tracker_schema::{Layout, Priority};

use crate::command::{self, Command};
use crate::part::typing;
use crate::ui::Ui;

/// A key was pressed anywhere, but in a field that takes it.
pub(crate) fn pressed(ui: Ui, event: &Event<KeyboardData>) {
    let modifiers = event.modifiers();
    if modifiers.ctrl() || modifiers.meta() {
        let command = match (&event.key(), modifiers.shift()) {
            (key, _) if is_letter(key, "k") => Command::Palette,
            (key, false) if is_letter(key, "z") => Command::Undo,
            (key, true) if is_letter(key, "z") => Command::Redo,
            _ => return,
        };
        event.prevent_default();
        return command::run(ui, command);
    }
    if modifiers.alt() {
        return;
    }
    if event.key() == Key::Escape {
        return escape(ui);
    }
    // A dialog is on top.
    if ui.overlay.peek().is_some() {
        return;
    }
    if let Some(command) = command_of(&event.key()) {
        event.prevent_default();
        let moves = matches!(command, Command::Select { .. });
        command::run(ui, command);
        if moves {
            ui.focus_list();
        }
    }
}

/// A key was pressed in the list or on the board.
pub(crate) fn pressed_in_list(ui: Ui, event: &Event<KeyboardData>) {
    let command = match event.key() {
        Key::Enter => Command::OpenSelected,
        Key::ArrowDown => Command::Select { forward: true },
        Key::ArrowUp => Command::Select { forward: false },
        _ => return,
    };
    event.prevent_default();
    command::run(ui, command);
}

/// A key was pressed in the field to search in.
pub(crate) fn pressed_in_search(ui: Ui, event: &Event<KeyboardData>) {
    typing(event);
    // While a word is composed, as in Japanese, these keys are about the word.
    if !event.is_composing() && matches!(event.key(), Key::Enter | Key::ArrowDown) {
        event.prevent_default();
        command::run(ui, Command::SelectFirst);
        ui.focus_list();
    }
}

fn command_of(key: &Key) -> Option<Command> {
    let Key::Character(letter) = key else { return None };
    Some(match letter.as_str() {
        "j" => Command::Select { forward: true },
        "k" => Command::Select { forward: false },
        "c" => Command::NewIssue,
        "e" => Command::Edit,
        "i" => Command::AssignToMe,
        "l" => Command::Show(Layout::List),
        "b" => Command::Show(Layout::Board),
        "/" => Command::Search,
        "]" => Command::Advance { forward: true },
        "[" => Command::Advance { forward: false },
        "1" => Command::Priority(Priority::Urgent),
        "2" => Command::Priority(Priority::High),
        "3" => Command::Priority(Priority::Medium),
        "4" => Command::Priority(Priority::Low),
        "0" => Command::Priority(Priority::None),
        _ => return None,
    })
}

/// Closes what is on top: a dialog, then the menu and the issue, then the search.
fn escape(mut ui: Ui) {
    if ui.overlay.peek().is_some() {
        ui.close_overlay();
    } else if *ui.has_menu.peek() {
        ui.has_menu.set(false);
    } else if ui.open.peek().is_some() {
        ui.open(None);
    } else {
        if !ui.filters.peek().search.is_empty() {
            ui.show(|screen| screen.search(""));
            ui.searches += 1;
        }
        ui.focus_list();
    }
}

pub(crate) fn is_letter(key: &Key, letter: &str) -> bool {
    matches!(key, Key::Character(it) if it.eq_ignore_ascii_case(letter))
}
