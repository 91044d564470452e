//! `livestore doctor`

use std::fs;
use std::path::{Path, PathBuf};

use livestore::SeqNum;
use livestore::eventlog::EventlogError;
use livestore::inspect::{Folder, InspectError, SnapshotProblem};
use livestore_protocol::printable;
use serde_json::json;

use super::export::NewFile;
use crate::args::Doctor;
use crate::exit::{Exit, Failure, Result};
use crate::line;
use crate::output::{Output, counted};

/// How far the doctor looks for an event that can be read behind one that cannot, if the last one is not known.
const MAX_GAP: u64 = 1 << 32;

pub(super) fn run(out: &mut Output, args: &Doctor) -> Result {
    let path = args.place.folder().or_else(|failure| named(args).ok_or(failure))?;
    let mut report = Report { out, problems: 0 };
    report.say("folder", &path.display().to_string())?;
    report.files(&path)?;
    let folder = match Folder::open(&path) {
        Ok(folder) => folder,
        Err(error) => {
            report.problem("log", &error_text(error))?;
            return report.done();
        }
    };
    match folder.is_open() {
        Ok(true) => {
            report.say("open", "an app has the store open; it opens again when that ends")?
        }
        Ok(false) => report.say("open", "no app has the store open")?,
        Err(error) => report.problem("open", &error_text(error))?,
    }
    let save = args.save.as_deref().map(NewFile::create).transpose()?;
    report.events(&folder, save, args.save.as_deref())?;
    report.snapshot(&folder)?;
    report.done()
}

/// A folder that is there, but not as one of a store.
fn named(args: &Doctor) -> Option<PathBuf> {
    let path = &args.place.directory;
    (args.place.store.is_none() && path.is_dir() && path.join("lock").exists())
        .then(|| path.clone())
}

fn error_text(error: impl Into<Failure>) -> String {
    error.into().message()
}

struct Report<'a> {
    out: &'a mut Output,
    problems: u64,
}

impl Report<'_> {
    fn say(&mut self, what: &str, text: &str) -> Result {
        self.write(what, text, true)
    }

    fn problem(&mut self, what: &str, text: &str) -> Result {
        self.problems += 1;
        self.write(what, text, false)
    }

    fn write(&mut self, what: &str, text: &str, is_well: bool) -> Result {
        if self.out.json {
            return self.out.json(&json!({ "what": what, "ok": is_well, "text": text }));
        }
        let mark = if is_well { "" } else { "! " };
        self.out.field(what, format!("{mark}{}", printable(text)))
    }

    /// Whether the files are there, and may be read and written.
    fn files(&mut self, path: &Path) -> Result {
        for name in ["eventlog.db", "eventlog.db-wal", "state.snapshot", "lock"] {
            let file = path.join(name);
            match fs::metadata(&file) {
                Ok(metadata) => {
                    let bytes = counted(metadata.len(), "byte");
                    match fs::File::open(&file) {
                        Ok(_) if metadata.permissions().readonly() => {
                            self.problem(name, &format!("{bytes}, and may not be written"))?;
                        }
                        Ok(_) => self.say(name, &bytes)?,
                        Err(error) => {
                            self.problem(name, &format!("{bytes}, and cannot be read: {error}"))?
                        }
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if name == "eventlog.db" {
                        self.problem(name, "it is missing: without it there is no store")?;
                    }
                }
                Err(error) => self.problem(name, &error.to_string())?,
            }
        }
        Ok(())
    }

    /// Reads every event that can be read.
    fn events(&mut self, folder: &Folder, save: Option<NewFile>, path: Option<&Path>) -> Result {
        let mut save = save;
        let (mut at, mut read, mut damaged) = (SeqNum::ROOT, 0, 0_u64);
        loop {
            let mut failed = None;
            for event in folder.events().after(at) {
                match event {
                    Ok(event) => {
                        (at, read) = (event.seq, read + 1);
                        if let Some(file) = &mut save {
                            line::write(&mut file.out, &event)?;
                        }
                    }
                    Err(error) => failed = Some(error),
                }
            }
            let Some(error) = failed else { break };
            damaged += 1;
            self.problem("event", &error.to_string())?;
            let damage = match error {
                EventlogError::Corrupt { at: Some(seq), .. } if is_after(seq, at) => seq,
                _ => at,
            };
            match behind(folder, damage) {
                Some(next) => at = next,
                None => break,
            }
        }
        if damaged == 0 {
            self.say("events", &format!("{}, all as they were written", counted(read, "event")))?;
        } else {
            let advice = "restore a backup, or save them with `--save`, and import them into a new store with `--renumber`";
            self.say("events", &format!("{} can be saved: {advice}", counted(read, "event")))?;
        }
        if let (Some(file), Some(path)) = (save, path) {
            file.finish()?;
            self.say("saved", &format!("{} in {}", counted(read, "event"), path.display()))?;
        }
        Ok(())
    }

    fn snapshot(&mut self, folder: &Folder) -> Result {
        match folder.snapshot() {
            Ok(state) => {
                self.say("snapshot", &format!("of {}, as it was written", state.head()))?;
                match state.quarantined()?.len() {
                    0 => Ok(()),
                    count => {
                        let events = counted(count as u64, "event");
                        let how = "`livestore state --quarantined` shows why";
                        self.say("quarantine", &format!("{events} could not be applied; {how}"))
                    }
                }
            }
            Err(InspectError::Snapshot(problem @ SnapshotProblem::Damaged { .. })) => self
                .problem("snapshot", &format!("{problem}; the app makes another one from the log")),
            Err(InspectError::Snapshot(problem)) => self.say("snapshot", &problem.to_string()),
            Err(error) => self.problem("snapshot", &error_text(error)),
        }
    }

    fn done(self) -> Result {
        match self.problems {
            0 => Ok(()),
            count => {
                Err(Failure::new(Exit::Problem, format!("{} found", counted(count, "problem"))))
            }
        }
    }
}

/// Returns the first place behind the damage from which the log can be read on, if there is one.
fn behind(folder: &Folder, damage: SeqNum) -> Option<SeqNum> {
    let reads = |at: SeqNum| matches!(folder.events().after(at).next(), Some(Ok(_)));
    if reads(damage) {
        return Some(damage);
    }
    let head = folder.head().map_or(damage.global.saturating_add(MAX_GAP), |head| head.global);
    // Before the last event, or never.
    let (mut bad, mut good) = (damage.global, head.checked_sub(1)?);
    if good <= bad || !reads(SeqNum::new(good)) {
        return None;
    }
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if reads(SeqNum::new(middle)) { good = middle } else { bad = middle }
    }
    Some(SeqNum::new(good))
}

fn is_after(seq: SeqNum, other: SeqNum) -> bool {
    (seq.global, seq.client) > (other.global, other.client)
}
