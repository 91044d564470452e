//! The screen: how the model looks, and which key does what.

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use livestore::live::{Reactive, Subscription};
use ratatui::crossterm::event::{self, KeyCode, KeyEvent, KeyModifiers};
use ratatui::prelude::*;
use ratatui::widgets::{Block, List, ListState, Paragraph, Tabs};

use crate::model::{Model, View};
use todo_schema::{Filter, Todo};

const LIST_KEYS: &str = "a add  space toggle  d delete  c clear completed  q quit";
const TYPING_KEYS: &str = "enter add  esc back to the list";

/// A reason for the screen to wake up.
enum Wake {
    Key(KeyEvent),
    /// The model has changed, by a key or by a commit from elsewhere, or the terminal was resized.
    Redraw,
    /// The terminal is gone, or the process got a signal to end.
    Quit(io::Result<()>),
}

/// Shows the model until the user quits, and restores the terminal, also after a panic.
pub fn run(mut model: Model) -> crate::Result<()> {
    let (wake, woken) = mpsc::sync_channel(1);
    let _guard = wake_on_change(&model, wake.clone());
    let quit = wake.clone();
    ctrlc::set_handler(move || _ = quit.send(Wake::Quit(Ok(()))))?;
    ratatui::run(|terminal| {
        thread::spawn(move || while wake.send(next_input()).is_ok() {});
        loop {
            terminal.draw(|frame| draw(frame, &model))?;
            match woken.recv()? {
                Wake::Key(key) if press(&mut model, key)?.is_break() => return Ok(()),
                Wake::Key(_) | Wake::Redraw => {}
                Wake::Quit(why) => return Ok(why?),
            }
        }
    })
}

/// If the channel is full, the screen is about to be drawn anyway.
fn wake_on_change(model: &Model, wake: SyncSender<Wake>) -> Subscription {
    model.view.subscribe(move |_| _ = wake.try_send(Wake::Redraw))
}

fn next_input() -> Wake {
    match event::read() {
        Ok(event) => event.as_key_press_event().map_or(Wake::Redraw, Wake::Key),
        Err(error) => Wake::Quit(Err(error)),
    }
}

/// Does what the key stands for; breaks to quit.
fn press(model: &mut Model, key: KeyEvent) -> livestore::Result<ControlFlow<()>> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    model.notice = None;
    match key.code {
        KeyCode::Char('c') if control => return Ok(ControlFlow::Break(())),
        KeyCode::Char('r') if control && !model.typing => model.redo()?,
        _ if control => {}

        KeyCode::Enter if model.typing => model.add()?,
        KeyCode::Esc if model.typing => model.typing = false,
        KeyCode::Char(char) if model.typing => model.edit_text(|text| text.push(char))?,
        KeyCode::Backspace if model.typing => model.edit_text(|text| _ = text.pop())?,
        _ if model.typing => {}

        KeyCode::Char('q') => return Ok(ControlFlow::Break(())),
        KeyCode::Char('a') => model.typing = true,
        KeyCode::Up | KeyCode::Char('k') => model.selected = model.selected().saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => model.selected = model.selected() + 1,
        KeyCode::Char(' ') => model.toggle()?,
        KeyCode::Char('d') => model.delete()?,
        KeyCode::Char('c') => model.clear_completed()?,
        KeyCode::Char('u') => model.undo()?,
        KeyCode::Char('1') => model.show(Filter::All)?,
        KeyCode::Char('2') => model.show(Filter::Active)?,
        KeyCode::Char('3') => model.show(Filter::Completed)?,
        _ => {}
    }
    Ok(ControlFlow::Continue(()))
}

fn draw(frame: &mut Frame<'_>, model: &Model) {
    use Constraint::{Fill, Length};
    let rows = Layout::vertical([Length(3), Fill(1), Length(1), Length(1)]);
    let [input, list, filters, keys] = rows.areas(frame.area());
    let view = model.view.get();
    draw_input(frame, input, &view.ui.new_todo_text, model.typing);
    draw_list(frame, list, model, &view);
    let tabs = Tabs::new(["1 All", "2 Active", "3 Completed"]); // as the variants of `Filter`
    frame.render_widget(tabs.select(view.ui.filter as usize), filters);
    frame.render_widget(Line::from(help(model, &view)).dim(), keys);
}

