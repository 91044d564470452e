//! Where a store's sessions find each other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

/// The longest path, in bytes, that every system takes for a socket.
const MAX_PATH: usize = 100;

/// The paths at which the sessions of the store in `folder` may listen, the best one first: in the
/// folder, or, where its path is too long or its file system has no sockets, in a directory of
/// this user's, which is made if it is missing.
pub(super) fn to_listen(folder: &Path) -> io::Result<Vec<PathBuf>> {
    for directory in private_directories() {
        let _ = make_directory(&directory);
    }
    to_dial(folder)
}

/// The paths at which a session of the store in `folder` may be listening. None is where another
/// user could listen instead.
pub(super) fn to_dial(folder: &Path) -> io::Result<Vec<PathBuf>> {
    // Sessions may have come to the folder by different paths.
    let folder = folder.canonicalize()?;
    let name = format!("{:016x}.sock", xxh3_64(folder.as_os_str().as_encoded_bytes()));
    let inside = folder.join("sessions.sock");
    let is_short = inside.as_os_str().len() <= MAX_PATH;
    let private = private_directories().into_iter().filter(|directory| is_private(directory));
    let outside = private.map(|directory| directory.join(&name));
    Ok(is_short.then_some(inside).into_iter().chain(outside).collect())
}

/// Where this user's sockets may be. Not all sessions need to have the same environment.
#[cfg(unix)]
fn private_directories() -> Vec<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute()).map(|path| path.join("livestore"));
    let temporary = std::env::temp_dir().join(format!("livestore-{user}"));
    runtime.into_iter().chain([temporary]).collect()
}

#[cfg(unix)]
fn make_directory(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(directory)
}

/// Whether it is a directory that nobody but this user can reach into.
#[cfg(unix)]
pub(super) fn is_private(directory: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(directory)
        .is_ok_and(|found| found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0)
}

/// Removes the socket of a session that is gone. Anything else is somebody's file.
#[cfg(unix)]
pub(super) fn remove_stale(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path),
        _ => Ok(()),
    }
}

/// Lets only this user connect.
#[cfg(unix)]
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

/// On Windows the directory for temporary files is the user's own.
#[cfg(windows)]
fn private_directories() -> Vec<PathBuf> {
    vec![std::env::temp_dir().join("livestore")]
}

#[cfg(windows)]
fn make_directory(directory: &Path) -> io::Result<()> {
    fs::create_dir(directory)
}

#[cfg(windows)]
fn is_private(directory: &Path) -> bool {
    directory.is_dir()
}

/// Removes the socket of a session that is gone.
#[cfg(windows)]
pub(super) fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// On Windows the socket inherits who may use it from its folder.
#[cfg(windows)]
pub(super) fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}
