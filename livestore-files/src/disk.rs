//! The files of a folder: read with care, and never overwritten if they are not what is expected.

#![expect(clippy::disallowed_methods, reason = "this is where files are read and written")]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::hash::Hash;
use crate::path;

/// The most bytes of a file that is read. An event has at most about 890 kB.
pub(crate) const MAX_BYTES: u64 = 1 << 20;

/// The start of the name of a file that is being written.
const NEW: &str = ".livestore-new-";

/// The start of the name of a file that is being replaced or removed, until it is known what it has.
const OLD: &str = ".livestore-old-";

/// A folder.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    /// Whether a file is on disk before it gets its name.
    is_synced: bool,
}

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Missing,
    File(Contents),
    /// Something that is not read, and why.
    Other(&'static str),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: Hash,
}

impl Found {
    pub(crate) fn hash(&self) -> Option<Hash> {
        match self {
            Self::File(contents) => Some(contents.hash),
            Self::Missing | Self::Other(_) => None,
        }
    }
}

/// What became of a file that was to be written or removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    AsExpected,
    /// It had other contents, which are kept at this path now.
    Kept(String),
    /// There is a file already where none was expected. Nothing has happened.
    Occupied,
}

impl Disk {
    pub(crate) fn new(root: PathBuf, is_synced: bool) -> Self {
        Self { root, is_synced }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn is_synced(&self) -> bool {
        self.is_synced
    }

    fn at(&self, path: &str) -> PathBuf {
        // Windows takes both.
        self.root.join(path)
    }

    /// Reads a file, but follows no symbolic link out of the folder.
    pub(crate) fn read(&self, path: &str) -> io::Result<Found> {
        if let Some(reason) = self.check_folders(path)? {
            return Ok(reason);
        }
        read(&self.at(path))
    }

    /// Checks the folders above a file: what it is if it cannot be reached.
    fn check_folders(&self, path: &str) -> io::Result<Option<Found>> {
        for (end, _) in path.match_indices('/') {
            match fs::symlink_metadata(self.at(path.get(..end).unwrap_or_default())) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => {
                    return Ok(Some(Found::Other("it is in a symbolic link, or in no folder")));
                }
                Err(error) if is_missing(&error) => return Ok(Some(Found::Missing)),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn make_folders(&self, path: &str) -> io::Result<()> {
        for (end, _) in path.match_indices('/') {
            let folder = self.at(path.get(..end).unwrap_or_default());
            match fs::symlink_metadata(&folder) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => {
                    let reason =
                        format!("{} is not a folder, or a symbolic link", folder.display());
                    return Err(io::Error::new(ErrorKind::NotADirectory, reason));
                }
                Err(_) => match fs::create_dir(&folder) {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                },
            }
        }
        Ok(())
    }

    /// Writes a file: it has all of the contents under its name, or does not have the name. `expected` is
    /// what is there now; if something else is, that is kept beside it.
    pub(crate) fn write(
        &self,
        path: &str,
        contents: &[u8],
        expected: Option<Hash>,
    ) -> io::Result<Done> {
        self.make_folders(path)?;
        let to = self.at(path);
        // Whoever may read the file may read it afterwards.
        let before = match expected {
            Some(_) => fs::symlink_metadata(&to).ok().filter(fs::Metadata::is_file),
            None => None,
        };
        let mut new = self.temporary(&to)?;
        new.write_all(contents)?;
        if let Some(before) = before {
            new.as_file().set_permissions(before.permissions())?;
        }
        if self.is_synced {
            new.as_file().sync_all()?;
        }
        match expected {
            Some(expected) => self.replace(new, path, expected),
            None => match new.persist_noclobber(&to) {
                Ok(_) => Ok(Done::AsExpected),
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(Done::Occupied),
                Err(error) => Err(error.error),
            },
        }
    }

    fn temporary(&self, beside: &Path) -> io::Result<NamedTempFile> {
        let mut new = tempfile::Builder::new();
        new.prefix(NEW);
        // As any program would create it: the umask decides.
        #[cfg(unix)]
        new.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
        new.tempfile_in(beside.parent().unwrap_or(&self.root))
    }

    /// Puts the new file in place of the one at the path, and looks at that afterwards: somebody may have
    /// written it until the last moment.
    fn replace(&self, new: NamedTempFile, path: &str, expected: Hash) -> io::Result<Done> {
        let to = self.at(path);
        let old = old_path(&to);
        match exchange(new.path(), &old, &to) {
            Ok(()) => {
                // Its name is the old file's now.
                drop(new.into_temp_path().keep());
                self.inspect(&old, path, expected)
            }
            Err(error) if is_missing(&error) => match new.persist_noclobber(&to) {
                Ok(_) => Ok(Done::AsExpected),
                Err(error) => Err(error.error),
            },
            Err(_) => {
                // Not on this file system, or system.
                let taken = move_away(&to, &old)?;
                new.persist_noclobber(&to).map_err(|error| error.error)?;
                if taken { self.inspect(&old, path, expected) } else { Ok(Done::AsExpected) }
            }
        }
    }

    /// Renames a file whose name differs in case alone, if it is there.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.make_folders(to)?;
        move_away(&self.at(from), &self.at(to)).map(drop)
    }

    /// Removes a file. If it is not the `expected` one, it is kept beside.
    pub(crate) fn remove(&self, path: &str, expected: Hash) -> io::Result<Done> {
        if self.check_folders(path)?.is_some() {
            return Ok(Done::AsExpected);
        }
        let from = self.at(path);
        let old = old_path(&from);
        if !move_away(&from, &old)? {
            return Ok(Done::AsExpected);
        }
        let done = self.inspect(&old, path, expected)?;
        self.remove_empty_folders(path);
        Ok(done)
    }

    /// Removes folders that are empty now.
    fn remove_empty_folders(&self, path: &str) {
        for (end, _) in path.rmatch_indices('/') {
            if fs::remove_dir(self.at(path.get(..end).unwrap_or_default())).is_err() {
                return;
            }
        }
    }

    /// Removes what was moved to `old`, if it is the expected file, and keeps it beside `path` if not.
    fn inspect(&self, old: &Path, path: &str, expected: Hash) -> io::Result<Done> {
        match read(old)? {
            Found::File(found) if found.hash != expected => {
                Ok(Done::Kept(self.keep_beside(old, path, found.hash)?))
            }
            Found::Missing => Ok(Done::AsExpected),
            // A symbolic link is removed, not what it leads to.
            Found::File(_) => fs::remove_file(old).map(|()| Done::AsExpected),
            Found::Other(_) if is_symlink(old) => fs::remove_file(old).map(|()| Done::AsExpected),
            Found::Other(_) => {
                let hash = Hash::of(old.as_os_str().as_encoded_bytes());
                Ok(Done::Kept(self.keep_beside(old, path, hash)?))
            }
        }
    }

    fn keep_beside(&self, old: &Path, path: &str, hash: Hash) -> io::Result<String> {
        let mut name = hash;
        loop {
            let kept = path::conflict(path, name);
            let to = self.at(&kept);
            match fs::hard_link(old, &to) {
                Ok(()) => {}
                // The same text was kept before, or the process has ended in between.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if read(&to)?.hash() != Some(hash) {
                        // Somebody has edited it: that is kept, too.
                        name = Hash::of(&name.to_bytes());
                        continue;
                    }
                }
                // There are no links on this file system.
                Err(_) if to.exists() => {
                    name = Hash::of(&name.to_bytes());
                    continue;
                }
                Err(_) => return fs::rename(old, &to).map(|()| kept),
            }
            fs::remove_file(old)?;
            return Ok(kept);
        }
    }

    /// Has the names of files in these folders on disk.
    pub(crate) fn sync_folders<'p>(&self, paths: impl Iterator<Item = &'p str>) -> io::Result<()> {
        if !self.is_synced || cfg!(windows) {
            return Ok(());
        }
        let mut folders: Vec<&str> = paths
            .map(|path| path.rfind('/').and_then(|end| path.get(..end)).unwrap_or(""))
            .collect();
        folders.sort_unstable();
        folders.dedup();
        for folder in folders {
            match File::open(self.at(folder)) {
                Ok(folder) => folder.sync_all()?,
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the files with this extension, and the names that are not readable.
    pub(crate) fn scan(&self, extension: &str) -> io::Result<Scan> {
        let mut scan = Scan::default();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(self.at(&folder)) {
                Ok(entries) => entries,
                // It has gone meanwhile.
                Err(error) if is_missing(&error) && !folder.is_empty() => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                let path = |name: &str| match &*folder {
                    "" => name.to_owned(),
                    folder => format!("{folder}/{name}"),
                };
                let Some(name) = name.to_str() else {
                    scan.unreadable.push(path(&name.to_string_lossy()));
                    continue;
                };
                let path = path(name);
                if name.starts_with(NEW) || name.starts_with(OLD) {
                    scan.left.push(path);
                } else if !path::is_visible(name) {
                    continue;
                } else if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else if path::is_ours(&path, extension) {
                    scan.files.push(path);
                }
            }
        }
        scan.files.sort_unstable();
        Ok(scan)
    }

    /// Brings a file in order that a process has left which ended while it wrote. One that was replaced, and is
    /// none of the `known` ones, is kept.
    pub(crate) fn recover(&self, left: &str, is_known: impl Fn(Hash) -> bool) -> io::Result<()> {
        let at = self.at(left);
        let name = left.rsplit('/').next().unwrap_or(left);
        match read(&at)? {
            Found::File(found) if name.starts_with(OLD) && !is_known(found.hash) => {
                let original = left.replace(OLD, "");
                self.keep_beside(&at, &original, found.hash).map(drop)
            }
            Found::Missing => Ok(()),
            _ => fs::remove_file(&at),
        }
    }
}

/// The files of a folder.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) files: Vec<String>,
    /// Names that are not text.
    pub(crate) unreadable: Vec<String>,
    /// Files of this crate, of a process that has ended.
    pub(crate) left: Vec<String>,
}

