//! Todos in a window: `npm install && npm run build`, then `cargo run --features desktop`.

use std::error::Error;
use std::path::Path;

use livestore::prelude::*;
use tauri::{AppHandle, Context, Runtime, WebviewWindowBuilder};
use todo_schema::{App, Filter, UiState};

/// What Tauri makes of `tauri.conf.json`, the page and the capabilities.
pub fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!()
}

/// Opens the store in the directory, and then the windows, which show it.
///
/// # Errors
/// When the store or a window cannot be opened.
pub fn start<R: Runtime>(app: &AppHandle<R>, directory: &Path) -> Result<(), Box<dyn Error>> {
    let store = Store::<App>::builder("todos").directory(directory).open()?;
    let livestore = tauri_plugin_livestore::Builder::new(store)
        .list("todos", |filter: Filter| filter.todos())
        .value("open", |()| Filter::Active.todos().count())
        .document::<UiState>();
    app.plugin(livestore.build())?;
    for window in &app.config().app.windows {
        WebviewWindowBuilder::from_config(app, window)?.build()?;
    }
    Ok(())
}
