//! The app: opens the store, turns what people do into events, and shows what follows.

use std::error::Error;

use futures_util::StreamExt as _;
use livestore::prelude::*;
use livestore::schema::Commit;
use livestore::store::Builder;
use livestore::sync::{NetworkStatus, SyncOptions};
use livestore_sync::{Http, WebSocket};
use todo_schema::{App, Filter, Todo, TodoEvent, UiState};
use web_sys::Url;

use crate::page::{Action, Page};
use crate::view::View;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The port of the backend, if the page's address does not say which one: `?sync=wss://…`.
const SYNC_PORT: u16 = 8787;

/// Opens the store and follows it, for as long as there is the page.
pub(crate) async fn run() -> Result<()> {
    let page = Page::find()?;
    let url = page.url()?;
    let store_id = parameter(&url, "store").unwrap_or_else(|| "todos".to_owned());
    let store = livestore_web::open(builder(store_id, &url)).await?;
    page.show_storage(&livestore_web::storage(&store));
    let acting = store.clone();
    page.listen(move |action| act(&acting, action).map_err(|error| error.to_string()))?;
    let mut views = View::of(&store)?.stream();
    while let Some(view) = views.next().await {
        page.show(&view)?;
    }
    Ok(())
}

/// How the store is opened: in the page, and in the worker that has its files.
pub(crate) fn builder(store_id: String, page_url: &str) -> Builder<App> {
    Store::<App>::builder(store_id).sync(sync(page_url))
}

fn sync(page_url: &str) -> SyncOptions {
    let default = || {
        let host = Url::new(page_url).map(|url| url.hostname()).unwrap_or_default();
        format!("ws://{host}:{SYNC_PORT}")
    };
    let url = parameter(page_url, "sync").unwrap_or_else(default);
    match url.starts_with("http") {
        true => SyncOptions::new(Http::new(url)),
        false => SyncOptions::new(WebSocket::new(url)),
    }
}

/// A parameter of a page's address: `?name=value`.
fn parameter(url: &str, name: &str) -> Option<String> {
    Url::new(url).ok()?.search_params().get(name)
}

fn act(store: &Store<App>, action: Action) -> Result<()> {
    match action {
        Action::Type(text) => commit(store, UiState::set().new_todo_text(text)),
        Action::Add => add(store),
        Action::Toggle(id) => toggle(store, id),
        Action::Delete(id) => commit(store, TodoEvent::Deleted { id, deleted_at: now() }),
        Action::Show(filter) => commit(store, UiState::set().filter(filter)),
        Action::ClearCompleted => commit(store, TodoEvent::ClearedCompleted { deleted_at: now() }),
        Action::PauseOrResume => {
            match store.network_status()? {
                NetworkStatus::Paused | NetworkStatus::Stopped(_) => store.resume_sync(),
                _ => store.pause_sync(),
            }
            Ok(())
        }
    }
}

/// Adds a todo with the text typed, which is then empty.
fn add(store: &Store<App>) -> Result<()> {
    let text = store.query(UiState::get())?.new_todo_text;
    match TodoEvent::created(&new_id(), &text) {
        Some(created) => commit(store, (created, UiState::set().new_todo_text(""))),
        None => Ok(()),
    }
}

fn toggle(store: &Store<App>, id: String) -> Result<()> {
    let todo = store.query(Filter::All.todos().filter(Todo::ID.eq(&id)).optional())?;
    match todo {
        Some(todo) if todo.completed => commit(store, TodoEvent::Uncompleted { id }),
        Some(_) => commit(store, TodoEvent::Completed { id }),
        // Somebody else has deleted it meanwhile.
        None => Ok(()),
    }
}

fn commit(store: &Store<App>, events: impl Commit<App>) -> Result<()> {
    store.commit(events)?;
    Ok(())
}
