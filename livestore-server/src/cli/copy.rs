//! Events in and out of files.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc;

use livestore::Timestamp;
use livestore::sync::SyncEvent;
use livestore_sync::wire::MAX_EVENTS;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Failure;
use super::options::Options;
use crate::session::check_batch;
use crate::store::{EventStore, Reply, SqliteStore, StoreError, StoreId, StoredEvent};

/// An event in an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    seq_num: u64,
    parent_seq_num: u64,
    name: String,
    args: Box<RawValue>,
    client_id: String,
    session_id: String,
    created_at: Timestamp,
}

pub(super) fn list(data: &Path) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for (id, store) in SqliteStore::reader(data)?.list()? {
        writeln!(out, "{}\te{}\t{}\t{id}", store.backend_id, store.head, store.bytes)?;
    }
    Ok(())
}

pub(super) fn export(data: &Path, store: &str, file: Option<&Path>) -> Result<(), Failure> {
    let id = StoreId::new(store)?;
    let reader = SqliteStore::reader(data)?;
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

/// Reads the file twice: nothing of it is stored unless all of it can be.
pub(super) fn import(options: &Options, store: &str, file: &Path) -> Result<(), Failure> {
    let id = StoreId::new(store)?;
    let storage = options.open_store()?;
    let head = ask(|reply| storage.open(&id, reply))?.head;
    let mut first = None;
    read_batches(file, open(file)?, &mut |batch| {
        first = first.or(batch.first().map(|stored| stored.event().parent));
        Ok(())
    })?;
    match first {
        Some(first) if first != head => {
            return Err(
                format!("{store} ends with e{head}, and the file begins after e{first}").into()
            );
        }
        _ => {}
    }
    let append = &mut |batch: Vec<_>| Ok(ask(|reply| storage.append(&id, batch.into(), reply))?);
    let count = read_batches(file, open(file)?, append)?;
    println!("{count} events are imported into {store}");
    Ok(())
}

pub(super) fn backup(data: &Path, directory: &Path) -> Result<(), Failure> {
    Ok(SqliteStore::reader(data)?.backup(directory)?)
}

fn open(file: &Path) -> Result<BufReader<File>, Failure> {
    Ok(BufReader::new(File::open(file).map_err(at(file))?))
}

/// Hands over the events of an export, and counts them. They must chain.
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

/// Writes an event as an export has it.
pub fn write_line(out: &mut dyn Write, stored: &StoredEvent) -> Result<(), Failure> {
    let event = stored.event();
    let line = Line {
        seq_num: event.seq,
        parent_seq_num: event.parent,
        name: event.name.clone(),
        args: RawValue::from_string(event.args.clone())?,
        client_id: event.client_id.to_string(),
        session_id: event.session_id.to_string(),
        created_at: stored.created_at(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    Ok(out.write_all(b"\n")?)
}

/// Reads the event that follows `last`, if that is known.
fn parse_line(line: &str, last: Option<u64>) -> Result<StoredEvent, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let event = SyncEvent {
        seq: line.seq_num,
        parent: line.parent_seq_num,
        name: line.name,
        args: line.args.get().to_owned(),
        client_id: line.client_id.into(),
        session_id: line.session_id.into(),
        metadata: None,
    };
    match last {
        Some(last) if last != event.parent => {
            return Err(format!("e{} ← e{} does not follow e{last}", event.seq, event.parent));
        }
        _ => check_batch(std::slice::from_ref(&event))?,
    }
    Ok(StoredEvent::new(event, line.created_at))
}

fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::channel();
    question(Box::new(move |result| drop(sender.send(result))));
    answer.recv().unwrap_or(Err(StoreError::Closed))
}

fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| format!("{}: {error}", path.display()).into()
}
