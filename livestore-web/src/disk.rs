//! The worker's disk: files of the browser's private file system that were opened before.
//!
//! SQLite has its own way to the eventlog's file. What is left is the snapshot: it is in one of two
//! files, each with a number in front that is higher in the newer one and 0 in one that is not whole.
//! The lock needs no file: only the worker that has the Web Lock has a disk.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::io;
use std::path::Path;

use livestore::__private::web::{Disk, Handle, OpenMode};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use crate::js;

/// The number in front of a file.
const HEADER: u64 = 8;

const SNAPSHOT: &str = "state.snapshot";
const TEMPORARY: &str = "state.tmp";
const EVENTLOG: &str = "eventlog.db";

/// Opens the directory of this path, and makes what is missing.
pub(crate) async fn directory(path: &str) -> Result<FileSystemDirectoryHandle, String> {
    let storage = js::storage().ok_or("there is no `navigator.storage`")?;
    let root = js::call(&storage, "getDirectory").await.map_err(|error| js::text(&error))?;
    let mut directory: FileSystemDirectoryHandle = root.unchecked_into();
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let opened = directory.get_directory_handle_with_options(name, &options);
        let opened = JsFuture::from(opened).await.map_err(|error| js::text(&error))?;
        directory = opened.unchecked_into();
    }
    Ok(directory)
}

/// The files of a store, apart from the eventlog.
pub(crate) struct WorkerDisk {
    slots: [Slot; 2],
    /// The slot of the snapshot.
    current: Cell<Option<usize>>,
    /// The slot of each file that is open, or none for the lock.
    open: RefCell<BTreeMap<Handle, Option<usize>>>,
    opened: Cell<Handle>,
}

impl WorkerDisk {
    /// Opens the files in this directory.
    pub(crate) async fn open(directory: &FileSystemDirectoryHandle) -> Result<Self, JsValue> {
        let slots = [
            Slot::open(directory, "snapshot.0").await?,
            Slot::open(directory, "snapshot.1").await?,
        ];
        let numbers = [slots[0].number(), slots[1].number()];
        let current = match numbers {
            [0, 0] => None,
            [first, second] => Some(usize::from(second > first)),
        };
        let (current, open) = (Cell::new(current), RefCell::default());
        Ok(Self { slots, current, open, opened: Cell::new(0) })
    }

    /// The slot that is free for a new snapshot.
    fn free(&self) -> usize {
        match self.current.get() {
            Some(0) => 1,
            _ => 0,
        }
    }

    fn slot(&self, index: usize) -> &Slot {
        let [first, second] = &self.slots;
        if index == 0 { first } else { second }
    }

    fn slot_of(&self, file: Handle) -> io::Result<&Slot> {
        let index = self.open.borrow().get(&file).copied().flatten();
        index.map(|index| self.slot(index)).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

impl Disk for WorkerDisk {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Handle> {
        let slot = match (name(path), mode) {
            (SNAPSHOT, OpenMode::Read) => Some(self.current.get().ok_or(io::ErrorKind::NotFound)?),
            (TEMPORARY, OpenMode::Create) => {
                let free = self.free();
                self.slot(free).clear()?;
                Some(free)
            }
            ("lock", OpenMode::Write) => None,
            _ => return Err(io::ErrorKind::NotFound.into()),
        };
        self.opened.set(self.opened.get() + 1);
        self.open.borrow_mut().insert(self.opened.get(), slot);
        Ok(self.opened.get())
    }

    fn close(&self, file: Handle) {
        self.open.borrow_mut().remove(&file);
    }

    fn length(&self, file: Handle) -> io::Result<u64> {
        self.slot_of(file)?.length()
    }

    fn read(&self, file: Handle, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.slot_of(file)?.read(HEADER + at, buffer)
    }

    fn write(&self, file: Handle, at: u64, bytes: &[u8]) -> io::Result<usize> {
        self.slot_of(file)?.write(HEADER + at, bytes)
    }

    fn sync(&self, file: Handle) -> io::Result<()> {
        self.slot_of(file)?.flush()
    }

    fn try_lock(&self, _: Handle) -> Result<(), TryLockError> {
        Ok(())
    }

    fn unlock(&self, _: Handle) {}

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if (name(from), name(to)) != (TEMPORARY, SNAPSHOT) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let new = self.free();
        let old = self.current.get().map_or(0, |current| self.slot(current).number());
        self.slot(new).flush()?;
        self.slot(new).set_number(old + 1)?;
        self.current.set(Some(new));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        match (name(path), self.current.get()) {
            (SNAPSHOT, Some(current)) => {
                // The other one is older, and is not to come back.
                self.slot(self.free()).clear()?;
                self.slot(current).clear()?;
                self.current.set(None);
                Ok(())
            }
            (TEMPORARY, _) => self.slot(self.free()).clear(),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(match name(path) {
            SNAPSHOT => self.current.get().is_some(),
            // SQLite has it, and makes it if it is missing.
            EVENTLOG | "lock" => true,
            name => !name.contains('.'),
        })
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// One of the two files that a snapshot may be in.
struct Slot(FileSystemSyncAccessHandle);

impl Slot {
    async fn open(directory: &FileSystemDirectoryHandle, name: &str) -> Result<Self, JsValue> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let file = JsFuture::from(directory.get_file_handle_with_options(name, &options)).await?;
        let file: FileSystemFileHandle = file.unchecked_into();
        let handle = JsFuture::from(file.create_sync_access_handle()).await?;
        Ok(Self(handle.unchecked_into()))
    }

    /// The number in front; 0 if the file is not whole.
    fn number(&self) -> u64 {
        let mut bytes = [0; HEADER as usize];
        match self.read(0, &mut bytes) {
            Ok(read) if read == bytes.len() => u64::from_le_bytes(bytes),
            _ => 0,
        }
    }

    fn set_number(&self, number: u64) -> io::Result<()> {
        self.write(0, &number.to_le_bytes())?;
        self.flush()
    }

    /// From now on, the file is empty, and not whole.
    fn clear(&self) -> io::Result<()> {
        if self.number() != 0 {
            self.set_number(0)?;
        }
        self.0.truncate_with_f64(HEADER as f64).map_err(refused)
    }

    fn length(&self) -> io::Result<u64> {
        let size = self.0.get_size().map_err(refused)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a size")]
        Ok((size as u64).saturating_sub(HEADER))
    }

    fn read(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_with_u8_array_and_options(buffer, &options(at)).map_err(refused)?;
        Ok(count(read))
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let written =
            self.0.write_with_u8_array_and_options(bytes, &options(at)).map_err(refused)?;
        Ok(count(written))
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush().map_err(refused)
    }
}

fn options(at: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at(at as f64);
    options
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a length")]
fn count(bytes: f64) -> usize {
    bytes as usize
}

fn refused(error: JsValue) -> io::Error {
    let text = js::text(&error);
    let kind = match text.contains("QuotaExceeded") {
        true => io::ErrorKind::StorageFull,
        false => io::ErrorKind::Other,
    };
    io::Error::new(kind, text)
}
