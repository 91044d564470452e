//! `livestore export`

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use livestore::event::EncodedEvent;
use livestore::eventlog::EventlogError;
use livestore::inspect::Folder;
use livestore::{SeqNum, now};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{Export, Format};
use crate::exit::{Failure, Result};
use crate::line;
use crate::output::{Output, counted, quote};

pub(super) fn run(out: &mut Output, args: &Export) -> Result {
    let folder = args.place.open()?;
    match &args.output {
        None => write(out, &folder, args).map(drop),
        Some(path) => {
            let mut file = NewFile::create(path)?;
            let written = write(&mut file.out, &folder, args)?;
            file.finish()?;
            out.line(format!("{} in {}", counted(written, "event"), path.display()))
        }
    }
}

/// Writes the events; returns their number.
fn write(out: &mut impl Write, folder: &Folder, args: &Export) -> Result<u64> {
    // What is committed meanwhile is left for the next time.
    let to = args.to.map_or_else(|| folder.head(), Ok)?;
    let events = folder.events().after(args.after.unwrap_or(SeqNum::ROOT)).to(to);
    match args.format {
        Format::Jsonl => {
            let mut written = 0;
            for event in events {
                line::write(out, &event?)?;
                written += 1;
            }
            Ok(written)
        }
        Format::Livestore => write_livestore(out, folder.store_id(), events),
    }
}

/// An event as LiveStore's `LiveStoreEvent.Global.Encoded` has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Global<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<&'a RawValue>,
    seq_num: u64,
    parent_seq_num: u64,
    client_id: &'a str,
    session_id: &'a str,
}

/// The document that `@livestore/cli` exports and imports. Its number of events comes last: it is known
/// only then.
pub(crate) fn write_livestore(
    out: &mut impl Write,
    store_id: &str,
    events: impl Iterator<Item = Result<EncodedEvent, EventlogError>>,
) -> Result<u64> {
    let (store_id, exported_at) = (quote(store_id), quote(&now().to_string()));
    write!(out, r#"{{"version":1,"storeId":{store_id},"exportedAt":{exported_at},"events":["#)?;
    let (mut written, mut client_only) = (0, 0);
    for event in events {
        let event = event?;
        if event.is_client_only() {
            client_only += 1;
            continue;
        }
        out.write_all(if written == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &global(&event)?)?;
        written += 1;
    }
    writeln!(out, "\n],\"eventCount\":{written}}}")?;
    if client_only > 0 {
        let left_out = counted(client_only, "event");
        eprint(&format!("livestore: left out {left_out} that stay on their client"));
    }
    Ok(written)
}

fn global(event: &EncodedEvent) -> Result<Global<'_>> {
    let args = match event.args.as_str() {
        "" => None,
        args => Some(serde_json::from_str(args)?),
    };
    Ok(Global {
        name: &event.name,
        args,
        seq_num: event.seq.global,
        parent_seq_num: event.parent.global,
        client_id: &event.client_id,
        session_id: &event.session_id,
    })
}

/// Says something beside the result.
fn eprint(text: &str) {
    // If nobody reads it, the result is there all the same.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A file that is there once all of it is written.
pub(super) struct NewFile {
    pub(super) out: BufWriter<File>,
    path: PathBuf,
    partial: PathBuf,
}

impl NewFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let at = |error| Failure::failed(format!("{}: {error}", path.display()));
        if path.exists() {
            return Err(at(std::io::ErrorKind::AlreadyExists.into()));
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let out = BufWriter::with_capacity(256 * 1024, File::create(&partial).map_err(at)?);
        Ok(Self { out, path: path.to_owned(), partial })
    }

    pub(super) fn finish(mut self) -> Result {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        Ok(fs::rename(&self.partial, &self.path)?)
    }
}

/// What was not finished is of no use.
impl Drop for NewFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.partial);
    }
}
