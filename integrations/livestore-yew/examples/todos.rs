//! TodoMVC in a browser, with Yew. In this crate's folder:
//!
//! ```sh
//! cargo build --example todos-yew --target wasm32-unknown-unknown
//! wasm-bindgen --target web --out-dir examples/pkg ../target/wasm32-unknown-unknown/debug/examples/todos-yew.wasm
//! ```
//!
//! Then serve the folder `examples`. The todos are stored in the browser, and shared between its tabs.

use livestore::live::SharedRow;
use livestore::schema::Document as _;
use livestore::{new_id, now};
use livestore_yew::{use_document, use_live, use_store};
use todo_schema::{App, Filter, Todo, TodoEvent, UiState};
use yew::prelude::*;
use yew::virtual_dom::VNode;

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
        let children = yew::html::ChildrenRenderer::new(vec![html! { <Page /> }]);
        let props = livestore_yew::StoreProviderProps { store, children };
        yew::Renderer::<livestore_yew::StoreProvider<App>>::with_props(props).render();
    });
}

#[component]
fn Page() -> Html {
    html! { <><h1>{ "todos" }</h1><NewTodo /><Todos /></> }
}

#[component]
fn NewTodo() -> Html {
    let store = use_store::<App>();
    let ui = use_document::<App, UiState>(&store);
    let text = match ui.get() {
        Ok(ui) => ui.new_todo_text.clone(),
        Err(error) => return failure(&*error),
    };
    let add = {
        let text = text.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            let created = TodoEvent::created(&new_id(), &text);
            report(store.commit((created, UiState::set().new_todo_text(""))));
        }
    };
    let r#type = move |event: InputEvent| {
        let input: web_sys::HtmlInputElement = event.target_unchecked_into();
        report(ui.set(|set| set.new_todo_text(input.value())));
    };
    html! {
        <form onsubmit={add}>
            <input placeholder="What needs to be done?" value={text} oninput={r#type} />
        </form>
    }
}

#[component]
fn Todos() -> Html {
    let store = use_store::<App>();
    let ui = use_document::<App, UiState>(&store);
    let filter = ui.get().map(|ui| ui.filter).unwrap_or_default();
    let todos = use_live(&store, filter.todos());
    let open = use_live(&store, Filter::Active.todos().count());
    let todo =
        |todo: &SharedRow<Todo>| html! { <TodoView key={todo.id.clone()} todo={todo.clone()} /> };
    let button = |(name, shown)| {
        let ui = ui.clone();
        let show = move |_| report(ui.set(|set| set.filter(shown)));
        html! { <button disabled={filter == shown} onclick={show}>{ name }</button> }
    };
    let filters = [("all", Filter::All), ("active", Filter::Active), ("done", Filter::Completed)];
    html! {
        <>
            <ul>
                { todos.map_or_else(|error| failure(&*error), |todos| todos.iter().map(todo).collect()) }
            </ul>
            { open.map_or_else(|error| failure(&*error), |open| html! { { format!("{} open: ", **open) } }) }
            { for filters.into_iter().map(button) }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct TodoProps {
    todo: SharedRow<Todo>,
}

/// One todo, which is rendered again when it changes, whatever happens to the others.
#[component]
fn TodoView(props: &TodoProps) -> Html {
    let store = use_store::<App>();
    let todo = props.todo.clone();
    let toggle = {
        let (store, id, completed) = (store.clone(), todo.id.clone(), todo.completed);
        move |_: InputEvent| {
            let id = id.clone();
            report(store.commit(match completed {
                true => TodoEvent::Uncompleted { id },
                false => TodoEvent::Completed { id },
            }));
        }
    };
    let deleted = {
        let id = todo.id.clone();
        move |_| report(store.commit(TodoEvent::Deleted { id: id.clone(), deleted_at: now() }))
    };
    html! {
        <li>
            <input type="checkbox" checked={todo.completed} oninput={toggle} />
            { &todo.text }{ " " }
            <button onclick={deleted}>{ "×" }</button>
        </li>
    }
}

fn failure(error: &(dyn std::error::Error + 'static)) -> VNode {
    html! { <pre>{ livestore::ErrorChain::new(error).to_string() }</pre> }
}

/// Says what could not be committed.
fn report<T>(committed: Result<T, livestore::store::CommitError>) {
    if let Err(error) = committed {
        web_sys::console::error_1(&livestore::ErrorChain::new(&error).to_string().into());
    }
}
