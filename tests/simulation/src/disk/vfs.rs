//! SQLite's way to the disk: a VFS, which is the process's default one.
//!
//! A path that is not on a simulated disk goes on to the VFS that was the default before. Files
//! without a name (SQLite's temporary ones) live here and die with their connection: no crash
//! leaves anything of them.
#![expect(unsafe_code, reason = "a VFS is a table of C functions that are handed pointers")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::Once;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::locks::{Level, Region};
use super::state::{Failure, HandleId};
use super::{Shared, disk_of, is_simulated, lock};

/// Makes it the default. SQLite keeps pointers to it, so it is never freed.
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: `sqlite3_vfs_find` gives a VFS that is registered, and those live on. Ours is a copy
        // of it with other functions, and is leaked.
        unsafe {
            let former = ffi::sqlite3_vfs_find(ptr::null());
            let size = c_int::try_from(size_of::<File>()).unwrap_or(c_int::MAX);
            let ours = Box::leak(Box::new(sqlite3_vfs {
                iVersion: 1,
                szOsFile: size.max((*former).szOsFile),
                pNext: ptr::null_mut(),
                zName: c"simulation".as_ptr(),
                pAppData: former.cast(),
                xOpen: Some(open),
                xDelete: Some(delete),
                xAccess: Some(access),
                xFullPathname: Some(full_pathname),
                xSleep: Some(sleep),
                ..*former
            }));
            assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
        }
    });
}

/// Has SQLite's own random numbers (the salts of a write-ahead log) begin anew. They belong to the
/// whole process: a run has the same bytes as another only if nothing else runs beside it.
pub fn seed_sqlite(seed: i32) {
    register();
    // SAFETY: the operation takes an int and a connection, which may be null.
    unsafe {
        ffi::sqlite3_test_control(
            ffi::SQLITE_TESTCTRL_PRNG_SEED,
            seed,
            ptr::null_mut::<ffi::sqlite3>(),
        );
        ffi::sqlite3_randomness(0, ptr::null_mut());
    }
}

/// What SQLite gives room for and hands back to us.
#[repr(C)]
struct File {
    base: sqlite3_file,
    open: *mut OpenFile,
}

enum OpenFile {
    OnDisk {
        disk: Shared,
        id: HandleId,
        /// The first sync makes the name durable, too, as SQLite's own VFS does for journals.
        sync_folder: bool,
        /// Keeps the memory that SQLite has pointers to, even when a crash has taken the handle.
        regions: Vec<Region>,
    },
    Unnamed(Vec<u8>),
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_file),
    xUnlock: Some(unlock_file),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

// SAFETY of all that follows: SQLite calls these functions as its documentation says. `vfs` is ours,
// whose `pAppData` is the former VFS; names are null or end with a zero; buffers have the length that
// is told; a `file` was filled by `open` and is closed once; out-pointers are valid.

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let opened = match unsafe { path_of(name) } {
        Some(path) if !is_simulated(path) => {
            let former = unsafe { former(vfs) };
            return unsafe {
                former
                    .xOpen
                    .map_or(ffi::SQLITE_CANTOPEN, |open| open(former, name, file, flags, out_flags))
            };
        }
        Some(path) => open_on_disk(path, flags),
        None => Ok(OpenFile::Unnamed(Vec::new())),
    };
    let file = file.cast::<File>();
    unsafe { (*file).base.pMethods = ptr::null() };
    match opened {
        Err(Failure::Full) => ffi::SQLITE_FULL,
        Err(_) => ffi::SQLITE_CANTOPEN,
        Ok(open) => unsafe {
            (*file).base.pMethods = &raw const METHODS;
            (*file).open = Box::into_raw(Box::new(open));
            if !out_flags.is_null() {
                *out_flags = flags;
            }
            ffi::SQLITE_OK
        },
    }
}

fn open_on_disk(path: &Path, flags: c_int) -> Result<OpenFile, Failure> {
    let disk = disk_of(path).ok_or(Failure::NotFound)?;
    let creates = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let id = lock(&disk).open(path, creates)?;
    let journals =
        ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let sync_folder = creates && flags & journals != 0;
    Ok(OpenFile::OnDisk { disk, id, sync_folder, regions: Vec::new() })
}

