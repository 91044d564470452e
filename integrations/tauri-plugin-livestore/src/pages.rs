//! What pages can use, whatever the schema is.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use livestore::SeqNum;
use livestore::event::Event;
use livestore::live::Subscription;
use livestore::schema::Document;
use livestore::tools::NamedEvent;
use livestore_shape::Shape;
use serde_json::{Map, Value};
use tauri::ipc::InvokeResponseBody;

use crate::error::Error;
use crate::shown::Shown;

pub(crate) type Channel = tauri::ipc::Channel<InvokeResponseBody>;

/// The fields of a client document that a page sets.
pub(crate) type Fields = Map<String, Value>;

/// Sets fields of a client document.
pub(crate) type SetDocument = Box<dyn Fn(Fields) -> Result<(), Error> + Send + Sync>;

/// Commits events as one commit, and returns their numbers.
pub(crate) type CommitEvents =
    Box<dyn Fn(&[NamedEvent]) -> Result<Vec<SeqNum>, Error> + Send + Sync>;

/// The app's offer to its pages.
pub(crate) struct Pages {
    pub(crate) queries: HashMap<&'static str, Arc<Query>>,
    pub(crate) documents: HashMap<&'static str, SetDocument>,
    pub(crate) commit: CommitEvents,
    pub(crate) shown: Arc<Shown>,
}

/// A query that the app has registered. Its parameters are the page's.
pub(crate) struct Query {
    /// Returns the value as it is now, as JSON.
    pub(crate) read: Box<dyn Fn(Value) -> Result<String, Error> + Send + Sync>,
    /// Sends the value and its changes until the subscription is dropped.
    pub(crate) show: Box<dyn Fn(Value, Channel) -> Result<Subscription, Error> + Send + Sync>,
}

impl Pages {
    pub(crate) fn query(&self, name: &str) -> Result<&Arc<Query>, Error> {
        self.queries.get(name).ok_or_else(|| Error::UnknownQuery(name.to_owned()))
    }
}

/// Calls code of the app's. If it panics, the page is answered all the same.
pub(crate) fn catch_panic<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(Error::Panic(text_of(&*panic))))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Returns the document with these fields set.
pub(crate) fn merge<D: Document>(document: &D, fields: Fields) -> Result<D, Error> {
    let refused = |source| Error::Fields { document: D::NAME, source };
    // A field that serde skips is not in the JSON; the shape has all.
    let shapes = D::Set::DEFS.iter().filter_map(|def| Shape::parse(def.shape()));
    let known = shapes.flat_map(|shape| shape.parts).map(|(name, _)| name).collect::<Vec<_>>();
    let mut json = serde_json::to_value(document).map_err(refused)?;
    for (field, value) in fields {
        match json.as_object_mut() {
            Some(json) if known.contains(&field) => json.insert(field, value),
            _ => return Err(Error::UnknownField { document: D::NAME, field }),
        };
    }
    serde_json::from_value(json).map_err(refused)
}
