//! What is on a disk, and who has it open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use livestore::simulation::{has_ended, owner};

use super::faults::{CrashKind, Fault, Faults, Op, Points};
use super::inode::Inode;
use super::locks::{Level, Locks, Region};
use super::names::{InodeId, Names};
use super::{Dice, Image};

/// An open file's number. None is ever used again, on any disk: a number from before is dead.
pub(super) type HandleId = u64;

/// What an open folder has in the place of an inode.
const FOLDER: InodeId = 0;

/// Why an operation was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The process that asks has crashed.
    Dead,
    Io,
    Full,
    NotFound,
    Busy,
}

/// How an operation is done.
enum Go {
    Wholly,
    Half { crash: bool },
    Lie,
}

#[derive(Debug, Default)]
pub(super) struct State {
    names: Names,
    inodes: BTreeMap<InodeId, Inode>,
    handles: BTreeMap<HandleId, Handle>,
    /// The memory that connections to a file share.
    regions: BTreeMap<InodeId, Vec<Region>>,
    processes: BTreeMap<PathBuf, Process>,
}

#[derive(Debug)]
struct Handle {
    /// Whose process has it open.
    owner: u64,
    path: PathBuf,
    inode: InodeId,
    locks: Locks,
}

#[derive(Debug, Default)]
struct Process {
    faults: Faults,
    points: Points,
    down: bool,
}

/// Files.
impl State {
    /// Opens the file, and makes it if it is not there and `create`.
    pub(super) fn open(&mut self, path: &Path, create: bool) -> Result<HandleId, Failure> {
        let found = self.names.get(path);
        self.point(path, if found.is_none() && create { Op::Create } else { Op::Open })?;
        let inode = match found {
            Some(inode) => inode,
            None if create => self.create(path),
            None if self.names.under(path).next().is_some() => FOLDER,
            None => return Err(Failure::NotFound),
        };
        let id = new_id();
        let (owner, path, locks) = (owner(), path.to_owned(), Locks::default());
        self.handles.insert(id, Handle { owner, path, inode, locks });
        Ok(id)
    }

    /// A process may always close; a dead one has nothing to close.
    pub(super) fn close(&mut self, id: HandleId) {
        self.handles.remove(&id);
        self.forget_unused();
    }

    pub(super) fn read(
        &mut self,
        id: HandleId,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<usize, Failure> {
        let inode = self.at(id, Op::Read)?.0;
        Ok(self.inodes.entry(inode).or_default().read(offset, buffer))
    }

    pub(super) fn write(
        &mut self,
        id: HandleId,
        offset: usize,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        let (inode, go) = self.at(id, Op::Write)?;
        let file = self.inodes.entry(inode).or_default();
        let Go::Half { crash } = go else {
            file.write(offset, bytes);
            return Ok(());
        };
        file.write(offset, bytes.split_at(bytes.len() / 2).0);
        if crash {
            self.crash_owner(id);
            return Err(Failure::Dead);
        }
        Err(Failure::Io)
    }

    pub(super) fn truncate(&mut self, id: HandleId, length: usize) -> Result<(), Failure> {
        let inode = self.at(id, Op::Truncate)?.0;
        self.inodes.entry(inode).or_default().truncate(length);
        Ok(())
    }

    /// Makes the file durable, and its folder's names, too, if wanted.
    pub(super) fn sync(&mut self, id: HandleId, and_folder: bool) -> Result<(), Failure> {
        let (inode, go) = self.at(id, Op::Sync)?;
        if matches!(go, Go::Lie) {
            return Ok(());
        }
        let Some(Handle { path, .. }) = self.handles.get(&id) else { return Ok(()) };
        if inode == FOLDER {
            self.names.sync_folder(path);
            return Ok(());
        }
        self.inodes.entry(inode).or_default().sync();
        self.names.sync_file(inode);
        if let Some(folder) = path.parent().filter(|_| and_folder) {
            self.names.sync_folder(folder);
        }
        Ok(())
    }

    pub(super) fn length(&mut self, id: HandleId) -> Result<usize, Failure> {
        let inode = self.at(id, Op::Stat)?.0;
        Ok(self.inodes.entry(inode).or_default().bytes().len())
    }
}

/// Names.
impl State {
    /// The file's length, if it is there.
    pub(super) fn stat(&mut self, path: &Path) -> Result<Option<usize>, Failure> {
        self.point(path, Op::Stat)?;
        let inode = self.names.get(path).and_then(|inode| self.inodes.get(&inode));
        Ok(inode.map(|inode| inode.bytes().len()))
    }

