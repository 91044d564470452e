//! Todos in a terminal. `SYNC_URL=ws://127.0.0.1:8787` syncs them with a backend, such as the one that
//! `livestore server` runs.

mod schema;

use std::error::Error;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use livestore::live::{self, LiveQuery, Reactive};
use livestore::prelude::*;
use livestore_sync::WebSocket;
use ratatui::Frame;
use ratatui::crossterm::event::{self, KeyCode, KeyEvent};
use ratatui::prelude::*;
use ratatui::widgets::{Block, List, ListState, Paragraph};

use schema::{App, Todo, TodoEvent};

/// A reason to look at the screen again.
enum Wake {
    Key(KeyEvent),
    Redraw,
}

struct Model {
    store: Store<App>,
    todos: LiveQuery<live::List<Todo>>,
    text: String,
    selected: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut builder = Store::<App>::builder("todos").directory("./data");
    if let Ok(url) = std::env::var("SYNC_URL") {
        builder = builder.sync(WebSocket::new(url));
    }
    let store = builder.open()?;
    let todos = store.live(Todo::all().order_by(Todo::CREATED_AT.asc()))?;
    let mut model = Model { store, todos, text: String::new(), selected: 0 };

    let (wake, woken) = mpsc::sync_channel(1);
    let redraw = wake.clone();
    // If the channel is full, the screen is about to be drawn anyway.
    let _guard = model.todos.subscribe(move |_| _ = redraw.try_send(Wake::Redraw));
    thread::spawn(move || read_keys(&wake));
    ratatui::run(|terminal| {
        loop {
            terminal.draw(|frame| model.draw(frame))?;
            match woken.recv()? {
                Wake::Key(key) if key.code == KeyCode::Esc => return Ok(()),
                Wake::Key(key) => model.press(key)?,
                Wake::Redraw => {}
            }
        }
    })
}

fn read_keys(wake: &SyncSender<Wake>) {
    while let Ok(event) = event::read() {
        let message = event.as_key_press_event().map_or(Wake::Redraw, Wake::Key);
        if wake.send(message).is_err() {
            return;
        }
    }
}

impl Model {
    fn press(&mut self, key: KeyEvent) -> livestore::Result<()> {
        let todos = self.todos.get();
        self.selected = self.selected.min(todos.len().saturating_sub(1));
        let selected = todos.get(self.selected).map(|todo| (todo.id.clone(), todo.completed));
        match (key.code, selected) {
            (KeyCode::Char(char), _) => self.text.push(char),
            (KeyCode::Backspace, _) => _ = self.text.pop(),
            (KeyCode::Up, _) => self.selected = self.selected.saturating_sub(1),
            (KeyCode::Down, _) => self.selected += 1,
            (KeyCode::Enter, _) if !self.text.trim().is_empty() => {
                let text = std::mem::take(&mut self.text);
                self.store.commit(TodoEvent::Created { id: new_id(), text, created_at: now() })?;
            }
            (KeyCode::Enter, Some((id, completed))) => {
                self.store.commit(TodoEvent::Toggled { id, completed: !completed })?;
            }
            (KeyCode::Delete, Some((id, _))) => _ = self.store.commit(TodoEvent::Deleted { id })?,
            _ => {}
        }
        Ok(())
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        let rows = Layout::vertical([Constraint::Length(3), Constraint::Fill(1), Constraint::Length(1)]);
        let [input, list, help] = rows.areas(frame.area());
        let title = Block::bordered().title("What needs to be done?");
        frame.render_widget(Paragraph::new(&*self.text).block(title), input);
        let todos = self.todos.get();
        let items = todos.iter().map(|todo| {
            let mark = if todo.completed { "[x]" } else { "[ ]" };
            format!("{mark} {}", todo.text)
        });
        let items = List::new(items).highlight_style(Modifier::REVERSED).block(Block::bordered());
        let selected = self.selected.min(todos.len().saturating_sub(1));
        let mut state = ListState::default().with_selected(Some(selected));
        frame.render_stateful_widget(items, list, &mut state);
        let keys = "enter adds the text, or toggles a todo   delete   esc quits";
        frame.render_widget(Line::from(keys).dim(), help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_todo_is_added_and_done() -> livestore::Result<()> {
        let store = Store::<App>::builder("todos").open()?;
        let id = new_id();
        let text = "Buy milk".to_owned();
        store.commit(TodoEvent::Created { id: id.clone(), text, created_at: now() })?;
        store.commit(TodoEvent::Toggled { id, completed: true })?;
        let todos = store.query(Todo::all())?;
        assert!(todos.iter().all(|todo| todo.completed) && todos.len() == 1);
        Ok(())
    }
}