/// The path for a file while it is replaced or removed.
fn old_path(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    path.with_file_name(format!("{OLD}{name}"))
}

/// Moves the file at `to` to `old`, and the `new` one to `to`, in one step that loses nothing.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(new: &Path, old: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    // So a process that ends behind the exchange leaves a file that is known to be an old one.
    fs::rename(new, old)?;
    renameat_with(CWD, old, CWD, to, RenameFlags::EXCHANGE).map_err(|error| {
        let error = io::Error::from(error);
        match fs::rename(old, new) {
            Ok(()) => error,
            Err(error) => error,
        }
    })
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_new: &Path, _old: &Path, _to: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Moves a file. Returns whether it was there.
fn move_away(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> io::Result<Found> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if is_missing(&error) => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    if found.is_symlink() {
        return Ok(Found::Other("it is a symbolic link, which is not followed"));
    }
    if !found.is_file() {
        return Ok(Found::Other("it is not a file"));
    }
    if found.len() > MAX_BYTES {
        return Ok(Found::Other("it has more than 1 MiB"));
    }
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?,
        Err(error) if is_missing(&error) => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Ok(Found::Other("it has more than 1 MiB"));
    }
    let hash = Hash::of(&bytes);
    Ok(Found::File(Contents { bytes, hash }))
}

fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn disk() -> (TempDir, Disk) {
        let directory = TempDir::new().unwrap();
        let disk = Disk::new(directory.path().to_owned(), true);
        (directory, disk)
    }

    fn text(disk: &Disk, path: &str) -> String {
        fs::read_to_string(disk.at(path)).unwrap()
    }

    fn names(disk: &Disk) -> Vec<String> {
        let names = fs::read_dir(disk.root()).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_is_as_expected_is_replaced_and_leaves_nothing() {
        let (_directory, disk) = disk();
        assert_eq!(disk.write("a/b.md", b"1", None).unwrap(), Done::AsExpected);
        let expected = Some(Hash::of(b"1"));
        assert_eq!(disk.write("a/b.md", b"2", expected).unwrap(), Done::AsExpected);
        assert_eq!(text(&disk, "a/b.md"), "2");
        assert_eq!(fs::read_dir(disk.at("a")).unwrap().count(), 1);
        assert_eq!(disk.remove("a/b.md", Hash::of(b"2")).unwrap(), Done::AsExpected);
        assert!(names(&disk).is_empty(), "the folder goes, too");
    }

    #[test]
    fn what_somebody_has_written_until_the_last_moment_is_kept() {
        let (_directory, disk) = disk();
        fs::write(disk.at("a.md"), "theirs").unwrap();
        let kept = path::conflict("a.md", Hash::of(b"theirs"));
        let done = disk.write("a.md", b"ours", Some(Hash::of(b"before"))).unwrap();
        assert_eq!(done, Done::Kept(kept.clone()));
        assert_eq!((text(&disk, "a.md"), text(&disk, &kept)), ("ours".into(), "theirs".into()));
        // The same again makes no second one.
        fs::write(disk.at("a.md"), "theirs").unwrap();
        assert_eq!(disk.remove("a.md", Hash::of(b"ours")).unwrap(), Done::Kept(kept.clone()));
        assert_eq!(names(&disk), [&*kept]);
        // What was kept may have been edited since.
        fs::write(disk.at(&kept), "edited").unwrap();
        fs::write(disk.at("a.md"), "theirs").unwrap();
        let Done::Kept(again) = disk.remove("a.md", Hash::of(b"ours")).unwrap() else { panic!() };
        assert_eq!((text(&disk, &kept), text(&disk, &again)), ("edited".into(), "theirs".into()));
        assert!(path::is_conflict(&again));
    }

    #[test]
    fn where_no_file_is_expected_none_is_replaced() {
        let (_directory, disk) = disk();
        fs::write(disk.at("a.md"), "theirs").unwrap();
        assert_eq!(disk.write("a.md", b"ours", None).unwrap(), Done::Occupied);
        assert_eq!((text(&disk, "a.md"), names(&disk).len()), ("theirs".into(), 1));
    }

    #[test]
    fn a_file_that_has_gone_is_written_anew() {
        let (_directory, disk) = disk();
        let done = disk.write("a.md", b"1", Some(Hash::of(b"0"))).unwrap();
        assert_eq!((done, names(&disk)), (Done::AsExpected, vec!["a.md".to_owned()]));
        assert_eq!(disk.remove("b.md", Hash::of(b"0")).unwrap(), Done::AsExpected);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_who_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, disk) = disk();
        let mode = |path: &str| fs::metadata(disk.at(path)).unwrap().permissions().mode() & 0o777;
        disk.write("new.md", b"1", None).unwrap();
        fs::write(disk.at("plain.md"), "1").unwrap();
        assert_eq!(mode("new.md"), mode("plain.md"), "as any program would create it");
        fs::set_permissions(disk.at("new.md"), fs::Permissions::from_mode(0o640)).unwrap();
        disk.write("new.md", b"2", Some(Hash::of(b"1"))).unwrap();
        assert_eq!(mode("new.md"), 0o640);
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_is_an_error() {
        let (_directory, disk) = disk();
        fs::write(disk.at("a"), "").unwrap();
        let error = disk.write("a/b.md", b"1", None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
        assert!(matches!(disk.read("a/b.md").unwrap(), Found::Other(_)));
    }
}