    pub(super) fn remove(&mut self, path: &Path) -> Result<(), Failure> {
        self.point(path, Op::Delete)?;
        self.names.get(path).ok_or(Failure::NotFound)?;
        self.names.remove(path);
        self.forget_unused();
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), Failure> {
        self.point(from, Op::Rename)?;
        self.names.get(from).ok_or(Failure::NotFound)?;
        self.names.rename(from, to);
        self.forget_unused();
        Ok(())
    }

    /// Folders are not kept: one that is made is there.
    pub(super) fn make_folder(&mut self, path: &Path) -> Result<(), Failure> {
        self.point(path, Op::Stat).map(|_| ())
    }

    pub(super) fn sync_folder(&mut self, folder: &Path) -> Result<(), Failure> {
        if !matches!(self.point(folder, Op::Sync)?, Go::Lie) {
            self.names.sync_folder(folder);
        }
        Ok(())
    }
}

/// Locks, and shared memory.
impl State {
    pub(super) fn lock(&mut self, id: HandleId, wanted: Level) -> Result<(), Failure> {
        self.at(id, Op::Lock)?;
        self.with_others(id, |locks, others| locks.raise(wanted, others))
    }

    pub(super) fn unlock(&mut self, id: HandleId, wanted: Level) -> Result<(), Failure> {
        self.with_others(id, |locks, _| {
            locks.lower(wanted);
            Ok(())
        })
    }

    pub(super) fn is_reserved(&mut self, id: HandleId) -> Result<bool, Failure> {
        self.with_others(id, |_, others| Ok(Locks::is_reserved(others)))
    }

    /// Takes locks of the shared memory: `slots` is a bit for each.
    pub(super) fn lock_slots(
        &mut self,
        id: HandleId,
        slots: u8,
        exclusive: bool,
    ) -> Result<(), Failure> {
        self.at(id, Op::Lock)?;
        self.with_others(id, |locks, others| locks.take_slots(slots, exclusive, others))
    }

    pub(super) fn unlock_slots(&mut self, id: HandleId, slots: u8) -> Result<(), Failure> {
        self.with_others(id, |locks, _| {
            locks.free_slots(slots);
            Ok(())
        })
    }

    /// A piece of the shared memory, made if it is not there and `extend`.
    pub(super) fn map(
        &mut self,
        id: HandleId,
        index: usize,
        bytes: usize,
        extend: bool,
    ) -> Result<Option<Region>, Failure> {
        let handle = self.handles.get_mut(&id).ok_or(Failure::Dead)?;
        handle.locks.mapped = true;
        let regions = self.regions.entry(handle.inode).or_default();
        while extend && regions.len() <= index {
            regions.push(super::locks::new_region(bytes));
        }
        Ok(regions.get(index).cloned())
    }

    /// The memory lives as long as somebody has it.
    pub(super) fn unmap(&mut self, id: HandleId) {
        if let Some(handle) = self.handles.get_mut(&id) {
            handle.locks.mapped = false;
            self.forget_unused();
        }
    }

    fn with_others<T>(
        &mut self,
        id: HandleId,
        act: impl FnOnce(&mut Locks, &[Locks]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut locks = self.handles.get(&id).ok_or(Failure::Dead)?.locks;
        let inode = self.handles.get(&id).map(|handle| handle.inode);
        let others = self
            .handles
            .iter()
            .filter(|(other, handle)| **other != id && Some(handle.inode) == inode);
        let others: Vec<Locks> = others.map(|(_, handle)| handle.locks).collect();
        let done = act(&mut locks, &others);
        if let Some(handle) = self.handles.get_mut(&id) {
            handle.locks = locks;
        }
        done
    }
}

/// Faults.
impl State {
    pub(super) fn set_faults(&mut self, prefix: &Path, faults: Faults) {
        let process = self.processes.entry(prefix.to_owned()).or_default();
        process.faults = faults;
        process.points = Points::default();
    }

    pub(super) fn points(&self, prefix: &Path) -> Points {
        self.processes.get(prefix).map(|process| process.points.clone()).unwrap_or_default()
    }

