//! TodoMVC in a browser, with Leptos. In this crate's folder:
//!
//! ```sh
//! cargo build --example todos-leptos --target wasm32-unknown-unknown
//! wasm-bindgen --target web --out-dir examples/pkg ../target/wasm32-unknown-unknown/debug/examples/todos-leptos.wasm
//! ```
//!
//! Then serve the folder `examples`. The todos are stored in the browser, and shared between its tabs.

use leptos::prelude::*;
use livestore::schema::Document as _;
use livestore::{new_id, now};
use livestore_leptos::{Row, use_document, use_live, use_rows, use_store};
use todo_schema::{App, Filter, Todo, TodoEvent, UiState};

fn main() {
    let builder = |id: &str| livestore::Store::<App>::builder(id);
    if livestore_web::worker(move |request| builder(&request.store_id)) {
        return;
    }
    if cfg!(not(target_family = "wasm")) {
        return eprintln!(
            "This is for a browser: the first lines of its source say how to build it."
        );
    }
    wasm_bindgen_futures::spawn_local(async move {
        let store = livestore_web::open(builder("todos")).await.expect("the store can be opened");
        leptos::mount::mount_to_body(move || {
            livestore_leptos::provide_store(store);
            view! { <Page /> }
        });
    });
}

#[component]
fn Page() -> impl IntoView {
    view! {
        <h1>"todos"</h1>
        <NewTodo />
        <Todos />
    }
}

#[component]
fn NewTodo() -> impl IntoView {
    let store = use_store::<App>();
    let (ui, set_ui) = use_document::<App, UiState>(&store);
    let text = move || ui.get().map(|ui| ui.new_todo_text.clone()).unwrap_or_default();
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let created = TodoEvent::created(&new_id(), &text());
        report(store.commit((created, UiState::set().new_todo_text(""))));
    };
    view! {
        <form on:submit=add>
            <input
                placeholder="What needs to be done?"
                prop:value=text
                on:input=move |event| {
                    report(set_ui.set(|set| set.new_todo_text(event_target_value(&event))));
                }
            />
        </form>
    }
}

#[component]
fn Todos() -> impl IntoView {
    let store = use_store::<App>();
    let (ui, set_ui) = use_document::<App, UiState>(&store);
    let filter = Memo::new(move |_| ui.get().map(|ui| ui.filter).unwrap_or_default());
    let todos = use_rows(&store, move || filter.get().todos(), |todo| todo.id.clone());
    let open = use_live(&store, || Filter::Active.todos().count());
    let filters = [("all", Filter::All), ("active", Filter::Active), ("done", Filter::Completed)];
    let button = move |(name, shown)| {
        let set_ui = set_ui.clone();
        view! {
            <button
                disabled=move || filter.get() == shown
                on:click=move |_| report(set_ui.set(|set| set.filter(shown)))
            >
                {name}
            </button>
        }
    };
    view! {
        <ErrorBoundary fallback=|errors| view! { <pre>{format!("{:?}", errors.get())}</pre> }>
            // Why the list cannot be shown, if so.
            {move || todos.with(|todos| todos.as_ref().map(|_| ()).map_err(Clone::clone))}
            <ul>
                <For each=move || todos.get().unwrap_or_default() key=|(id, _)| id.clone() let((id, todo))>
                    <TodoView id todo />
                </For>
            </ul>
            {move || open.get().map(|open| format!("{} open: ", **open))}
            {filters.map(button).collect_view()}
        </ErrorBoundary>
    }
}

/// One todo. When it changes, its text and its mark are rendered again, and nothing else.
#[component]
fn TodoView(id: String, todo: Row<Todo>) -> impl IntoView {
    let store = use_store::<App>();
    let (shown, completed) = (todo.clone(), todo);
    let toggle = {
        let (store, id) = (store.clone(), id.clone());
        move |event| {
            let id = id.clone();
            report(store.commit(match event_target_checked(&event) {
                true => TodoEvent::Completed { id },
                false => TodoEvent::Uncompleted { id },
            }));
        }
    };
    let delete =
        move |_| report(store.commit(TodoEvent::Deleted { id: id.clone(), deleted_at: now() }));
    view! {
        <li>
            <input type="checkbox" prop:checked=move || completed.get().completed on:input=toggle />
            {move || shown.get().text.clone()}
            " "
            <button on:click=delete>"×"</button>
        </li>
    }
}

/// Says what could not be committed.
fn report<T>(committed: Result<T, livestore::store::CommitError>) {
    if let Err(error) = committed {
        leptos::logging::error!("{}", livestore::ErrorChain::new(&error));
    }
}
