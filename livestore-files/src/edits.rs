//! Files to events.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use livestore::{ErrorChain, Store, new_id};

use crate::disk::{Contents, Found};
use crate::index::{Entry, Import, IndexError, Reached};
use crate::mapping::{Edit, Mapping, Rejected};
use crate::path::is_conflict;
use crate::target::Files;
use crate::worker::{GRACE, MAX_BUSY, Worker};

/// What somebody else has done to files.
#[derive(Default)]
struct Edits {
    /// Files of rows that have other texts now: their keys, paths and contents.
    changed: Vec<(String, String, Contents)>,
    /// Files of no row: their paths and contents.
    unknown: Vec<(String, Contents)>,
    /// Rows whose files are missing.
    missing: BTreeSet<String>,
}

impl<M: Mapping> Worker<M> {
    /// Finds edits, and passes them to the app. Breaks if the store is closed.
    pub(crate) fn pass_edits(&mut self, now: Instant) -> ControlFlow<()> {
        let Some(store) = self.store.upgrade() else { return ControlFlow::Break(()) };
        let found = self.find();
        // Whoever removes the folder does not remove its rows.
        let is_there = self.feed.target().index.is_there();
        let edits = match found {
            Ok(mut edits) if is_there => {
                self.leave_out_unfinished(&mut edits, now);
                edits
            }
            found => {
                if let Err(error) = found {
                    let reason = format!("the folder cannot be read: {error}");
                    self.feed.target().report.problem("", reason);
                }
                // If it is gone, the update says so, and makes it again.
                self.feed.replace_all();
                return self.update();
            }
        };
        let files = self.feed.target_mut();
        files.report.solved("");
        let passed = files.pass(&store, edits);
        let missing = passed.unwrap_or_else(|error| {
            let error = ErrorChain::new(&error).to_string();
            files.report.problem("", format!("an edit could not be noted: {error}"));
            BTreeSet::new()
        });
        self.missing.retain(|key, _| missing.contains(key));
        let (mut removed, was_scanned) = (Vec::new(), self.must_scan);
        for key in missing {
            let since = *self.missing.entry(key.clone()).or_insert(now);
            // Another name of the file was looked for, too.
            if since + GRACE <= now && was_scanned {
                self.missing.remove(&key);
                removed.push(key);
            }
        }
        self.must_scan = false;
        self.look_at_unfinished(now);
        let files = self.feed.target();
        for key in &removed {
            files.pass_removal(&store, key);
        }
        self.update()?;
        self.restore(&removed)
    }

    /// Leaves out what somebody may still be writing: a program that saves a file empties it first, and then writes
    /// it. A file is passed once it was read twice and was the same, or has been changing for long.
    fn leave_out_unfinished(&mut self, edits: &mut Edits, now: Instant) {
        let before = std::mem::take(&mut self.unfinished);
        let mut is_finished = |path: &str, found: &Contents| {
            let known = before.get(path);
            let since = known.map_or(now, |(_, since)| *since);
            let is_same = known.is_some_and(|(hash, _)| *hash == found.hash);
            let is_finished = is_same || since + MAX_BUSY <= now;
            if !is_finished {
                self.unfinished.insert(path.to_owned(), (found.hash, since));
            }
            is_finished
        };
        edits.changed.retain(|(_, path, found)| is_finished(path, found));
        edits.unknown.retain(|(path, found)| is_finished(path, found));
    }

    /// Writes files again whose rows do not say what the edit was.
    fn restore(&mut self, removed: &[String]) -> ControlFlow<()> {
        let files = self.feed.target_mut();
        let is_left = removed.iter().any(|key| files.index.entry(key).is_some());
        if is_left || files.index.entries().any(|(_, entry)| entry.wanted.is_empty()) {
            files.restores = true;
            self.feed.replace_all();
            return self.update();
        }
        ControlFlow::Continue(())
    }

    fn find(&mut self) -> std::io::Result<Edits> {
        let files = self.feed.target();
        let mut paths = std::mem::take(&mut self.paths);
        if self.must_scan {
            let scan = files.disk.scan(M::EXTENSION)?;
            for path in &scan.unreadable {
                files.report.problem(path, format!("{path} is not read: its name is not UTF-8"));
            }
            paths = scan.files.into_iter().collect();
            paths.extend(files.index.entries().map(|(_, entry)| entry.path.clone()));
            files.report.retain(|of| {
                of.is_empty()
                    || paths.contains(of)
                    || files.failed.contains(of)
                    || scan.unreadable.iter().any(|it| it == of)
            });
        }
        let mut edits = Edits::default();
        for path in paths {
            match files.disk.read(&path) {
                Ok(found) => files.classify(path, found, &mut edits),
                Err(error) => {
                    files.report.problem(&path, format!("{path} cannot be read: {error}"))
                }
            }
        }
        // They may be found under another name.
        edits.missing.extend(self.missing.keys().cloned());
        edits.missing.retain(|key| files.is_file_missing(key));
        Ok(edits)
    }
}