/// The keys that do something now, or what the last one did not do.
fn help(model: &Model, view: &View) -> String {
    match &model.notice {
        Some(notice) => notice.clone(),
        None if model.typing => TYPING_KEYS.to_owned(),
        None => {
            let undo = if view.can_undo { "  u undo" } else { "" };
            let redo = if view.can_redo { "  ^R redo" } else { "" };
            format!("{LIST_KEYS}{undo}{redo}")
        }
    }
}

/// The end of a long text is in view, as that is where typing goes on.
fn draw_input(frame: &mut Frame<'_>, area: Rect, text: &str, typing: bool) {
    let block = Block::bordered().title("What needs to be done?");
    let inside = block.inner(area);
    let text = Line::from(text);
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
    let cursor = width.min(inside.width.saturating_sub(1));
    frame.render_widget(Paragraph::new(text).scroll((0, width - cursor)).block(block), area);
    if typing {
        frame.set_cursor_position((inside.x + cursor, inside.y));
    }
}

fn draw_list(frame: &mut Frame<'_>, area: Rect, model: &Model, view: &View) {
    let mut block = Block::bordered().title(format!("todos: {} left{}", view.active, view.sync));
    if let Some(url) = &model.devtools {
        block = block.title_bottom(format!("devtools: {url}"));
    }
    let selected = (!model.typing).then(|| model.selected());
    let items = view.todos.iter().map(|todo| item(todo, view.pending.contains(&todo.id)));
    let list = List::new(items).block(block);
    let mut state = ListState::default().with_selected(selected);
    frame.render_stateful_widget(list.highlight_style(Modifier::REVERSED), area, &mut state);
}

/// What the backend does not have yet is in italics.
fn item(todo: &Todo, is_pending: bool) -> Line<'_> {
    let line = Line::from(todo.to_string());
    let line = if todo.completed { line.fg(Color::DarkGray) } else { line };
    if is_pending { line.italic() } else { line }
}

#[cfg(test)]
mod tests {
    use livestore::prelude::*;
    use livestore::sync::SyncOptions;
    use livestore::tools::NamedEvent;
    use livestore_sync::WebSocket;
    use ratatui::backend::TestBackend;

    use super::*;
    use todo_schema::{App, TodoEvent, UiState};

    /// A store in memory with the todos "one" and "two", of which "two" is done.
    fn store() -> Store<App> {
        let store = Store::builder("todos").open().unwrap();
        let created = |id: &str, at| TodoEvent::Created {
            id: id.to_owned(),
            text: id.to_owned(),
            created_at: Timestamp::from_millis(at),
        };
        let completed = TodoEvent::Completed { id: "two".to_owned() };
        store.commit([created("one", 1), created("two", 2), completed]).unwrap();
        store
    }

    fn model() -> Model {
        Model::new(store()).unwrap()
    }

    fn press_all(model: &mut Model, keys: &str) {
        for char in keys.chars() {
            let code = match char {
                '\n' => KeyCode::Enter,
                '\x08' => KeyCode::Backspace,
                '\x1b' => KeyCode::Esc,
                char => KeyCode::Char(char),
            };
            assert!(press(model, code.into()).unwrap().is_continue(), "{char:?} quits");
        }
    }

