//! The commands of pages.

use std::sync::Arc;

use livestore::tools::NamedEvent;
use serde_json::Value;
use tauri::ipc::Response;
use tauri::{Runtime, State, Webview, async_runtime};

use crate::error::Error;
use crate::message::send_error;
use crate::pages::{Channel, Fields, Pages, catch_panic};
use crate::shown::Place;

type Offer<'a> = State<'a, Arc<Pages>>;

/// An event, as a page writes it.
#[derive(serde::Deserialize)]
pub(crate) struct PageEvent {
    name: String,
    args: Value,
}

/// A page is there. The script of the plugin says so, in every page.
#[tauri::command]
pub(crate) fn begin_page<R: Runtime>(
    webview: Webview<R>,
    pages: Offer<'_>,
    page: String,
) -> Result<(), Error> {
    pages.shown.begin_page(&place_of(&webview), &page)
}

/// Commits events as one commit. Returns their numbers.
#[tauri::command(async)]
pub(crate) fn commit(pages: Offer<'_>, events: Vec<PageEvent>) -> Result<Vec<String>, Error> {
    let named = |PageEvent { name, args }| NamedEvent::new(name, args.to_string());
    let events: Vec<_> = events.into_iter().map(named).collect();
    let numbers = (pages.commit)(&events)?;
    Ok(numbers.iter().map(ToString::to_string).collect())
}

/// Sets fields of a client document.
#[tauri::command(async)]
pub(crate) fn set_document(
    pages: Offer<'_>,
    document: String,
    fields: Fields,
) -> Result<(), Error> {
    let set = pages.documents.get(document.as_str());
    let set = set.ok_or(Error::UnknownDocument(document))?;
    catch_panic(|| set(fields))
}

/// Returns the value of a query, once.
#[tauri::command(async)]
pub(crate) fn query(pages: Offer<'_>, query: String, params: Value) -> Result<Response, Error> {
    let query = pages.query(&query)?;
    catch_panic(|| (query.read)(params)).map(Response::new)
}

/// Sends the value of a query to the channel, and its changes, until it ends. Returns its number.
///
/// It is on record before the next command or event of the window, since this is on the main thread; the query
/// itself is not.
#[tauri::command]
pub(crate) fn live<R: Runtime>(
    webview: Webview<R>,
    pages: Offer<'_>,
    page: Option<String>,
    query: String,
    params: Value,
    channel: Channel,
) -> Result<u32, Error> {
    let query = Arc::clone(pages.query(&query)?);
    let shown = Arc::clone(&pages.shown);
    let id = shown.begin(place_of(&webview), page.as_deref())?;
    async_runtime::spawn_blocking(move || {
        match catch_panic(|| (query.show)(params, channel.clone())) {
            Ok(subscription) => shown.started(id, subscription),
            Err(error) => {
                send_error(&channel, error);
                shown.end(id, webview.label());
            }
        }
    });
    Ok(id)
}

/// Ends a live value that this page shows.
#[tauri::command(async)]
pub(crate) fn end<R: Runtime>(webview: Webview<R>, pages: Offer<'_>, id: u32) {
    pages.shown.end(id, webview.label());
}

fn place_of<R: Runtime>(webview: &Webview<R>) -> Place {
    Place { window: webview.window().label().to_owned(), webview: webview.label().to_owned() }
}
