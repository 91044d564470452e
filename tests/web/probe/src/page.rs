//! Commands to the store in a page: its function `answer` takes one, and promises what the store is then.

use std::cell::RefCell;

use js_sys::{Promise, Reflect, global};
use serde_json::{Value, json};
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::future_to_promise;

use crate::images::{Client, builder_of};

thread_local! {
    /// Not there while it does something: commands come one after the other.
    static CLIENT: RefCell<Client> = RefCell::default();
}

/// Has the page answer commands.
pub(crate) fn answer_commands() -> Value {
    let answer: Closure<dyn FnMut(String) -> Promise> = Closure::new(|command: String| {
        future_to_promise(async move {
            let mut client = CLIENT.take();
            let builder = page_url().and_then(|url| builder_of(&url));
            let answer = client.answer(&command, builder).await;
            CLIENT.set(client);
            Ok(answer.to_string().into())
        })
    });
    let _ = Reflect::set(&global(), &"answer".into(), &answer.into_js_value());
    json!({})
}

fn page_url() -> Option<String> {
    let location = Reflect::get(&global(), &"location".into()).ok()?;
    Reflect::get(&location, &"href".into()).ok()?.as_string()
}
