//! The page's worker, and the messages that it sends.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc;
use js_sys::{Array, Object, Reflect};
use livestore::schema::Schema;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Blob, BlobPropertyBag, ErrorEvent, MessageEvent, Url, Worker, WorkerOptions};

use crate::{OpenError, js, module};

/// Set in the worker by `worker.js`: the URL of the page.
pub(crate) const PAGE: &str = "livestorePage";

/// Set in the worker once a store is served there: `worker.js` looks at it.
pub(crate) const SERVED: &str = "livestoreServed";

/// What the name of a worker begins with.
const NAME: &str = "livestore";

const SCRIPT: &str = include_str!("worker.js");

/// What a worker is for, as its name says.
pub(crate) struct WorkerName {
    schema: String,
    pub(crate) store_id: String,
}

impl WorkerName {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut words = name.splitn(3, ' ');
        let is_ours = words.next()? == NAME;
        let (schema, store_id) = (words.next()?.to_owned(), words.next()?.to_owned());
        is_ours.then_some(Self { schema, store_id })
    }

    pub(crate) fn is_of<S: Schema>(&self) -> bool {
        self.schema == schema_of::<S>()
    }
}

/// Distinguishes schemas of one module.
fn schema_of<S: Schema>() -> String {
    std::any::type_name::<S>().replace(' ', "")
}

/// What a worker says.
pub(crate) enum Said {
    /// It opens the store as soon as nobody else leads.
    Ready,
    /// Nobody else leads: it opens the store now.
    Leads,
    /// The browser stores nothing; the reason.
    Denied(String),
    /// The store could not be opened; the reason.
    Failed(String),
    /// `main` serves no store of this schema.
    Unserved,
    /// The module could not be loaded; the reason.
    Unloaded(String),
}

impl Said {
    pub(crate) fn to_js(&self) -> JsValue {
        let (said, reason) = match self {
            Self::Ready => ("ready", None),
            Self::Leads => ("leads", None),
            Self::Denied(reason) => ("denied", Some(reason)),
            Self::Failed(reason) => ("failed", Some(reason)),
            Self::Unserved => ("unserved", None),
            Self::Unloaded(reason) => ("unloaded", Some(reason)),
        };
        let reason = reason.map_or(JsValue::NULL, |reason| JsValue::from(reason.as_str()));
        object(&[("said", &said.into()), ("reason", &reason)])
    }

    fn of(message: &JsValue) -> Option<Self> {
        let reason = js::member(message, "reason").and_then(|reason| reason.as_string());
        let reason = reason.unwrap_or_default();
        Some(match js::member(message, "said")?.as_string()?.as_str() {
            "ready" => Self::Ready,
            "leads" => Self::Leads,
            "denied" => Self::Denied(reason),
            "failed" => Self::Failed(reason),
            "unserved" => Self::Unserved,
            "unloaded" => Self::Unloaded(reason),
            _ => return None,
        })
    }
}

/// A worker, which ends when this is dropped.
pub(crate) struct Spawned {
    worker: Worker,
    script: String,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl Spawned {
    /// Starts the worker of a store, and returns what it says.
    pub(crate) fn start<S: Schema>(
        store_id: &str,
    ) -> Result<(Self, String, mpsc::UnboundedReceiver<Said>), OpenError> {
        let url = module::url().ok_or(OpenError::NoModuleUrl)?;
        let not_loaded = |error: JsValue| OpenError::WorkerNotLoaded {
            url: url.clone(),
            reason: js::text(&error),
        };
        let script = script().map_err(not_loaded)?;
        let options = WorkerOptions::new();
        options.set_type(web_sys::WorkerType::Module);
        options.set_name(&format!("{NAME} {} {store_id}", schema_of::<S>()));
        let worker = Worker::new_with_options(&script, &options).map_err(not_loaded)?;
        let (send, said) = mpsc::unbounded();
        let send = Rc::new(RefCell::new(send));
        let errors = Rc::clone(&send);
        let on_message = Closure::new(move |event: MessageEvent| {
            if let Some(said) = Said::of(&event.data()) {
                let _ = send.borrow().unbounded_send(said);
            }
        });
        let on_error = Closure::new(move |event: ErrorEvent| {
            let _ = errors.borrow().unbounded_send(Said::Unloaded(event.message()));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        let start = object(&[
            ("url", &url.as_str().into()),
            ("module", &wasm_bindgen::module()),
            ("page", &page_url().into()),
        ]);
        worker.post_message(&start).map_err(not_loaded)?;
        let spawned = Self { worker, script, _on_message: on_message, _on_error: on_error };
        Ok((spawned, url, said))
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.worker.terminate();
        let _ = Url::revoke_object_url(&self.script);
    }
}

fn page_url() -> String {
    web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default()
}

/// The URL of the script that a worker begins with.
fn script() -> Result<String, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("text/javascript");
    let parts = Array::of1(&SCRIPT.into());
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options)?;
    Url::create_object_url_with_blob(&blob)
}

fn object(members: &[(&str, &JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}