impl<M: Mapping> Files<M> {
    fn classify(&self, path: String, found: Found, edits: &mut Edits) {
        let key = self.index.key_at(&path).map(str::to_owned);
        match (found, key) {
            (Found::Other(reason), _) => {
                self.report.problem(&path, format!("{path} is not read: {reason}"));
            }
            (Found::Missing, key) => {
                self.report.solved(&path);
                edits.missing.extend(key);
            }
            (Found::File(found), Some(key)) => {
                if self.index.entry(&key).is_some_and(|entry| entry.hash == found.hash) {
                    self.report.solved(&path);
                } else {
                    edits.changed.push((key, path, found));
                }
            }
            (Found::File(_), None) if is_conflict(&path) => {}
            (Found::File(found), None) => edits.unknown.push((path, found)),
        }
    }

    fn is_file_missing(&self, key: &str) -> bool {
        let entry = self.index.entry(key);
        entry.is_some_and(|entry| matches!(self.disk.read(&entry.path), Ok(Found::Missing)))
    }

    /// Returns the rows whose files are missing, and were not found under another name.
    fn pass(
        &mut self,
        store: &Store<M::Schema>,
        edits: Edits,
    ) -> Result<BTreeSet<String>, IndexError> {
        let Edits { changed, unknown, mut missing } = edits;
        for (key, path, found) in changed {
            self.pass_change(store, &key, &path, &found)?;
        }
        for (path, found) in unknown {
            let Some(text) = self.text(&path, &found) else { continue };
            match self.renamed(text, &found, &missing) {
                Some(key) => {
                    missing.remove(&key);
                    self.pass_rename(store, &key, &path, text, &found)?;
                }
                None => self.pass_new(store, &path, text, &found)?,
            }
        }
        Ok(missing)
    }

    fn text<'f>(&self, path: &str, found: &'f Contents) -> Option<&'f str> {
        let text = std::str::from_utf8(&found.bytes);
        if text.is_err() {
            self.report.problem(path, format!("{path} is not read: it is not UTF-8"));
        }
        text.ok()
    }

    /// Returns the row whose file has another name now.
    fn renamed(&self, text: &str, found: &Contents, missing: &BTreeSet<String>) -> Option<String> {
        let is_same = |key: &&String| self.index.entry(key).is_some_and(|it| it.hash == found.hash);
        let named = self.mapping.key_in(text).filter(|key| missing.contains(key));
        named.or_else(|| missing.iter().find(is_same).cloned())
    }

    fn pass_change(
        &mut self,
        store: &Store<M::Schema>,
        key: &str,
        path: &str,
        found: &Contents,
    ) -> Result<(), IndexError> {
        let Some(text) = self.text(path, found) else { return Ok(()) };
        let edit = Edit::Changed { key, path: Self::app_path(path), text };
        if !self.ask(store, path, &edit) {
            return Ok(());
        }
        let Some(entry) = self.index.entry(key).cloned() else { return Ok(()) };
        // Its row says what it is to have.
        let entry = Entry { hash: found.hash, wanted: String::new(), ..entry };
        self.index.finish(vec![(key.to_owned(), Some(entry))], Reached::Same)
    }

    fn pass_rename(
        &mut self,
        store: &Store<M::Schema>,
        key: &str,
        path: &str,
        text: &str,
        found: &Contents,
    ) -> Result<(), IndexError> {
        let Some(from) = self.index.entry(key).map(|entry| entry.path.clone()) else {
            return Ok(());
        };
        let from = Self::app_path(&from);
        let edit = Edit::Renamed { key, from, path: Self::app_path(path), text };
        if !self.ask(store, path, &edit) {
            return Ok(());
        }
        // Its row says where it is to be.
        let entry = Entry { path: path.to_owned(), wanted: String::new(), hash: found.hash };
        self.index.finish(vec![(key.to_owned(), Some(entry))], Reached::Same)
    }

    fn pass_new(
        &mut self,
        store: &Store<M::Schema>,
        path: &str,
        text: &str,
        found: &Contents,
    ) -> Result<(), IndexError> {
        let before = self.index.import(path).cloned();
        if before.as_ref().is_some_and(|it| it.is_done && it.hash == found.hash) {
            return Ok(());
        }
        // If the process has ended behind the commit, the row has this key.
        let key = before.map_or_else(new_id, |import| import.key);
        let import = Import { key, hash: found.hash, is_done: false };
        self.index.set_import(path, import.clone())?;
        let edit = Edit::Created { key: &import.key, path: Self::app_path(path), text };
        match self.ask(store, path, &edit) {
            true => self.index.set_import(path, Import { is_done: true, ..import }),
            false => Ok(()),
        }
    }

    fn pass_removal(&self, store: &Store<M::Schema>, key: &str) {
        if let Some(entry) = self.index.entry(key) {
            self.ask(store, &entry.path, &Edit::Removed { key, path: Self::app_path(&entry.path) });
        }
    }

    /// Has the app commit what an edit means. Returns whether it could.
    fn ask(&self, store: &Store<M::Schema>, path: &str, edit: &Edit<'_>) -> bool {
        let asked = catch_unwind(AssertUnwindSafe(|| self.mapping.edit(store, edit)));
        match asked.unwrap_or_else(|_| Err(Rejected::new("the app panicked"))) {
            Ok(()) => {
                self.report.solved(path);
                true
            }
            Err(rejected) => {
                let reason = rejected.reason();
                self.report.problem(path, format!("an edit of {path} is not committed: {reason}"));
                false
            }
        }
    }
}
