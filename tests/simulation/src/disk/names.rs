//! The names of files: as they are, and as they are durable.
//!
//! Folders need no room here: a folder is there as soon as a file in it is, and is as durable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Dice;

/// A file's number.
pub(super) type InodeId = u64;

/// All names of a disk.
#[derive(Debug, Default)]
pub(super) struct Names {
    now: BTreeMap<PathBuf, InodeId>,
    durable: BTreeMap<PathBuf, InodeId>,
    since: Vec<Change>,
}

/// What one call has done to names: it happens wholly or not at all.
#[derive(Debug)]
struct Change(BTreeMap<PathBuf, Option<InodeId>>);

impl Names {
    pub(super) fn get(&self, path: &Path) -> Option<InodeId> {
        self.now.get(path).copied()
    }

    pub(super) fn under(&self, prefix: &Path) -> impl Iterator<Item = (&PathBuf, InodeId)> {
        self.now
            .iter()
            .filter(move |(path, _)| path.starts_with(prefix))
            .map(|(path, id)| (path, *id))
    }

    pub(super) fn create(&mut self, path: &Path, inode: InodeId) {
        self.change([(path, Some(inode))]);
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.change([(path, None)]);
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        let inode = self.get(from);
        self.change([(from, None), (to, inode)]);
    }

    /// A new file's name is durable with its bytes, as journaling file systems have it.
    pub(super) fn sync_file(&mut self, inode: InodeId) {
        self.make_durable(|change| {
            change.0.len() == 1 && change.0.values().any(|id| *id == Some(inode))
        });
    }

    pub(super) fn sync_folder(&mut self, folder: &Path) {
        self.make_durable(|change| change.0.keys().any(|path| path.parent() == Some(folder)));
    }

    /// Of the changes that were not synced, each is there or not.
    pub(super) fn lose_power(&mut self, prefix: &Path, dice: &mut Dice) {
        let (lost, others) =
            std::mem::take(&mut self.since).into_iter().partition(|change| change.is_under(prefix));
        self.since = others;
        let lost: Vec<Change> = lost;
        lost.into_iter()
            .filter(|_| dice.below(2) == 0)
            .for_each(|change| change.make(&mut self.durable));
        self.now.retain(|path, _| !path.starts_with(prefix));
        let kept = self.durable.iter().filter(|(path, _)| path.starts_with(prefix));
        self.now.extend(kept.map(|(path, inode)| (path.clone(), *inode)));
    }

    /// Has these files under `prefix` and no others, durably.
    pub(super) fn replace(&mut self, prefix: &Path, files: BTreeMap<PathBuf, InodeId>) {
        self.since.retain(|change| !change.is_under(prefix));
        for names in [&mut self.now, &mut self.durable] {
            names.retain(|path, _| !path.starts_with(prefix));
            names.extend(files.clone());
        }
    }

    /// Whether the file has a name, or may get one back.
    pub(super) fn knows(&self, inode: InodeId) -> bool {
        let pending = || self.since.iter().flat_map(|change| change.0.values().flatten());
        self.now.values().chain(self.durable.values()).chain(pending()).any(|id| *id == inode)
    }

    fn change<'p>(&mut self, change: impl IntoIterator<Item = (&'p Path, Option<InodeId>)>) {
        let change = Change(change.into_iter().map(|(path, id)| (path.to_owned(), id)).collect());
        change.make(&mut self.now);
        self.since.push(change);
    }

    fn make_durable(&mut self, is_synced: impl Fn(&Change) -> bool) {
        while let Some(index) = self.since.iter().rposition(&is_synced) {
            let synced = self.since.remove(index);
            // What was done to these names before does not matter any more.
            for earlier in self.since.iter_mut().take(index) {
                earlier.0.retain(|path, _| !synced.0.contains_key(path));
            }
            synced.make(&mut self.durable);
        }
        self.since.retain(|change| !change.0.is_empty());
    }
}

impl Change {
    fn is_under(&self, prefix: &Path) -> bool {
        self.0.keys().any(|path| path.starts_with(prefix))
    }

    fn make(&self, names: &mut BTreeMap<PathBuf, InodeId>) {
        for (path, inode) in &self.0 {
            match inode {
                Some(inode) => names.insert(path.clone(), *inode),
                None => names.remove(path),
            };
        }
    }
}
