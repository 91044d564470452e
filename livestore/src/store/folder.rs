//! The folder of a store: named after its id, so that no two ids share one.
//!
//! Most folders have the id as their name. On a file system that ignores case, `Todos` and `todos`
//! would be one folder. So the name is in lower case, and a number behind a `~`, which no id
//! contains, says which letters are capitals: one bit for each, in hexadecimal. Windows ignores
//! dots at the end of a name, and reserves a few names for devices: these get a `~`, too.
//!
//! | id | folder |
//! |---|---|
//! | `todos` | `todos` |
//! | `Todos` | `todos~1` |
//! | `myTeam` | `myteam~4` |
//! | `v1.` | `v1.~0` |
//! | `con` | `~con` |

use std::io;
use std::path::{Path, PathBuf};

use super::OpenError;
use crate::edge::files;
use crate::eventlog::EventlogError;

/// The longest path of a file that SQLite opens, in bytes: 512, of which it reserves 8 for the ending
/// of a journal's name. On Windows, the system's limit is lower.
const MAX_PATH: usize = if cfg!(windows) { 259 - 8 } else { 512 - 8 };

/// The longest name of a file of the store.
const LONGEST_FILE: &str = "eventlog.db";

/// Returns the folder of the store in `directory`, as a path that stays the same when the process's
/// directory changes. If it still has the name that earlier versions gave it, it is renamed.
pub(super) fn find(directory: &Path, store_id: &str) -> Result<PathBuf, OpenError> {
    let unusable = |error| unusable(&directory.join(name_of(store_id)), error);
    files::note_open_files_limit();
    let directory = files::absolute(directory).map_err(unusable)?;
    let folder = directory.join(name_of(store_id));
    // SQLite follows symbolic links before it measures.
    let bytes = files::resolve(&folder).join(LONGEST_FILE).as_os_str().len();
    if bytes > MAX_PATH {
        let reason =
            format!("with the name of the eventlog it has {bytes} bytes, of at most {MAX_PATH}");
        return Err(OpenError::PathTooLong { path: folder, reason });
    }
    rename_earlier(&directory, store_id).map_err(unusable)?;
    Ok(folder)
}

/// The error for a folder that cannot be used.
pub(super) fn unusable(folder: &Path, error: io::Error) -> OpenError {
    let path = folder.to_owned();
    if files::is_out_of_files(&error) {
        EventlogError::TooManyOpenFiles { limit: files::open_files_limit() }.into()
    } else if error.kind() == io::ErrorKind::InvalidFilename {
        OpenError::PathTooLong { path, reason: error.to_string() }
    } else {
        OpenError::Directory { path, source: error.into() }
    }
}

/// The name of a store's folder.
pub(crate) fn name_of(store_id: &str) -> String {
    let capitals = store_id.bytes().zip(0..).filter(|(letter, _)| letter.is_ascii_uppercase());
    let capitals = capitals.fold(0_u128, |bits, (_, place)| bits | 1 << place);
    let mut name = store_id.to_ascii_lowercase();
    if capitals != 0 || name.ends_with('.') {
        name = format!("{name}~{capitals:x}");
    }
    if is_device(store_id) { format!("~{name}") } else { name }
}

/// Whether Windows reserves the name for a device. It ignores everything behind a dot.
fn is_device(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    match base.as_str() {
        "con" | "prn" | "aux" | "nul" => true,
        port => matches!(
            port.as_bytes(),
            [b'c', b'o', b'm', b'0'..=b'9'] | [b'l', b'p', b't', b'0'..=b'9']
        ),
    }
}

/// Renames a folder that an earlier version named exactly as its store. Where case is ignored, the
/// folder that `store_id` finds may belong to an id that differs in case: then that one is renamed.
fn rename_earlier(directory: &Path, store_id: &str) -> io::Result<()> {
    let name = name_of(store_id);
    let names = files::names_in(directory)?;
    let is_there = |name: &str| names.iter().any(|found| found == name);
    let ignores_case = !is_there(&name) && files::exists(&directory.join(&name));
    for earlier in names.iter().filter(|found| found.eq_ignore_ascii_case(store_id)) {
        let to = name_of(earlier);
        if to == *earlier || (earlier != store_id && !ignores_case) {
            continue;
        }
        if is_there(&to) {
            tracing::warn!(folder = %earlier, used = %to, "a folder of an earlier version is not used");
            continue;
        }
        match files::rename(&directory.join(earlier), &directory.join(&to)) {
            // Another process has renamed it.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn names_say_their_ids() {
        for (id, name) in [
            ("todos", "todos"),
            ("Todos", "todos~1"),
            ("myTeam", "myteam~4"),
            ("a.B-c_D", "a.b-c_d~44"),
            ("v1.", "v1.~0"),
            ("V1.", "v1.~1"),
            ("con", "~con"),
            ("Con.x", "~con.x~1"),
            ("NUL", "~nul~7"),
            ("com1", "~com1"),
            ("console", "console"),
            ("com10", "com10"),
        ] {
            assert_eq!(name_of(id), name);
        }
        let longest = "Z".repeat(100);
        assert_eq!(name_of(&longest).len(), 126);
    }

    /// Every id of up to four of these characters has a name of its own, whatever the case.
    #[test]
    fn no_two_ids_share_a_name() {
        let mut names = BTreeMap::new();
        let mut ids = vec![String::new()];
        for _ in 0..4 {
            let longer =
                |id: &String| ["c", "C", "o", "n", "N", ".", "1"].map(|c| format!("{id}{c}"));
            ids = ids.iter().flat_map(longer).collect();
            for id in &ids {
                let name = name_of(id);
                assert!(!name.ends_with('.') && !is_device(&name), "{id}: {name}");
                assert_eq!(name, name.to_ascii_lowercase());
                assert_eq!(names.insert(name, id.clone()), None, "{id}");
            }
        }
    }
}
