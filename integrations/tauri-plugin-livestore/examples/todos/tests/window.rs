//! The window may do what its capability says, and its page knows the types of the schema.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::path::Path;

use livestore::prelude::*;
use livestore_testing::StoreDirectory;
use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{Manager as _, WebviewWindow};
use tauri_plugin_livestore::Types;
use todo_schema::Todo;

fn call(window: &WebviewWindow<MockRuntime>, command: &str, args: Value) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: format!("plugin:livestore|{command}"),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: "tauri://localhost".parse().unwrap(),
        body: InvokeBody::Json(args),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|answer| answer.deserialize().unwrap())
}

#[test]
fn what_the_page_commits_is_shown() {
    let directory = StoreDirectory::new("todos");
    let app = mock_builder().build(tauri_todos::context()).unwrap();
    tauri_todos::start(app.handle(), directory.path()).unwrap();
    let window = app.get_webview_window("main").unwrap();
    let milk = json!({ "id": "a", "text": "Milk", "createdAt": "2026-11-27T12:00:00.000Z" });
    let events = json!({ "events": [{ "name": "v1.TodoCreated", "args": milk }] });
    assert_eq!(call(&window, "commit", events), Ok(json!(["e1"])));
    let todos = call(&window, "query", json!({ "query": "todos", "params": "active" })).unwrap();
    assert_eq!(todos[0]["text"], "Milk");
}

#[test]
fn the_page_has_the_types_of_the_schema() {
    let lock = include_str!("../../../../../examples/todo/schema/livestore.lock");
    let todo = Todo {
        id: String::new(),
        text: String::new(),
        completed: false,
        created_at: now(),
        deleted_at: None,
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/livestore.ts");
    Types::of(lock).row("Todo", &todo).check(file);
}
