//! The client in a page, and in its worker.

use std::cell::RefCell;

use js_sys::{Promise, Reflect, decode_uri_component, encode_uri_component, global};
use livestore::Store;
use livestore::schema::Schema;
use livestore::store::Builder;
use livestore_web::WorkerRequest;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::future_to_promise;

use crate::app::{Newer, Older};
use crate::client::{Client, Open};

thread_local! {
    /// Not there while it does something: commands come one after the other.
    static CLIENT: RefCell<Client> = RefCell::default();
}

/// Has the worker open its store, or the page answer commands.
pub(crate) fn run() {
    if livestore_web::worker(builder::<Older>) | livestore_web::worker(builder::<Newer>) {
        return;
    }
    let answer: Closure<dyn FnMut(String) -> Promise> = Closure::new(|line: String| {
        if line.contains("\"do\":\"open\"") {
            set_address(&line);
        }
        future_to_promise(async move {
            let mut client = CLIENT.take();
            let answer = client.answer(&line).await;
            CLIENT.set(client);
            Ok(answer.into())
        })
    });
    let _ = Reflect::set(&global(), &"answer".into(), &answer.into_js_value());
}

/// Puts the command into the page's address, where the worker finds it.
fn set_address(line: &str) {
    let address = format!("?{}", String::from(encode_uri_component(line)));
    let history = web_sys::window().and_then(|window| window.history().ok());
    if let Some(history) = history {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
    }
}

/// How the page opens the store that the worker is for.
fn builder<S: Schema>(request: WorkerRequest) -> Builder<S> {
    let open = request.page_url.split_once('?').and_then(|(_, line)| {
        let line = String::from(decode_uri_component(line).ok()?);
        serde_json::from_str::<Open>(&line).ok()
    });
    match open {
        Some(open) => open.builder(),
        None => Store::builder(request.store_id),
    }
}