    pub(super) fn crash(&mut self, prefix: &Path, kind: CrashKind) {
        self.processes.entry(prefix.to_owned()).or_default().down = true;
        self.handles.retain(|_, handle| !handle.path.starts_with(prefix));
        if let CrashKind::PowerLoss { seed } = kind {
            let mut dice = Dice::new(seed);
            self.names.lose_power(prefix, &mut dice);
            for (_, inode) in self.names.under(prefix) {
                self.inodes.entry(inode).or_default().lose_power(&mut dice);
            }
        }
        self.forget_unused();
    }

    /// A process is gone, of several in its folder: what it had open is closed.
    pub(super) fn end_process(&mut self, owner: u64) {
        self.handles.retain(|_, handle| handle.owner != owner);
        self.forget_unused();
    }

    pub(super) fn is_down(&self, prefix: &Path) -> bool {
        self.processes.iter().any(|(path, process)| process.down && prefix.starts_with(path))
    }

    pub(super) fn restart(&mut self, prefix: &Path) {
        self.processes.entry(prefix.to_owned()).or_default().down = false;
    }

    /// A point of the process that has the file open.
    fn at(&mut self, id: HandleId, op: Op) -> Result<(InodeId, Go), Failure> {
        let handle = self.handles.get(&id).ok_or(Failure::Dead)?;
        let (path, inode) = (handle.path.clone(), handle.inode);
        Ok((inode, self.point(&path, op)?))
    }

    fn point(&mut self, path: &Path, op: Op) -> Result<Go, Failure> {
        if self.is_down(path) || has_ended(owner()) {
            return Err(Failure::Dead);
        }
        // Of folders in folders, the innermost.
        let owner = self.processes.iter_mut().rev().find(|(prefix, _)| path.starts_with(prefix));
        let Some((prefix, process)) = owner else { return Ok(Go::Wholly) };
        match process.faults.next(op, &mut process.points) {
            None => Ok(Go::Wholly),
            Some(Fault::Fail) => Err(Failure::Io),
            Some(Fault::Full) => Err(Failure::Full),
            Some(Fault::Tear) => Ok(Go::Half { crash: false }),
            Some(Fault::TearAndCrash) => Ok(Go::Half { crash: true }),
            Some(Fault::SyncLies) => Ok(Go::Lie),
            Some(Fault::Crash(kind)) => {
                let prefix = prefix.clone();
                self.crash(&prefix, kind);
                Err(Failure::Dead)
            }
        }
    }

    fn crash_owner(&mut self, id: HandleId) {
        let Some(path) = self.handles.get(&id).map(|handle| handle.path.clone()) else { return };
        let owner = self.processes.keys().rev().find(|prefix| path.starts_with(prefix)).cloned();
        if let Some(prefix) = owner {
            self.crash(&prefix, CrashKind::Process);
        }
    }
}

/// Copies.
impl State {
    pub(super) fn backup(&self, prefix: &Path) -> Image {
        let bytes = |inode| self.inodes.get(&inode).map(|file| file.bytes().to_vec());
        let relative = |path: &Path| path.strip_prefix(prefix).map(Path::to_owned).ok();
        Image(
            self.names
                .under(prefix)
                .filter_map(|(path, id)| Some((relative(path)?, bytes(id)?)))
                .collect(),
        )
    }

    pub(super) fn restore(&mut self, prefix: &Path, image: &Image) {
        self.handles.retain(|_, handle| !handle.path.starts_with(prefix));
        let mut files = BTreeMap::new();
        for (path, bytes) in &image.0 {
            let id = new_id();
            self.inodes.insert(id, Inode::durable(bytes.clone()));
            files.insert(prefix.join(path), id);
        }
        self.names.replace(prefix, files);
        self.forget_unused();
    }
}

impl State {
    fn create(&mut self, path: &Path) -> InodeId {
        let id = new_id();
        self.inodes.insert(id, Inode::default());
        self.names.create(path, id);
        id
    }

    fn forget_unused(&mut self) {
        let Self { names, inodes, handles, regions, .. } = self;
        let is_open = |id| handles.values().any(|handle| handle.inode == id);
        inodes.retain(|id, _| names.knows(*id) || is_open(*id));
        regions.retain(|id, _| {
            handles.values().any(|handle| handle.inode == *id && handle.locks.mapped)
        });
    }
}

fn new_id() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(FOLDER);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