    fn control(key: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL)
    }

    /// Returns the last line of the screen.
    fn last_line(model: &Model) -> String {
        let screen = terminal(model, 90, 10).backend().to_string();
        screen.lines().last().unwrap().trim_matches(['"', ' ']).to_owned()
    }

    fn terminal(model: &Model, width: u16, height: u16) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, model)).unwrap();
        terminal
    }

    /// Returns the text in the list's box on the screen.
    fn listed(model: &Model) -> Vec<String> {
        let screen = terminal(model, 70, 10).backend().to_string();
        let rows = screen.lines().skip(4).take(3);
        let texts = rows.map(|row| row.trim_matches(['"', '│', ' ']).to_owned());
        texts.filter(|text| !text.is_empty()).collect()
    }

    fn names(store: &Store<App>) -> Vec<String> {
        let events = store.events().into_iter().map(|event| event.unwrap());
        let synced = events.filter(|event| !event.is_client_only());
        synced.map(|event| event.name.into_owned()).collect()
    }

    #[test]
    fn the_whole_screen() {
        let mut model = model();
        press_all(&mut model, "aBuy milk");
        let mut terminal = terminal(&model, 40, 9);
        let screen = terminal.backend().to_string();
        let rows: Vec<_> = screen.lines().map(|row| row.trim_matches('"')).collect();
        assert_eq!(
            rows,
            [
                "┌What needs to be done?────────────────┐",
                "│Buy milk                              │",
                "└──────────────────────────────────────┘",
                "┌todos: 1 left─────────────────────────┐",
                "│[ ] one                               │",
                "│[x] two                               │",
                "└──────────────────────────────────────┘",
                " 1 All │ 2 Active │ 3 Completed         ",
                "enter add  esc back to the list         ",
            ]
        );
        terminal.backend_mut().assert_cursor_position((9, 1));
    }

    #[test]
    fn typing_adds_a_todo() {
        let mut model = model();
        press_all(&mut model, "a quittx\x08ing \n");
        assert_eq!(listed(&model), ["[ ] one", "[x] two", "[ ] quitting"]);
        let view = model.view.get();
        assert_eq!((view.active, view.ui.new_todo_text.as_str()), (2, ""));
        press_all(&mut model, "  \n\x1b");
        assert_eq!(model.view.get().todos.len(), 3);
    }

    #[test]
    fn keys_act_on_the_selected_todo() {
        let mut model = model();
        press_all(&mut model, "jjj ");
        assert_eq!(listed(&model), ["[ ] one", "[ ] two"]);
        press_all(&mut model, "k d");
        assert_eq!(listed(&model), ["[ ] two"]);
        press_all(&mut model, "dd u");
        assert_eq!(listed(&model), ["[ ] two"]);
    }

    #[test]
    fn filters() {
        let mut model = model();
        press_all(&mut model, "2");
        assert_eq!(listed(&model), ["[ ] one"]);
        press_all(&mut model, " ");
        assert_eq!(listed(&model), [""; 0]);
        press_all(&mut model, "3");
        assert_eq!(listed(&model), ["[x] one", "[x] two"]);
        press_all(&mut model, "1");
        assert_eq!(listed(&model), ["[x] one", "[x] two"]);
    }

    #[test]
    fn clear_completed_takes_and_undo_gives_back_the_same_todos() {
        let mut model = model();
        press_all(&mut model, "jd");
        press_all(&mut model, "k c");
        assert_eq!(listed(&model), [""; 0]);
        press_all(&mut model, "u");
        assert_eq!(listed(&model), ["[x] one"]);
        press_all(&mut model, "uu");
        assert_eq!(listed(&model), ["[ ] one", "[x] two"]);
    }

    #[test]
    fn undo_compensates_and_the_log_keeps_both() {
        for (keys, event, compensation) in [
            (" ", "v1.TodoCompleted", "v1.TodoUncompleted"),
            ("j ", "v1.TodoUncompleted", "v1.TodoCompleted"),
            ("d", "v1.TodoDeleted", "v1.TodoRestored"),
            ("c", "v1.TodoClearedCompleted", "v1.TodoRestored"),
            ("athree\n\x1b", "v1.TodoCreated", "v1.TodoDeleted"),
        ] {
            let store = store();
            let before = names(&store);
            let mut model = Model::new(store.clone()).unwrap();
            press_all(&mut model, keys);
            assert_ne!(listed(&model), ["[ ] one", "[x] two"]);
            press_all(&mut model, "u");
            assert_eq!(listed(&model), ["[ ] one", "[x] two"]);
            assert_eq!(names(&store)[before.len()..], [event, compensation]);
            assert!(press(&mut model, control('r')).unwrap().is_continue());
            assert_ne!(listed(&model), ["[ ] one", "[x] two"]);
        }
    }

    #[test]
    fn the_keys_of_undo_and_redo_are_shown_when_they_do_something() {
        let mut model = Model::new(Store::builder("todos").open().unwrap()).unwrap();
        assert_eq!(last_line(&model), LIST_KEYS);
        press_all(&mut model, "aone\n\x1b");
        assert_eq!(last_line(&model), format!("{LIST_KEYS}  u undo"));
        press_all(&mut model, "u");
        assert_eq!(last_line(&model), format!("{LIST_KEYS}  ^R redo"));
        press_all(&mut model, "u");
        assert_eq!(last_line(&model), "there is nothing left to undo or redo");
        assert!(press(&mut model, control('r')).unwrap().is_continue());
        assert_eq!(last_line(&model), format!("{LIST_KEYS}  u undo"));
        assert_eq!(listed(&model), ["[ ] one"]);
    }

    #[test]
    fn what_was_changed_elsewhere_since_is_not_undone() {
        let store = store();
        let mut model = Model::new(store.clone()).unwrap();
        press_all(&mut model, " ");
        // The devtools are another window.
        let uncompleted = NamedEvent::new("v1.TodoUncompleted", r#"{"id":"one"}"#);
        store.tools().commit(&[uncompleted]).unwrap();
        press_all(&mut model, "u");
        assert_eq!(
            last_line(&model),
            "it was changed again since, so it cannot be undone or redone"
        );
        assert_eq!(listed(&model), ["[ ] one", "[x] two"]);
    }

    #[test]
    fn what_the_backend_does_not_have_is_in_italics() {
        let is_italic = |model: &Model| {
            let terminal = terminal(model, 40, 9);
            terminal.backend().buffer()[(1, 4)].modifier.contains(Modifier::ITALIC)
        };
        assert!(!is_italic(&model()));
        // Nobody listens there.
        let nobody = SyncOptions::new(WebSocket::new("ws://127.0.0.1:1"));
        let store = Store::<App>::builder("todos").sync(nobody).open().unwrap();
        let mut model = Model::new(store).unwrap();
        press_all(&mut model, "aone\n");
        assert!(is_italic(&model));
    }

    #[test]
    fn ui_state_outlives_the_screen() {
        let store = store();
        press_all(&mut Model::new(store.clone()).unwrap(), "2aBuy");
        let model = Model::new(store).unwrap();
        assert_eq!(listed(&model), ["[ ] one"]);
        assert_eq!(model.view.get().ui.new_todo_text, "Buy");
    }

    #[test]
    fn a_commit_from_elsewhere_wakes_the_screen_and_is_on_it() {
        let store = store();
        let model = Model::new(store.clone()).unwrap();
        let (wake, woken) = mpsc::sync_channel(1);
        let _guard = wake_on_change(&model, wake);
        let elsewhere = |events: Vec<TodoEvent>| {
            thread::scope(|scope| scope.spawn(|| store.commit(events)).join().unwrap().unwrap());
        };
        elsewhere(vec![TodoEvent::Completed { id: "one".to_owned() }]);
        assert!(matches!(woken.try_recv(), Ok(Wake::Redraw)));
        assert_eq!(listed(&model), ["[x] one", "[x] two"]);
        assert_eq!(model.view.get().active, 0);

        // Nothing that is shown has changed.
        elsewhere(vec![TodoEvent::Completed { id: "one".to_owned() }]);
        assert!(woken.try_recv().is_err());

        // However many changes there are, they are one thing to do.
        for id in ["one", "two"] {
            elsewhere(vec![TodoEvent::Uncompleted { id: id.to_owned() }]);
        }
        assert_eq!(woken.try_iter().count(), 1);
        assert_eq!(listed(&model), ["[ ] one", "[ ] two"]);
    }

    #[test]
    fn the_filter_drives_the_list_whoever_sets_it() {
        let store = store();
        let model = Model::new(store.clone()).unwrap();
        store.commit(UiState::set().filter(Filter::Completed)).unwrap();
        assert_eq!(listed(&model), ["[x] two"]);
        store.commit(TodoEvent::Completed { id: "one".to_owned() }).unwrap();
        assert_eq!(listed(&model), ["[x] one", "[x] two"]);
    }

    #[test]
    fn the_selection_stays_in_a_list_that_others_shorten() {
        let store = store();
        let mut model = Model::new(store.clone()).unwrap();
        press_all(&mut model, "j");
        store.commit(TodoEvent::Deleted { id: "two".to_owned(), deleted_at: now() }).unwrap();
        press_all(&mut model, " ");
        assert_eq!(listed(&model), ["[x] one"]);
    }

    #[test]
    fn what_quits() {
        let mut model = model();
        let (control_c, control_d) = (control('c'), control('d'));
        assert!(press(&mut model, KeyCode::Char('q').into()).unwrap().is_break());
        assert!(press(&mut model, control_d).unwrap().is_continue());
        assert!(press(&mut model, control_c).unwrap().is_break());
        press_all(&mut model, "aq");
        assert!(press(&mut model, control_c).unwrap().is_break());
        let view = model.view.get();
        assert_eq!((view.ui.new_todo_text.as_str(), view.todos.len()), ("q", 2));
    }

    #[test]
    fn any_text_fits_any_screen() {
        let mut model = model();
        press_all(&mut model, "a日本語 👨‍👩‍👧 and a text that is longer than the screen is wide");
        for (width, height) in [(0, 0), (1, 1), (2, 2), (3, 9), (9, 3), (20, 8)] {
            terminal(&model, width, height);
        }
        let screen = terminal(&model, 20, 8).backend().to_string();
        assert!(screen.contains("│he screen is wide │"), "{screen}");
    }
}
