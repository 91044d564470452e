//! Devtools in a second tab of an app that runs in a browser.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Array, JSON, Object, Reflect};
use livestore::new_id;
use livestore::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Blob, BlobPropertyBag, BroadcastChannel, MessageEvent, Url, Window};

use crate::host::{Conversation, Host};
use crate::page::PAGE;

/// How often pages are notified of what is new, in milliseconds.
const TICK: i32 = 100;

/// The host's name on the channel, and everybody's.
const HOST: &str = "host";
const EVERYBODY: &str = "*";

thread_local! {
    /// The devtools that are open.
    static SERVED: RefCell<Vec<Rc<Served>>> = const { RefCell::new(Vec::new()) };
}

/// Why the devtools were not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenTabError {
    /// The browser let no tab be opened.
    #[error("the browser has blocked the devtools' tab; call `open_tab` from a click or a key")]
    Blocked,
    /// There is no window here, or no channel between tabs.
    #[error("the devtools cannot be opened here: {reason}")]
    Unsupported {
        /// The browser's reason.
        reason: String,
    },
}

/// Opens the devtools of a store in a new tab, which talks to this one. Call it from a click or a key: a
/// browser blocks tabs that open by themselves. The devtools end with the store, or with this tab.
///
/// Their calls are answered on the page's thread: while a long query of theirs runs, the app waits.
///
/// # Errors
/// When the browser lets no tab be opened.
pub fn open_tab<S: Schema>(store: &Store<S>) -> Result<(), OpenTabError> {
    let window = web_sys::window().ok_or_else(|| unsupported("there is no window"))?;
    let name = format!("livestore-devtools {}", new_id());
    let channel = BroadcastChannel::new(&name).map_err(|error| unsupported(&text(&error)))?;
    serve(&window, channel, store).map_err(|error| unsupported(&text(&error)))?;
    let url = page_url().map_err(|error| unsupported(&text(&error)))?;
    let opened = window.open_with_url_and_target(&format!("{url}#channel={name}"), "_blank");
    opened.ok().flatten().map(drop).ok_or(OpenTabError::Blocked)
}

/// The devtools of one store.
struct Served {
    channel: BroadcastChannel,
    host: Arc<Host>,
    pages: RefCell<HashMap<String, Conversation>>,
    /// JavaScript calls them for as long as they are here.
    _calls: RefCell<Option<Calls>>,
}

struct Calls {
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_tick: Closure<dyn FnMut()>,
}

fn serve<S: Schema>(
    window: &Window,
    channel: BroadcastChannel,
    store: &Store<S>,
) -> Result<(), JsValue> {
    let served = Rc::new(Served {
        channel,
        host: Host::new(store),
        pages: RefCell::default(),
        _calls: RefCell::default(),
    });
    let theirs = Rc::downgrade(&served);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(served) = theirs.upgrade() {
            served.receive(&event.data());
        }
    });
    served.channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    let (theirs, weak) = (Rc::downgrade(&served), store.downgrade());
    let on_tick = Closure::<dyn FnMut()>::new(move || {
        let Some(served) = theirs.upgrade() else { return };
        if weak.upgrade().is_some_and(|store| store.head().is_ok()) {
            served.notify();
        } else {
            served.post(EVERYBODY, &"gone".into());
            SERVED.with_borrow_mut(|all| all.retain(|other| !Rc::ptr_eq(other, &served)));
        }
    });
    let tick = on_tick.as_ref().unchecked_ref();
    window.set_interval_with_callback_and_timeout_and_arguments_0(tick, TICK)?;
    *served._calls.borrow_mut() = Some(Calls { _on_message: on_message, _on_tick: on_tick });
    served.post(EVERYBODY, &"here".into());
    SERVED.with_borrow_mut(|all| all.push(served));
    Ok(())
}

impl Served {
    /// Handles a message on the channel: `{ from, to, message }`.
    fn receive(&self, envelope: &JsValue) {
        let field = |name: &str| Reflect::get(envelope, &name.into()).unwrap_or_default();
        let (Some(from), Some(to)) = (field("from").as_string(), field("to").as_string()) else {
            return;
        };
        if to != HOST {
            return;
        }
        let message = field("message");
        match message.as_string().as_deref() {
            Some("here") => {
                self.pages.borrow_mut().insert(from.clone(), self.host.converse());
                self.post(&from, &"here".into());
            }
            Some("gone") => drop(self.pages.borrow_mut().remove(&from)),
            text => {
                // As a text it has numbers that an object has not.
                let text = text.map(str::to_owned);
                let call = text.or_else(|| JSON::stringify(&message).ok().map(String::from));
                let answer = call
                    .and_then(|call| self.pages.borrow().get(&from).map(|page| page.answer(&call)));
                if let Some(answer) = answer {
                    self.post(&from, &answer.into());
                }
            }
        }
    }

    fn notify(&self) {
        for (page, conversation) in &*self.pages.borrow() {
            for news in conversation.notifications() {
                self.post(page, &news.into());
            }
        }
    }

    fn post(&self, to: &str, message: &JsValue) {
        let envelope = Object::new();
        for (name, value) in [("from", &HOST.into()), ("to", &to.into()), ("message", message)] {
            // A plain object takes any field.
            let _ = Reflect::set(&envelope, &name.into(), value);
        }
        if let Err(error) = self.channel.post_message(&envelope) {
            tracing::error!(?error, "a message to the devtools could not be sent");
        }
    }
}

/// A URL of the page, of this origin: nothing has to be copied to where the app is served from.
fn page_url() -> Result<String, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("text/html;charset=utf-8");
    let parts = Array::of1(&PAGE.into());
    Url::create_object_url_with_blob(&Blob::new_with_str_sequence_and_options(&parts, &options)?)
}

fn unsupported(reason: &str) -> OpenTabError {
    OpenTabError::Unsupported { reason: reason.to_owned() }
}

fn text(error: &JsValue) -> String {
    error.as_string().unwrap_or_else(|| format!("{error:?}"))
}
