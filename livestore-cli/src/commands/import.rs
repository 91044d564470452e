//! `livestore import`

use std::path::Path;

use livestore::Store;
use livestore::event::EncodedEvent;
use livestore::inspect::{Folder, folder_of};
use livestore::store::{AppendError, Untyped};
use serde_json::{Value, json};

use crate::args::Import;
use crate::exit::{Exit, Failure, Result};
use crate::input::Source;
use crate::output::{Output, counted};

/// The most events, and about the most bytes of args, that are added at once.
const BATCH: usize = 4_096;
const BATCH_BYTES: usize = 4 << 20;

pub(super) fn run(out: &mut Output, args: &Import) -> Result {
    let source = Source::open(&args.file)?;
    let source = if args.renumber { source.renumbered() } else { source };
    let contents = source.read(&mut |_| Ok(()))?;
    let found = contents.store_id.as_deref();
    let (directory, store_id) = args.place.target(found)?;
    if let Some(found) = found.filter(|found| *found != store_id && !args.force) {
        let message = format!(
            "{} has the events of the store {found:?}, not of {store_id:?}; `--force` imports them all the same",
            args.file.display()
        );
        return Err(Failure::usage(message));
    }
    let imported = into(&source, &directory, &store_id, args.dry_run)?;
    let Imported { new, known } = imported;
    if out.json {
        return out.json(&json!({
            "storeId": store_id, "new": new, "known": known, "dryRun": args.dry_run,
        }));
    }
    let known = match known {
        0 => String::new(),
        known => format!("; it has the first {} already", counted(known, "event")),
    };
    let verb = if args.dry_run { "would be added" } else { "added" };
    out.line(format!("{} {verb} to {store_id}{known}", counted(new, "event")))
}

/// The result of an import, in events.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Imported {
    /// The number of events that were added.
    pub(crate) new: u64,
    /// The number of events that the store had already.
    pub(crate) known: u64,
}

/// Adds the events that the store does not have, or only counts them.
pub(crate) fn into(
    source: &Source,
    directory: &Path,
    store_id: &str,
    dry_run: bool,
) -> Result<Imported> {
    if dry_run {
        return compare(source, directory, store_id);
    }
    let store = Store::<Untyped>::builder(store_id).directory(directory).open()?;
    let imported = add(source, &store)?;
    store.close().map_err(Failure::failed)?;
    Ok(imported)
}

/// Adds the events that the store does not have.
fn add(source: &Source, store: &Store<Untyped>) -> Result<Imported> {
    let head = store.head().map_err(Failure::failed)?;
    let mut imported = Imported::default();
    let mut known = Known::new(store.events().into_iter());
    let (mut batch, mut bytes) = (Vec::new(), 0);
    source.read(&mut |event| {
        if is_at_or_before(&event, head) {
            imported.known += 1;
            return known.check(&event);
        }
        imported.new += 1;
        bytes += event.args.len();
        batch.push(event);
        if batch.len() == BATCH || bytes >= BATCH_BYTES {
            bytes = 0;
            return append(store, std::mem::take(&mut batch));
        }
        Ok(())
    })?;
    append(store, batch)?;
    Ok(imported)
}

fn append(store: &Store<Untyped>, events: Vec<EncodedEvent>) -> Result {
    store.append(events).map_err(|error| match error {
        AppendError::OutOfOrder { seq, head } => Failure::failed(format!(
            "the store ends with {head}, and the file goes on with {seq}: the events between are missing"
        )),
        error => Failure::failed(error),
    })
}

/// Counts the events that the store does not have.
fn compare(source: &Source, directory: &Path, store_id: &str) -> Result<Imported> {
    let mut imported = Imported::default();
    let Ok(folder) = Folder::open(&folder_of(directory, store_id)) else {
        imported.new = source.read(&mut |_| Ok(()))?.events;
        return Ok(imported);
    };
    let head = folder.head()?;
    let mut known = Known::new(folder.events());
    source.read(&mut |event| {
        if is_at_or_before(&event, head) {
            imported.known += 1;
            return known.check(&event);
        }
        imported.new += 1;
        Ok(())
    })?;
    Ok(imported)
}

fn is_at_or_before(event: &EncodedEvent, head: livestore::SeqNum) -> bool {
    (event.seq.global, event.seq.client) <= (head.global, head.client)
}

/// The events of the store, which are compared with those of a file.
struct Known<I> {
    events: I,
}

type Read = std::result::Result<EncodedEvent, livestore::eventlog::EventlogError>;

impl<I: Iterator<Item = Read>> Known<I> {
    fn new(events: I) -> Self {
        Self { events }
    }

    fn check(&mut self, event: &EncodedEvent) -> Result {
        let place = |event: &EncodedEvent| (event.seq.global, event.seq.client);
        for ours in &mut self.events {
            let ours = ours?;
            if place(&ours) < place(event) {
                continue;
            }
            if is_same(&ours, event) {
                return Ok(());
            }
            break;
        }
        let message = format!("the store and the file have different events at {}", event.seq);
        Err(Failure::new(Exit::Problem, message))
    }
}

/// Whether it is the same event. Its args may have been written in another way.
fn is_same(ours: &EncodedEvent, event: &EncodedEvent) -> bool {
    let who = |event: &EncodedEvent| (event.seq.global, event.seq.client, event.session_id.clone());
    let json = |args: &str| serde_json::from_str::<Value>(args).ok();
    who(ours) == who(event)
        && ours.name == event.name
        && ours.client_id == event.client_id
        && (ours.args == event.args || json(&ours.args) == json(&event.args))
}
