//! The tools that write, which are there with `--allow-write` only.

use std::collections::BTreeMap;
use std::path::Path;

use livestore::Store;
use livestore::inspect::Folder;
use livestore::schema::SchemaDef;
use livestore::store::Untyped;
use serde_json::{Map, Value, json};

use super::arguments::{Commit, Import, NamedEvent};
use super::session::args_text;
use crate::commands::import;
use crate::exit::{Failure, Result};
use crate::input::Source;

/// Adds events to the store, as one commit.
pub(super) fn commit(
    folder: &Folder,
    schema: Option<&'static SchemaDef>,
    arguments: Commit,
) -> Result<Value> {
    if arguments.events.is_empty() {
        return Err(Failure::usage("there are no events to commit"));
    }
    let known = Known::read(folder, schema)?;
    let events = arguments.events.into_iter().map(|NamedEvent { name, args }| {
        let is_client_only = known.is_client_only(&name)?;
        let args = args.as_ref().map(args_text).transpose()?.unwrap_or_default();
        Ok((name, args, is_client_only))
    });
    let events = events.collect::<Result<Vec<_>>>()?;
    let directory = folder.path().parent().unwrap_or(Path::new("/"));
    let store = Store::<Untyped>::builder(folder.store_id()).directory(directory).open()?;
    let events = store.number(events).map_err(Failure::failed)?;
    let committed = events.len();
    let last = events.last().map(|event| event.seq.to_string());
    store.append(events).map_err(Failure::failed)?;
    store.close().map_err(Failure::failed)?;
    Ok(json!({ "committed": committed, "head": last }))
}

/// The names of events, and whether each stays on its client.
struct Known(BTreeMap<String, bool>);

impl Known {
    fn read(folder: &Folder, schema: Option<&'static SchemaDef>) -> Result<Self> {
        let mut known = BTreeMap::new();
        for event in folder.events() {
            let event = event?;
            if !known.contains_key(&*event.name) && event.refusal().is_none() {
                known.insert(event.name.clone().into_owned(), event.is_client_only());
            }
        }
        for event in schema.into_iter().flat_map(SchemaDef::events) {
            known.insert(event.name().to_owned(), event.is_client_only());
        }
        Ok(Self(known))
    }

    fn is_client_only(&self, name: &str) -> Result<bool> {
        self.0.get(name).copied().ok_or_else(|| {
            let names: Vec<_> = self.0.keys().map(String::as_str).collect();
            let names = names.join(", ");
            Failure::usage(format!(
                "the log has no event {name:?} yet, so nobody may know it; there is {names}"
            ))
        })
    }
}

/// Adds the events of an export to a store of the directory.
pub(super) fn import(directory: &Path, arguments: Import) -> Result<Value> {
    let Import { store_id, data, force, dry_run } = arguments;
    let found = data.get("storeId").and_then(Value::as_str).map(str::to_owned);
    let source = Source::of_document(text(&data)?);
    let contents = source.read(&mut |_| Ok(()))?;
    let store_id =
        store_id.or(found.clone()).ok_or_else(|| Failure::usage("which store is meant?"))?;
    if found.as_deref() != Some(&store_id) && !force {
        let found = found.unwrap_or_default();
        let message = format!(
            "the data is of the store {found:?}, not of {store_id:?}: `force` imports it all the same"
        );
        return Err(Failure::usage(message));
    }
    let imported = import::into(&source, directory, &store_id, dry_run)?;
    Ok(json!({
        "storeId": store_id, "eventCount": contents.events, "dryRun": dry_run, "new": imported.new,
        "known": imported.known,
    }))
}

fn text(data: &Map<String, Value>) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(data)?)
}
