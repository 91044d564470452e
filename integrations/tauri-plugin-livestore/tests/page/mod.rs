//! A page, as Tauri's mock has it: its commands, and what its channels get.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen};
use livestore_testing::wait_until;
use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody, InvokeResponseBody};
use tauri::test::{
    INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets,
};
use tauri::utils::acl::ExecutionContext;
use tauri::webview::InvokeRequest;
use tauri::{RunEvent, WebviewWindow, WebviewWindowBuilder};
use tauri_plugin_livestore::Builder;

pub(crate) fn open() -> Store<App> {
    Store::builder("items").open().unwrap()
}

pub(crate) fn filled(last: i64) -> Store<App> {
    let store = open();
    store.commit(ItemEvent::Filled { last }).unwrap();
    store
}

/// The number of live queries that are kept up to date.
pub(crate) fn live_count(store: &Store<App>) -> usize {
    store.inspect().unwrap().queries.len()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemsParams {
    only_open: bool,
}

/// The app's plugin.
fn plugin(store: &Store<App>) -> Builder<App> {
    // A place of 7 is read as NULL, which is not a number.
    let broken = "SELECT id, title, nullif(place, 7) AS place, done FROM item";
    let broken_count = "SELECT nullif(place, 7) AS place FROM item";
    Builder::new(store.clone())
        .list("items", |ItemsParams { only_open }| {
            let wanted: Vec<_> = only_open.then(|| Item::DONE.eq(false)).into_iter().collect();
            Item::filter(all_of(wanted)).order_by(Item::PLACE.asc())
        })
        .value("open", |()| Item::filter(Item::DONE.eq(false)).count())
        .value("item", |id: i64| Item::get(id))
        .list("broken", move |()| raw::<Item>(broken, ()))
        .value("broken_count", move |()| raw::<Place>(broken_count, ()).one())
        .list("panics", |()| -> livestore::table::Select<Item, Item> {
            panic!("the app's own mistake")
        })
        .document::<Screen>()
}

type Messages = Arc<Mutex<HashMap<u32, Vec<Value>>>>;

/// A window with a page, whose channels are numbers.
pub(crate) struct Page {
    app: Option<tauri::App<MockRuntime>>,
    window: WebviewWindow<MockRuntime>,
    messages: Messages,
}

impl Page {
    pub(crate) fn open(store: &Store<App>) -> Self {
        Self::open_with(store, |_, _| ())
    }

    /// `notified` is called with each message, and the number of its channel.
    pub(crate) fn open_with(
        store: &Store<App>,
        notified: impl Fn(u32, &Value) + Send + Sync + 'static,
    ) -> Self {
        let commands = ["begin_page", "commit", "end", "live", "query", "set_document"];
        Self::build(store, &commands, notified)
    }

    pub(crate) fn without_permissions(store: &Store<App>) -> Self {
        Self::build(store, &[], |_, _| ())
    }

    fn build(
        store: &Store<App>,
        permitted: &[&str],
        notified: impl Fn(u32, &Value) + Send + Sync + 'static,
    ) -> Self {
        let mut context = mock_context(noop_assets());
        for command in permitted {
            let command = format!("plugin:livestore|{command}");
            context.runtime_authority_mut().__allow_command(command, ExecutionContext::Local);
        }
        let messages = Messages::default();
        let received = Arc::clone(&messages);
        let app = mock_builder()
            .plugin(plugin(store).build())
            .channel_interceptor(move |_, channel, _, body| {
                let InvokeResponseBody::Json(json) = body else { panic!("bytes were sent") };
                let message = serde_json::from_str(json).unwrap();
                notified(channel.0, &message);
                received.lock().unwrap().entry(channel.0).or_default().push(message);
                true
            })
            .build(context)
            .unwrap();
        let window = WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
        Self { app: Some(app), window, messages }
    }

    /// Another window of the same app.
    pub(crate) fn window(&self, label: &str) -> Self {
        let app = self.app.as_ref().unwrap();
        let window = WebviewWindowBuilder::new(app, label, Default::default()).build().unwrap();
        Self { app: None, window, messages: Arc::clone(&self.messages) }
    }

    pub(crate) fn call(&self, command: &str, args: Value) -> Result<Value, Value> {
        let request = InvokeRequest {
            cmd: format!("plugin:livestore|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: "tauri://localhost".parse().unwrap(),
            body: InvokeBody::Json(args),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        get_ipc_response(&self.window, request).map(|answer| answer.deserialize().unwrap())
    }

    /// The page with this id is loaded.
    pub(crate) fn begin(&self, page: &str) -> Result<Value, Value> {
        self.call("begin_page", json!({ "page": page }))
    }

    pub(crate) fn live(&self, query: &str, params: Value, channel: u32) -> Value {
        self.live_in(None, query, params, channel).unwrap()
    }

    pub(crate) fn live_in(
        &self,
        page: Option<&str>,
        query: &str,
        params: Value,
        channel: u32,
    ) -> Result<Value, Value> {
        let channel = format!("__CHANNEL__:{channel}");
        let args = json!({ "page": page, "query": query, "params": params, "channel": channel });
        self.call("live", args)
    }

    pub(crate) fn end(&self, id: Value) {
        self.call("end", json!({ "id": id })).unwrap();
    }

    /// The number of messages of a channel.
    pub(crate) fn count(&self, channel: u32) -> usize {
        self.messages.lock().unwrap().get(&channel).map_or(0, Vec::len)
    }

    /// Waits for the message with this number, from 0.
    pub(crate) fn wait_for(&self, channel: u32, number: usize) -> Value {
        wait_until(|| self.count(channel) > number);
        self.messages.lock().unwrap()[&channel][number].clone()
    }

    /// Closes the last window, and with it the app.
    pub(crate) fn exit(self) {
        let window = self.window;
        self.app.unwrap().run(move |_, event| {
            if matches!(event, RunEvent::Ready) {
                window.destroy().unwrap();
            }
        });
    }
}

/// One column.
#[derive(Row, Serialize)]
#[serde(transparent)]
struct Place {
    place: i64,
}
