//! What JavaScript says, in words.

use std::time::Duration;

use js_sys::{Function, Promise, Reflect, global};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::Usage;

/// What was thrown, for people.
pub(crate) fn text(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.to_string()),
        None => thrown.as_string().unwrap_or_else(|| format!("{thrown:?}")),
    }
}

/// A member of an object, if it has it.
pub(crate) fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    let found = Reflect::get(object, &name.into()).ok()?;
    (!found.is_undefined() && !found.is_null()).then_some(found)
}

/// Calls a method that returns a promise, and waits for that.
pub(crate) async fn call(object: &JsValue, method: &str) -> Result<JsValue, JsValue> {
    let function: Function = Reflect::get(object, &method.into())?.dyn_into()?;
    let promise: Promise = function.call0(object)?.dyn_into()?;
    JsFuture::from(promise).await
}

/// Runs this at the end of the page's current task.
pub(crate) fn soon(run: impl FnOnce() + 'static) {
    let run = Closure::once_into_js(run);
    let queue = member(&global(), "queueMicrotask").and_then(|it| it.dyn_into::<Function>().ok());
    if let Some(queue) = queue {
        let _ = queue.call1(&JsValue::UNDEFINED, &run);
    }
}

/// Waits, in a page or a worker.
pub(crate) async fn sleep(duration: Duration) {
    let millis = f64::from(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX));
    let promise = Promise::new(&mut |resolve, _| {
        let timer = member(&global(), "setTimeout").and_then(|it| it.dyn_into::<Function>().ok());
        if let Some(set) = timer {
            let _ = set.call2(&JsValue::UNDEFINED, &resolve, &millis.into());
        }
    });
    let _ = JsFuture::from(promise).await;
}

/// `navigator.storage`.
pub(crate) fn storage() -> Option<JsValue> {
    member(&member(&global(), "navigator")?, "storage")
}

pub(crate) async fn persist() -> Option<bool> {
    call(&storage()?, "persist").await.ok()?.as_bool()
}

pub(crate) async fn usage() -> Option<Usage> {
    let estimate = call(&storage()?, "estimate").await.ok()?;
    let bytes = |name| member(&estimate, name)?.as_f64();
    Some(Usage { used: bytes("usage")?, quota: bytes("quota")? })
}
