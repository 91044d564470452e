//! `livestore fork`

use livestore::Store;
use livestore::inspect::{InspectError, folder_of};
use livestore::store::Untyped;
use serde_json::json;

use crate::args::Fork;
use crate::exit::{Failure, Result};
use crate::output::{Output, counted};

/// The number of events that are copied at once.
const BATCH: usize = 4_096;

pub(super) fn run(out: &mut Output, args: &Fork) -> Result {
    let folder = args.place.open()?;
    let head = folder.head()?;
    let at = args.at.unwrap_or(head);
    if args.at.is_some() && folder.event(at)?.is_none() {
        return Err(InspectError::NoSuchEvent { seq: at, head }.into());
    }
    let id = args.id.as_deref().unwrap_or(folder.store_id());
    let target = folder_of(&args.into, id);
    if target.join("eventlog.db").exists() {
        return Err(Failure::usage(format!("there is a store in {} already", target.display())));
    }
    let store = Store::<Untyped>::builder(id).directory(&args.into).open()?;
    let (mut copied, mut batch) = (0, Vec::with_capacity(BATCH));
    for event in folder.events().to(at) {
        let mut event = event?;
        if !event.is_client_only() {
            // What the backend has said of it is said again when the new store syncs.
            event.sync_metadata = None;
        }
        batch.push(event);
        copied += 1;
        if batch.len() == BATCH {
            store.append(std::mem::take(&mut batch)).map_err(Failure::failed)?;
        }
    }
    store.append(batch).map_err(Failure::failed)?;
    store.close().map_err(Failure::failed)?;
    if out.json {
        let folder = target.display().to_string();
        return out.json(&json!({ "folder": folder, "storeId": id, "events": copied }));
    }
    out.line(format!("{}, up to {at}, in {}", counted(copied, "event"), target.display()))
}
