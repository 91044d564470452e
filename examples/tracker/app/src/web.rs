//! The app in a browser's page.

use dioxus::prelude::LaunchBuilder;
use livestore::Store;
use livestore::store::Builder;
use livestore::sync::SyncOptions;
use livestore_sync::{Http, WebSocket};
use tracker::Sample;
use tracker_schema::App;
use web_sys::Url;

/// The port of the backend, if the page's address does not say which one: `?sync=wss://…`.
const SYNC_PORT: u16 = 8787;

/// Opens the store, and shows the app for as long as there is the page.
pub(crate) fn main() {
    if livestore_web::worker(|request| builder(request.store_id, &request.page_url)) {
        return;
    }
    wasm_bindgen_futures::spawn_local(async {
        let location = web_sys::window().map(|window| window.location());
        let url = location.and_then(|location| location.href().ok()).unwrap_or_default();
        let store_id = parameter(&url, "store").unwrap_or_else(|| "tracker".to_owned());
        let sample = parameter(&url, "sample").and_then(|count| count.parse().ok());
        let sample = Sample(sample.unwrap_or(10_000));
        match livestore_web::open(builder(store_id, &url)).await {
            Ok(store) => {
                LaunchBuilder::web().with_context(store).with_context(sample).launch(tracker::app);
            }
            Err(error) => complain(&livestore::ErrorChain::new(&error).to_string()),
        }
    });
}

/// Says why there is no app, in the page and in its console.
fn complain(problem: &str) {
    web_sys::console::error_1(&problem.into());
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(place) = document.and_then(|document| document.get_element_by_id("opening")) {
        place.set_text_content(Some(problem));
    }
}

/// How the store is opened: in the page, and in the worker that has its files.
fn builder(store_id: String, page_url: &str) -> Builder<App> {
    let default = || {
        let host = Url::new(page_url).map(|url| url.hostname()).unwrap_or_default();
        format!("ws://{host}:{SYNC_PORT}")
    };
    let url = parameter(page_url, "sync").unwrap_or_else(default);
    let sync = match url.starts_with("http") {
        true => SyncOptions::new(Http::new(url)),
        false => SyncOptions::new(WebSocket::new(url)),
    };
    Store::<App>::builder(store_id).sync(sync)
}

/// A parameter of a page's address: `?name=value`.
fn parameter(url: &str, name: &str) -> Option<String> {
    Url::new(url).ok()?.search_params().get(name)
}
