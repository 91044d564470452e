//! All stores from one storage to another.

use std::io::{self, Write};
use std::ops::ControlFlow;

use livestore_protocol::printable;
use xxhash_rust::xxh3::Xxh3;

use super::Failure;
use super::copy::ask;
use super::storage::{Source, Storage};
use crate::store::{
    Durability, EventStore, StoreError, StoreId, StoreInfo, StoreLimits, StoredEvent,
};

/// Events are appended in batches of at most so many, and about so many bytes.
const BATCH_EVENTS: usize = 500;
const BATCH_BYTES: u64 = 1 << 20;

/// Copies all stores with their backend ids, so that clients go on. Then everything is read again on
/// both sides, and compared. What is there already is not copied again.
pub(super) fn migrate(from: &Storage, to: &Storage, durability: Durability) -> Result<(), Failure> {
    if from == to {
        return Err("from and to are the same storage".into());
    }
    let source = from.source()?;
    let target = to.open(durability, StoreLimits::NONE)?;
    let mut out = io::stdout();
    let stores = source.list()?;
    for (id, info) in &stores {
        let named = |failure: Failure| format!("{}: {failure}", printable(id.as_str()));
        let new = copy(&source, &*target, id, info).map_err(named)?;
        let same = compare(&source, &*target, id, info).map_err(named)?;
        let id = printable(id.as_str());
        writeln!(out, "{}\te{}\t{new} copied, {same} compared\t{id}", info.backend_id, info.head)?;
    }
    if source.list()? != stores {
        let problem = "clients have pushed to the old storage meanwhile: stop its servers, and run \
                       this again, which copies the rest";
        return Err(problem.into());
    }
    writeln!(out, "{} stores are the same in both", stores.len())?;
    Ok(())
}

/// Copies what the target does not have, and returns the number of events.
fn copy(
    source: &Source,
    target: &dyn EventStore,
    id: &StoreId,
    info: &StoreInfo,
) -> Result<u64, Failure> {
    let there = ask(|reply| target.open_as(id, &info.backend_id, reply))?;
    if there.backend_id != info.backend_id {
        let found = "the new storage has a store of this name that is not a copy of this one";
        return Err(found.into());
    }
    if there.head > info.head {
        let (there, here) = (there.head, info.head);
        return Err(
            format!("the new storage has events up to e{there}, the old one to e{here}").into()
        );
    }
    let mut batch = Batch { events: Vec::new(), bytes: 0 };
    let mut failed = None;
    source.read(id, there.head, &mut |stored| {
        if stored.event().seq > info.head {
            return ControlFlow::Break(());
        }
        batch.bytes += stored.size();
        batch.events.push(stored);
        let is_full = batch.events.len() >= BATCH_EVENTS || batch.bytes >= BATCH_BYTES;
        match if is_full { batch.append(target, id) } else { Ok(()) } {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match failed {
        Some(error) => return Err(error.into()),
        None => batch.append(target, id)?,
    }
    Ok(info.head - there.head)
}

struct Batch {
    events: Vec<StoredEvent>,
    bytes: u64,
}

impl Batch {
    fn append(&mut self, target: &dyn EventStore, id: &StoreId) -> Result<(), StoreError> {
        self.bytes = 0;
        let events = std::mem::take(&mut self.events);
        if events.is_empty() {
            return Ok(());
        }
        ask(|reply| target.append(id, events.into(), reply))
    }
}

/// Fails if the two do not have the same events; returns their number.
fn compare(
    source: &Source,
    target: &dyn EventStore,
    id: &StoreId,
    info: &StoreInfo,
) -> Result<u64, Failure> {
    let old = digest(info.head, |visit| source.read(id, 0, visit))?;
    let new = digest(info.head, |visit| target.read(id, 0, visit))?;
    if old != new {
        return Err("the events in the two storages differ".into());
    }
    if old.0 != info.head {
        return Err(format!("of {} events, {} are there", info.head, old.0).into());
    }
    Ok(old.0)
}

/// Returns the number of events up to `head`, and a hash of everything in them.
fn digest(
    head: u64,
    read: impl FnOnce(&mut dyn FnMut(StoredEvent) -> ControlFlow<()>) -> Result<(), StoreError>,
) -> Result<(u64, u128), StoreError> {
    let (mut count, mut hash) = (0, Xxh3::new());
    read(&mut |stored| {
        let event = stored.event();
        if event.seq > head {
            return ControlFlow::Break(());
        }
        count += 1;
        for number in [event.seq, event.parent, stored.created_at().as_millis().cast_unsigned()] {
            hash.update(&number.to_le_bytes());
        }
        for text in [&*event.name, &event.args, &event.client_id, &event.session_id] {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        ControlFlow::Continue(())
    })?;
    Ok((count, hash.digest128()))
}
