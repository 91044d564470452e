//! A state and the commits that it is made of: a `Store` without events and a log on disk.

use super::writes::Write;
use crate::schema::SchemaDef;
use crate::sqlite::Change;
use crate::state::State;
use crate::table::{Reader, Writer};

const SESSION: &str = "session";

pub(super) struct History {
    schema: &'static SchemaDef,
    state: State,
    confirmed: Vec<Commit>,
    /// Above the savepoint; some of them fail for the time being.
    pending: Vec<Commit>,
    /// The confirmed state's hash, if there is a savepoint; without one, every commit is confirmed.
    confirmed_hash: Option<u64>,
    /// The number of commits that lost the savepoint.
    pub(super) lost_savepoints: u64,
}

/// Writes that are committed together, or not at all.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) writes: Vec<Write>,
    /// It fails behind the last write.
    pub(super) fails: bool,
}

impl History {
    pub(super) fn new(schema: &'static SchemaDef) -> Self {
        let state = State::empty(schema).unwrap();
        let (confirmed, pending) = (Vec::new(), Vec::new());
        Self { schema, state, confirmed, pending, confirmed_hash: None, lost_savepoints: 0 }
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        self.state.reader(SESSION)
    }

    /// The live queries were notified of the changes.
    pub(super) fn recycle(&self, changes: Vec<Change>) {
        self.state.recycle_changes(changes);
    }

    /// Returns whether the commit succeeded, and the changes that it made.
    pub(super) fn commit(&mut self, commit: Commit) -> (bool, Vec<Change>) {
        let kept = self.apply(&commit);
        if self.state.savepoint_lost() {
            return (false, Change::net(self.reapply()));
        }
        if kept {
            match self.confirmed_hash {
                Some(_) => self.pending.push(commit),
                None => self.confirmed.push(commit),
            }
        }
        (kept, self.state.take_changes())
    }

    /// All that was pending is confirmed; `upstream` comes behind it. If there is a backend to sync
    /// with, what comes then is pending.
    pub(super) fn confirm_pending(&mut self, upstream: Vec<Commit>, syncs: bool) -> Vec<Change> {
        self.state.confirm_pending().unwrap();
        self.confirmed.extend(self.pending.drain(..).filter(|commit| !commit.fails));
        self.confirm(upstream);
        let changes = self.state.take_changes();
        self.confirmed_hash = None;
        if syncs {
            self.begin_pending();
        }
        changes
    }

    /// `upstream` comes before what is pending, of which some `fails` now.
    pub(super) fn rebase(
        &mut self,
        upstream: Vec<Commit>,
        mut fails: impl FnMut() -> bool,
    ) -> Vec<Change> {
        let mut changes = self.rollback();
        self.confirm(upstream);
        changes.extend(self.state.take_changes());
        self.pending.iter_mut().for_each(|commit| commit.fails = fails());
        changes.extend(self.apply_pending());
        Change::net(changes)
    }

    /// Makes the state anew, which nobody watches: it is the same.
    pub(super) fn reset(&mut self) {
        let before = self.state.hash().unwrap();
        self.state = State::empty(self.schema).unwrap();
        let confirmed = std::mem::take(&mut self.confirmed);
        self.confirm(confirmed);
        if self.confirmed_hash.is_some() {
            self.apply_pending();
        }
        assert_eq!(self.state.hash().unwrap(), before, "a replay makes a different state");
    }

    fn begin_pending(&mut self) {
        self.confirmed_hash = Some(self.state.hash().unwrap());
        self.state.begin_pending().unwrap();
    }

    fn rollback(&mut self) -> Vec<Change> {
        let changes = self.state.rollback_pending().unwrap();
        let before = self.confirmed_hash.take();
        let same = before.is_none_or(|before| before == self.state.hash().unwrap());
        assert!(same, "a rollback makes a different state");
        changes
    }

    fn confirm(&mut self, mut commits: Vec<Commit>) {
        commits.retain(|commit| self.apply(commit));
        self.confirmed.append(&mut commits);
    }

    /// A commit has lost the savepoint: the pending commits are applied again.
    fn reapply(&mut self) -> Vec<Change> {
        self.lost_savepoints += 1;
        let mut changes = self.rollback();
        changes.extend(self.apply_pending());
        changes
    }

    fn apply_pending(&mut self) -> Vec<Change> {
        self.begin_pending();
        for at in 0..self.pending.len() {
            self.pending[at].fails |= !self.apply(&self.pending[at]);
            if self.state.savepoint_lost() {
                self.pending.remove(at);
                return self.reapply();
            }
        }
        self.state.take_changes()
    }

    fn apply(&self, commit: &Commit) -> bool {
        let savepoint = self.state.savepoint().unwrap();
        let (db, mut writer) = (self.reader().db(), Writer::new(self.reader().db()));
        let written = |write: &Write| write.run(&mut writer).is_ok() && db.is_in_savepoint();
        let kept = commit.writes.iter().all(written) && !commit.fails;
        if kept {
            savepoint.release().unwrap()
        } else {
            savepoint.rollback().unwrap()
        }
        kept
    }
}
