//! A disk in memory, which forgets, fails and tears as it is told.
//!
//! SQLite comes to it through a VFS ([`vfs`]), and the rest through [`files`]: every path that begins
//! with `/sim/<world>/` is on the [`Disk`] of that name. What a process has written the others see at
//! once ([`inode`], [`names`]); what it has not synced a loss of power may take. Whatever it asks of
//! the disk is a *point* at which a fault can strike ([`faults`]).
//!
//! Everything is decided by what is called and by seeds: there is no clock in it, and no address.

mod dice;
mod faults;
mod files;
mod image;
mod inode;
mod locks;
mod names;
mod state;
mod vfs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub use dice::Dice;
pub use faults::{Chance, CrashKind, Fault, Faults, Op, Points, Strike};
pub use image::Image;
use state::State;
pub use vfs::seed_sqlite;

/// Where the worlds' disks are.
const MOUNT: &str = "/sim";

/// A disk. A machine, or a process, is a folder of it.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    state: Shared,
}

/// A disk as its open files hold it.
type Shared = Arc<Mutex<State>>;

static MOUNTED: Mutex<BTreeMap<PathBuf, Weak<Mutex<State>>>> = Mutex::new(BTreeMap::new());

impl Disk {
    /// An empty disk at `/sim/<world>`.
    ///
    /// # Panics
    /// If there is one already.
    pub fn new(world: &str) -> Self {
        vfs::register();
        let root = Path::new(MOUNT).join(world);
        let state = Shared::default();
        let former = lock(&MOUNTED).insert(root.clone(), Arc::downgrade(&state));
        assert!(former.is_none(), "{} is there already", root.display());
        Self { root, state }
    }

    /// Has it hold this thread's files. SQLite's files find it by their path, on any thread.
    pub fn install(&self) {
        livestore::simulation::install_disk(Some(Rc::new(files::Files(Arc::clone(&self.state)))));
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is to befall whoever works under `prefix` from now on; its points are counted from zero.
    pub fn set_faults(&self, prefix: &Path, faults: Faults) {
        self.state().set_faults(prefix, faults);
    }

    /// The points under `prefix` since its faults were set.
    pub fn points(&self, prefix: &Path) -> Points {
        self.state().points(prefix)
    }

    /// Ends whatever works under `prefix`: nothing that it does will reach the disk any more, until
    /// it is [started again](Self::restart).
    pub fn crash(&self, prefix: &Path, kind: CrashKind) {
        self.state().crash(prefix, kind);
    }

    /// Ends a process, of several that work in the same folder: nothing that it does will reach the disk
    /// any more, and its locks are free.
    pub fn end_process(&self, owner: u64) {
        livestore::simulation::end(owner);
        self.state().end_process(owner);
    }

    /// Whether it has crashed and was not started again.
    pub fn is_down(&self, prefix: &Path) -> bool {
        self.state().is_down(prefix)
    }

    /// Lets files under `prefix` be opened again after a crash. What was open before stays dead.
    pub fn restart(&self, prefix: &Path) {
        self.state().restart(prefix);
    }

    /// Copies the files under `prefix`.
    pub fn backup(&self, prefix: &Path) -> Image {
        self.state().backup(prefix)
    }

    /// Puts a copy in the place of the files under `prefix`; what was open is dead.
    pub fn restore(&self, prefix: &Path, image: &Image) {
        self.state().restore(prefix, image);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        lock(&MOUNTED).remove(&self.root);
    }
}

/// Whether the path is one of a simulated disk, be it there or not.
fn is_simulated(path: &Path) -> bool {
    path.starts_with(MOUNT)
}

/// The disk that the path is on.
fn disk_of(path: &Path) -> Option<Shared> {
    lock(&MOUNTED)
        .iter()
        .find(|(root, _)| path.starts_with(root))
        .and_then(|(_, disk)| disk.upgrade())
}

/// A test that panics with the lock in its hand has failed already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
