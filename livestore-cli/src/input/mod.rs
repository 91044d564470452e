//! Files with events: exports of this command, of the server and of LiveStore, and LiveStore's eventlogs.
//!
//! Whatever the size of a file, one event at a time is in memory.

mod document;
mod eventlog;
mod lines;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use livestore::SeqNum;
use livestore::event::EncodedEvent;

use crate::exit::{Failure, Result};

/// A file with events.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    kind: Kind,
    /// What a client has sent, in place of a file.
    content: Option<Vec<u8>>,
    /// Whether the events get new numbers, from the first on.
    renumber: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A line of JSON for each event.
    Lines,
    /// One JSON document, as LiveStore exports it.
    Document,
    /// An SQLite file, as LiveStore has it on disk.
    Eventlog,
}

/// What a file says beside its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) store_id: Option<String>,
    pub(crate) events: u64,
}

/// Called with one event after another.
type Take<'a> = &'a mut dyn FnMut(EncodedEvent) -> Result;

impl Source {
    /// Looks what kind of file it is.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut start = Vec::new();
        File::open(path)
            .and_then(|file| file.take(4_096).read_to_end(&mut start))
            .map_err(at(path))?;
        let kind = kind_of(&start).ok_or_else(|| {
            let path = path.display();
            Failure::failed(format!("{path} is neither an export nor an eventlog of LiveStore's"))
        })?;
        Ok(Self { path: path.to_owned(), kind, content: None, renumber: false })
    }

    /// A document that is in memory.
    pub(crate) fn of_document(content: Vec<u8>) -> Self {
        Self { path: "data".into(), kind: Kind::Document, content: Some(content), renumber: false }
    }

    /// Gives the events new numbers, from the first on: some between them are missing.
    pub(crate) fn renumbered(self) -> Self {
        Self { renumber: true, ..self }
    }

    /// Calls `take` with each event. Each must follow the one before it.
    pub(crate) fn read(&self, take: Take<'_>) -> Result<Contents> {
        let mut last: Option<SeqNum> = None;
        let mut events = 0;
        let mut checked = |mut event: EncodedEvent| {
            match last {
                _ if self.renumber => {
                    let before = last.unwrap_or(SeqNum::ROOT);
                    (event.seq, event.parent) = before.next(event.is_client_only());
                }
                Some(last) => event.parent = follow(last, &event)?,
                None => {}
            }
            last = Some(event.seq);
            events += 1;
            take(event)
        };
        let store_id = match self.kind {
            Kind::Lines => lines::read(&self.path, self.reader()?, &mut checked).map(|()| None),
            Kind::Document => document::read(&self.path, self.reader()?, &mut checked).map(Some),
            Kind::Eventlog => eventlog::read(&self.path, &mut checked).map(|()| None),
        }?;
        Ok(Contents { store_id, events })
    }

    fn reader(&self) -> Result<Box<dyn BufRead + '_>> {
        if let Some(content) = &self.content {
            return Ok(Box::new(content.as_slice()));
        }
        let file = File::open(&self.path).map_err(at(&self.path))?;
        Ok(Box::new(BufReader::with_capacity(256 * 1024, file)))
    }
}

/// Returns the parent of an event that comes right behind `last`.
fn follow(last: SeqNum, event: &EncodedEvent) -> Result<SeqNum> {
    let (next, parent) = last.next(event.is_client_only());
    let seq = event.seq;
    if (seq.global, seq.client) == (next.global, next.client) {
        Ok(parent)
    } else {
        Err(Failure::failed(format!(
            "the event {seq} does not follow {last}, which comes before it"
        )))
    }
}

/// The kind of a file that starts with these bytes.
fn kind_of(start: &[u8]) -> Option<Kind> {
    if start.starts_with(b"SQLite format 3\0") {
        return Some(Kind::Eventlog);
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start();
    if text.is_empty() {
        return Some(Kind::Lines);
    }
    let key = text.strip_prefix('{')?.trim_start().strip_prefix('"')?.split('"').next()?;
    match key {
        "version" | "storeId" | "exportedAt" | "eventCount" | "events" => Some(Kind::Document),
        _ => Some(Kind::Lines),
    }
}

/// Events beside each other have most texts in common.
#[derive(Debug, Default)]
struct Texts {
    client_id: Option<Arc<str>>,
    session_id: Option<Arc<str>>,
}

impl Texts {
    fn client(&mut self, id: &str) -> Arc<str> {
        shared(&mut self.client_id, id)
    }

    fn session(&mut self, id: &str) -> Arc<str> {
        shared(&mut self.session_id, id)
    }
}

fn shared(last: &mut Option<Arc<str>>, text: &str) -> Arc<str> {
    match last {
        Some(last) if **last == *text => Arc::clone(last),
        _ => Arc::clone(last.insert(text.into())),
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::failed(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_beginning() {
        for (start, kind) in [
            ("", Some(Kind::Lines)),
            (r#"{"seqNum":1,"#, Some(Kind::Lines)),
            ("{\n  \"version\": 1,", Some(Kind::Document)),
            ("\u{feff}{\"events\":[", Some(Kind::Document)),
            ("SQLite format 3\0", Some(Kind::Eventlog)),
            ("[1]", None),
            ("hello", None),
            ("{", None),
        ] {
            assert_eq!(kind_of(start.as_bytes()), kind, "{start}");
        }
    }
}