unsafe extern "C" fn delete(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    let Some(path) = (unsafe { path_of(name) }).filter(|path| is_simulated(path)) else {
        let former = unsafe { former(vfs) };
        return unsafe {
            former
                .xDelete
                .map_or(ffi::SQLITE_IOERR_DELETE, |delete| delete(former, name, sync_folder))
        };
    };
    let Some(disk) = disk_of(path) else { return ffi::SQLITE_IOERR_DELETE_NOENT };
    let mut disk = lock(&disk);
    match (disk.remove(path), path.parent()) {
        (Err(Failure::NotFound), _) => ffi::SQLITE_IOERR_DELETE_NOENT,
        (Err(_), _) => ffi::SQLITE_IOERR_DELETE,
        (Ok(()), Some(folder)) if sync_folder != 0 => {
            code(disk.sync_folder(folder), ffi::SQLITE_IOERR_DIR_FSYNC)
        }
        (Ok(()), _) => ffi::SQLITE_OK,
    }
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    found: *mut c_int,
) -> c_int {
    let Some(path) = (unsafe { path_of(name) }).filter(|path| is_simulated(path)) else {
        let former = unsafe { former(vfs) };
        return unsafe {
            former
                .xAccess
                .map_or(ffi::SQLITE_IOERR_ACCESS, |access| access(former, name, flags, found))
        };
    };
    let Some(disk) = disk_of(path) else { return ffi::SQLITE_IOERR_ACCESS };
    match lock(&disk).stat(path) {
        // An empty file counts as none, as in SQLite's own VFS.
        Ok(length) => unsafe { *found = c_int::from(length.is_some_and(|length| length > 0)) },
        Err(_) => return ffi::SQLITE_IOERR_ACCESS,
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    let path = unsafe { path_of(name) };
    if !path.is_some_and(is_simulated) {
        let former = unsafe { former(vfs) };
        return unsafe {
            former.xFullPathname.map_or(ffi::SQLITE_CANTOPEN, |full| full(former, name, room, out))
        };
    }
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if bytes.len() > usize::try_from(room).unwrap_or_default() {
        return ffi::SQLITE_CANTOPEN;
    }
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
    ffi::SQLITE_OK
}

/// Time does not pass by itself: whoever waits for a lock has waited.
unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let open = unsafe { Box::from_raw((*file.cast::<File>()).open) };
    if let OpenFile::OnDisk { disk, id, .. } = *open {
        lock(&disk).close(id);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size(length)) };
    let read = match unsafe { open_file(file) } {
        OpenFile::OnDisk { disk, id, .. } => lock(disk).read(*id, place(offset), buffer),
        OpenFile::Unnamed(bytes) => Ok(copy(bytes, place(offset), buffer)),
    };
    match read {
        Err(_) => ffi::SQLITE_IOERR_READ,
        Ok(read) if read == buffer.len() => ffi::SQLITE_OK,
        Ok(read) => {
            buffer.iter_mut().skip(read).for_each(|byte| *byte = 0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), size(length)) };
    match unsafe { open_file(file) } {
        OpenFile::OnDisk { disk, id, .. } => {
            code(lock(disk).write(*id, place(offset), bytes), ffi::SQLITE_IOERR_WRITE)
        }
        OpenFile::Unnamed(unnamed) => {
            super::inode::put(unnamed, place(offset), bytes);
            ffi::SQLITE_OK
        }
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    match unsafe { open_file(file) } {
        OpenFile::OnDisk { disk, id, .. } => {
            code(lock(disk).truncate(*id, place(length)), ffi::SQLITE_IOERR_TRUNCATE)
        }
        OpenFile::Unnamed(bytes) => {
            bytes.resize(place(length), 0);
            ffi::SQLITE_OK
        }
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    let OpenFile::OnDisk { disk, id, sync_folder, .. } = (unsafe { open_file(file) }) else {
        return ffi::SQLITE_OK;
    };
    let synced = lock(disk).sync(*id, *sync_folder);
    *sync_folder &= synced.is_err();
    code(synced, ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut sqlite3_int64) -> c_int {
    let length = match unsafe { open_file(file) } {
        OpenFile::OnDisk { disk, id, .. } => lock(disk).length(*id),
        OpenFile::Unnamed(bytes) => Ok(bytes.len()),
    };
    let length = length.map(|length| unsafe { *out = length as sqlite3_int64 });
    code(length, ffi::SQLITE_IOERR_FSTAT)
}

unsafe extern "C" fn lock_file(file: *mut sqlite3_file, wanted: c_int) -> c_int {
    let OpenFile::OnDisk { disk, id, .. } = (unsafe { open_file(file) }) else {
        return ffi::SQLITE_OK;
    };
    code(lock(disk).lock(*id, level(wanted)), ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock_file(file: *mut sqlite3_file, wanted: c_int) -> c_int {
    let OpenFile::OnDisk { disk, id, .. } = (unsafe { open_file(file) }) else {
        return ffi::SQLITE_OK;
    };
    code(lock(disk).unlock(*id, level(wanted)), ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    let reserved = match unsafe { open_file(file) } {
        OpenFile::OnDisk { disk, id, .. } => lock(disk).is_reserved(*id),
        OpenFile::Unnamed(_) => Ok(false),
    };
    let reserved = reserved.map(|reserved| unsafe { *out = c_int::from(reserved) });
    code(reserved, ffi::SQLITE_IOERR_CHECKRESERVEDLOCK)
}

unsafe extern "C" fn file_control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    4_096
}

unsafe extern "C" fn device_characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    index: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    unsafe { *out = ptr::null_mut() };
    let OpenFile::OnDisk { disk, id, regions, .. } = (unsafe { open_file(file) }) else {
        return ffi::SQLITE_IOERR_SHMMAP;
    };
    let region = lock(disk).map(*id, size(index), size(bytes), extend != 0);
    let mapped = region.map(|region| {
        if let Some(region) = region {
            unsafe { *out = region.as_ptr().cast_mut().cast() };
            regions.push(region);
        }
    });
    code(mapped, ffi::SQLITE_IOERR_SHMMAP)
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let OpenFile::OnDisk { disk, id, .. } = (unsafe { open_file(file) }) else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    let slots = (0..8)
        .filter(|slot| (first..first + count).contains(slot))
        .fold(0, |slots, slot| slots | 1 << slot);
    let done = match flags & ffi::SQLITE_SHM_UNLOCK {
        0 => lock(disk).lock_slots(*id, slots, flags & ffi::SQLITE_SHM_EXCLUSIVE != 0),
        _ => lock(disk).unlock_slots(*id, slots),
    };
    match done {
        // A lock that the operating system does not give is busy to SQLite's own VFS, whatever the reason.
        Err(Failure::Io) => ffi::SQLITE_BUSY,
        done => code(done, ffi::SQLITE_IOERR_SHMLOCK),
    }
}

unsafe extern "C" fn shm_barrier(_: *mut sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, _: c_int) -> c_int {
    if let OpenFile::OnDisk { disk, id, regions, .. } = unsafe { open_file(file) } {
        lock(disk).unmap(*id);
        regions.clear();
    }
    ffi::SQLITE_OK
}

unsafe fn former<'v>(vfs: *mut sqlite3_vfs) -> &'v mut sqlite3_vfs {
    unsafe { &mut *(*vfs).pAppData.cast::<sqlite3_vfs>() }
}

unsafe fn open_file<'f>(file: *mut sqlite3_file) -> &'f mut OpenFile {
    unsafe { &mut *(*file.cast::<File>()).open }
}

unsafe fn path_of<'n>(name: *const c_char) -> Option<&'n Path> {
    if name.is_null() {
        return None;
    }
    // Another file system's path may be anything; ours are text.
    Some(Path::new(unsafe { CStr::from_ptr(name) }.to_str().unwrap_or_default()))
}

fn code(done: Result<(), Failure>, failed: c_int) -> c_int {
    match done {
        Ok(()) => ffi::SQLITE_OK,
        Err(Failure::Full) => ffi::SQLITE_FULL,
        Err(Failure::Busy) => ffi::SQLITE_BUSY,
        Err(Failure::Dead | Failure::Io | Failure::NotFound) => failed,
    }
}

fn level(level: c_int) -> Level {
    match level {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

fn copy(bytes: &[u8], offset: usize, buffer: &mut [u8]) -> usize {
    let rest = bytes.get(offset..).unwrap_or_default();
    buffer.iter_mut().zip(rest).map(|(to, from)| *to = *from).count()
}

fn size(number: c_int) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn place(number: sqlite3_int64) -> usize {
    usize::try_from(number).unwrap_or_default()
}
