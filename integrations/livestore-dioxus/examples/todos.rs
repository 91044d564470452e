//! TodoMVC in a browser, with Dioxus: `dx serve --platform web --example todos-dioxus`.
//!
//! The todos are stored in the browser, and shared between its tabs.

use dioxus::prelude::*;
use livestore::schema::Document as _;
use livestore::{new_id, now};
use livestore_dioxus::{Row, use_document, use_live, use_rows_with, use_store};
use todo_schema::{App, Filter, Todo, TodoEvent, UiState};

fn main() {
    let builder = |id: &str| livestore::Store::<App>::builder(id);
    if livestore_web::worker(move |request| builder(&request.store_id)) {
        return;
    }
    if cfg!(not(target_family = "wasm")) {
        return eprintln!(
            "This is for a browser: `dx serve --platform web --example todos-dioxus`."
        );
    }
    wasm_bindgen_futures::spawn_local(async move {
        let store = livestore_web::open(builder("todos")).await.expect("the store can be opened");
        // The feature `web`, which only a browser's build has.
        #[cfg(target_family = "wasm")]
        LaunchBuilder::web().with_context(store).launch(app);
        #[cfg(not(target_family = "wasm"))]
        drop(VirtualDom::new(app).with_root_context(store));
    });
}

fn app() -> Element {
    rsx! {
        ErrorBoundary {
            handle_error: |errors: ErrorContext| rsx! { pre { "{errors:?}" } },
            h1 { "todos" }
            NewTodo {}
            Todos {}
        }
    }
}

#[component]
fn NewTodo() -> Element {
    let store = use_store::<App>();
    let ui = use_document::<App, UiState>(store);
    let add = move |event: FormEvent| {
        event.prevent_default();
        let created = TodoEvent::created(&new_id(), &ui.get()?.new_todo_text);
        store().commit((created, UiState::set().new_todo_text("")))?;
        Ok(())
    };
    rsx! {
        form { onsubmit: add,
            input {
                placeholder: "What needs to be done?",
                value: "{ui.get()?.new_todo_text}",
                oninput: move |event| Ok(ui.set(|set| set.new_todo_text(event.value()))?),
            }
        }
    }
}

#[component]
fn Todos() -> Element {
    let store = use_store::<App>();
    let ui = use_document::<App, UiState>(store);
    let filter = move || ui.get().map(|ui| ui.filter).unwrap_or_default();
    let todos = use_rows_with(store, move || filter().todos(), |todo| todo.id.clone());
    let open = use_live(store, Filter::Active.todos().count());
    rsx! {
        ul {
            for (id, todo) in todos()?.iter().cloned() {
                TodoView { key: "{id}", todo }
            }
        }
        "{**open()?} open: "
        for (name, shown) in [("all", Filter::All), ("active", Filter::Active), ("done", Filter::Completed)] {
            button {
                disabled: filter() == shown,
                onclick: move |_| Ok(ui.set(|set| set.filter(shown))?),
                "{name}"
            }
        }
    }
}

/// One todo, which is drawn again when it changes, whatever happens to the others.
#[component]
fn TodoView(todo: Row<Todo>) -> Element {
    let store = use_store::<App>();
    let shown = todo.get();
    let toggle = {
        let id = shown.id.clone();
        move |event: FormEvent| {
            let id = id.clone();
            store().commit(match event.checked() {
                true => TodoEvent::Completed { id },
                false => TodoEvent::Uncompleted { id },
            })?;
            Ok(())
        }
    };
    let delete = move |_| {
        store().commit(TodoEvent::Deleted { id: todo.peek().id.clone(), deleted_at: now() })?;
        Ok(())
    };
    rsx! {
        li {
            input { r#type: "checkbox", checked: shown.completed, oninput: toggle }
            "{shown.text} "
            button { onclick: delete, "×" }
        }
    }
}
