//! Events in and out of files.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc;

use livestore_protocol::{MAX_EVENTS, SyncEvent, Timestamp, check_push, printable};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::Failure;
use super::options::Options;
use super::storage::Storage;
use crate::store::{EventStore, Reply, SqliteStore, StoreError, StoreId, StoredEvent};

/// An event in an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    seq_num: u64,
    parent_seq_num: u64,
    name: String,
    /// Absent if the event has none, which is not `null`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    args: Option<Box<RawValue>>,
    client_id: String,
    session_id: String,
    created_at: Timestamp,
}

pub(super) fn list(storage: &Storage) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for (id, store) in storage.source()?.list()? {
        let id = printable(id.as_str());
        writeln!(out, "{}\te{}\t{}\t{id}", store.backend_id, store.head, store.bytes)?;
    }
    Ok(())
}

pub(super) fn export(storage: &Storage, store: &str, file: Option<&Path>) -> Result<(), Failure> {
    let id = StoreId::new(store)?;
    let reader = storage.source()?;
    let write = |out: &mut dyn Write| {
        let mut written = Ok(());
        reader
            .read(&id, 0, &mut |stored| match write_line(out, &stored) {
                Ok(()) => ControlFlow::Continue(()),
                Err(failure) => {
                    written = Err(failure);
                    ControlFlow::Break(())
                }
            })
            .map_err(|error| format!("{store}: {error}"))?;
        written.and_then(|()| Ok(out.flush()?))
    };
    match file {
        None => write(&mut BufWriter::new(io::stdout().lock())),
        Some(path) => {
            let mut out = BufWriter::new(File::create_new(path).map_err(at(path))?);
            write(&mut out)?;
            Ok(out.get_ref().sync_all()?)
        }
    }
}

/// Reads the file twice: nothing is stored unless all of it can be.
pub(super) fn import(options: &Options, store: &str, file: &Path) -> Result<(), Failure> {
    let id = StoreId::new(store)?;
    read_batches(file, open(file)?, &mut |_| Ok(()))?;
    let Imported { new, known } = import_into(&*options.open_store()?, &id, file, open(file)?)?;
    match known {
        0 => println!("imported {new} events into {store}"),
        _ => println!("imported {new} events into {store}, which already had the first {known}"),
    }
    Ok(())
}

/// The result of an import, in events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// The number of events that were stored.
    pub new: usize,
    /// The number of events that the store had already.
    pub known: usize,
}

/// Stores the new events of an export. It may begin with events that the store has, so that an
/// import that was interrupted is completed by another one.
pub fn import_into(
    storage: &dyn EventStore,
    id: &StoreId,
    file: &Path,
    content: impl BufRead,
) -> Result<Imported, Failure> {
    let mut head = ask(|reply| storage.open(id, reply))?.head;
    let mut imported = Imported::default();
    read_batches(file, content, &mut |mut known| {
        let new = known.split_off(known.partition_point(|stored| stored.event().seq <= head));
        check_known(storage, id, &known)?;
        if let (Some(first), Some(last)) = (new.first(), new.last()) {
            let (parent, last) = (first.event().parent, last.event().seq);
            if parent != head {
                let found = format!("{id} ends with e{head}, but the file begins after e{parent}");
                return Err(found.into());
            }
            imported.new += new.len();
            ask(|reply| storage.append(id, new.into(), reply))?;
            head = last;
        }
        imported.known += known.len();
        Ok(())
    })?;
    Ok(imported)
}

fn check_known(
    storage: &dyn EventStore,
    id: &StoreId,
    known: &[StoredEvent],
) -> Result<(), Failure> {
    match (known.first(), known.last(), storage.has(id, known)?) {
        (Some(first), Some(last), false) => {
            let (first, last) = (first.event().seq, last.event().seq);
            Err(format!("{id} and the file have different events from e{first} to e{last}").into())
        }
        _ => Ok(()),
    }
}

pub(super) fn backup(storage: &Storage, directory: &Path) -> Result<(), Failure> {
    match storage {
        Storage::Sqlite(data) => Ok(SqliteStore::reader(data)?.backup(directory)?),
        #[cfg(feature = "postgres")]
        Storage::Postgres(_) => Err("back a Postgres database up with pg_dump".into()),
        #[cfg(feature = "nats")]
        Storage::Nats(_) => Err("back the streams of NATS up with `nats account backup`".into()),
    }
}

fn open(file: &Path) -> Result<BufReader<File>, Failure> {
    Ok(BufReader::new(File::open(file).map_err(at(file))?))
}

/// Passes the events of an export to `take` in batches, and counts them. They must follow one
/// another.
pub fn read_batches(
    file: &Path,
    content: impl BufRead,
    take: &mut dyn FnMut(Vec<StoredEvent>) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let mut lines = content.lines().enumerate();
    let (mut count, mut last) = (0, None);
    loop {
        let mut batch = Vec::new();
        for (index, line) in lines.by_ref().take(MAX_EVENTS) {
            let in_line = |problem: String| format!("{}:{}: {problem}", file.display(), index + 1);
            let stored = parse_line(&line.map_err(at(file))?, last).map_err(in_line)?;
            last = Some(stored.event().seq);
            batch.push(stored);
        }
        if batch.is_empty() {
            return Ok(count);
        }
        count += batch.len();
        take(batch)?;
    }
}

/// Writes an event as a line of an export.
pub fn write_line(out: &mut dyn Write, stored: &StoredEvent) -> Result<(), Failure> {
    let event = stored.event();
    let line = Line {
        seq_num: event.seq,
        parent_seq_num: event.parent,
        name: event.name.clone(),
        args: in_one_line(&event.args)?,
        client_id: event.client_id.to_string(),
        session_id: event.session_id.to_string(),
        created_at: stored.created_at(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    Ok(out.write_all(b"\n")?)
}

/// The args on one line. JSON has line breaks only where a space means the same.
fn in_one_line(args: &str) -> serde_json::Result<Option<Box<RawValue>>> {
    match args {
        "" => Ok(None),
        args => RawValue::from_string(args.replace('\n', " ")).map(Some),
    }
}

/// Reads a field that is there, also if it is `null`.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(field).map(Some)
}

/// Reads the event that follows `last`, if that is known.
fn parse_line(line: &str, last: Option<u64>) -> Result<StoredEvent, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let event = SyncEvent {
        seq: line.seq_num,
        parent: line.parent_seq_num,
        name: line.name,
        args: line.args.map(|args| Box::<str>::from(args).into_string()).unwrap_or_default(),
        client_id: line.client_id.into(),
        session_id: line.session_id.into(),
        metadata: None,
    };
    match last {
        Some(last) if last != event.parent => {
            return Err(format!("e{} ← e{} does not follow e{last}", event.seq, event.parent));
        }
        _ => check_push(std::slice::from_ref(&event)).map_err(|invalid| invalid.to_string())?,
    }
    Ok(StoredEvent::new(event, line.created_at))
}

/// Waits for an answer of the storage.
pub(super) fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::channel();
    question(Box::new(move |result| drop(sender.send(result))));
    // A simulated storage has no thread of its own.
    #[cfg(simulation)]
    livestore::simulation::due().into_iter().for_each(|due| livestore::simulation::run(due.job));
    answer.recv().unwrap_or(Err(StoreError::Closed))
}

fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| format!("{}: {error}", path.display()).into()
}
