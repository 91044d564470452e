//! The package that is compiled: where its lock is, what the lock says, and which mode was asked for.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use livestore_shape::{ItemKind, Lock, Shape};
use proc_macro2::TokenStream;
use quote::quote;

/// The value of `LIVESTORE_SCHEMA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Not set: a breaking change is an error, a harmless one a note.
    Check,
    /// `accept`: the lock is written from what is declared.
    Accept,
    /// `frozen`: any difference is an error.
    Frozen,
}

/// A package that is being compiled, and its `livestore.lock`.
#[derive(Debug)]
pub struct Package {
    /// The name that `cargo -p` knows it by.
    pub(crate) name: String,
    pub(crate) mode: Mode,
    has_file: bool,
    /// `None` if there is no file, or it cannot be read.
    pub(crate) recorded: Option<Arc<Lock>>,
    /// The mark of items in a binary beside the package's main target.
    pub(crate) mark: Option<String>,
    /// The reason why nothing can be compared, if there is one.
    pub(crate) problem: Option<String>,
}

impl Package {
    /// Returns the package whose library or binary is being compiled; `file` is where the item stands.
    ///
    /// Returns `None` in tests, benches, examples and doc tests, which have no lock; in a package that
    /// cargo has downloaded, whose lock is its author's; and in one that has opted out with
    /// `lock = false` under `[package.metadata.livestore]`.
    pub fn of_cargo(file: Option<&Path>) -> Option<Self> {
        let folder = folder()?;
        // Cargo sets it for integration tests and benches.
        let is_test = env::var_os("CARGO_TARGET_TMPDIR").is_some() || is_doc_test(file);
        let is_example = file.is_some_and(|file| is_in_examples(&folder, file));
        if is_test || is_example || is_downloaded(&folder) {
            return None;
        }
        let lock = read(&path_in(&folder));
        if lock.is_none() && has_opted_out(&folder) {
            return None;
        }
        let mode = env::var("LIVESTORE_SCHEMA").ok();
        let name = env::var("CARGO_PKG_NAME").unwrap_or_default();
        let package = Self::with(mode.as_deref(), lock);
        Some(Self { name, mark: other_binary(&folder), ..package })
    }

    /// Returns a package with this value of `LIVESTORE_SCHEMA` and this text in its lock.
    pub fn new(mode: Option<&str>, lock: Option<&str>) -> Self {
        Self::with(mode, lock.map(parse))
    }

    fn with(mode: Option<&str>, lock: Option<Parsed>) -> Self {
        let (mode, wrong_mode) = match mode {
            None | Some("") => (Mode::Check, None),
            Some("accept") => (Mode::Accept, None),
            Some("frozen") => (Mode::Frozen, None),
            Some(other) => (
                Mode::Check,
                Some(format!(
                    "LIVESTORE_SCHEMA is `{other}`: it can be `accept` or `frozen`, or not be set"
                )),
            ),
        };
        let has_file = lock.is_some();
        let (recorded, wrong_lock) = match lock.transpose() {
            Ok(recorded) => (recorded, None),
            Err(error) => (None, Some(error)),
        };
        Self {
            name: String::new(),
            mode,
            has_file,
            recorded,
            mark: None,
            problem: wrong_mode.or(wrong_lock),
        }
    }

    /// Whether there is no lock, and none is about to be written.
    pub(crate) fn lacks_lock(&self) -> bool {
        self.mode == Mode::Check && !self.has_file && self.problem.is_none()
    }

    /// Returns the recorded shape of an item.
    pub(crate) fn shape_of(&self, kind: ItemKind, name: &str) -> Option<Shape> {
        let mut shape = self.recorded.as_ref()?.get(kind, name)?.clone();
        shape.head.marks.retain(|mark| !mark.starts_with("bin/"));
        Some(shape)
    }

    /// Returns code that makes cargo compile the item again when the lock or the variable changes.
    pub(crate) fn tracking(&self) -> TokenStream {
        let file = self.has_file.then(|| {
            quote! {
                const _: &[u8] = ::core::include_bytes!(
                    ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/livestore.lock")
                );
            }
        });
        quote! {
            const _: ::core::option::Option<&str> = ::core::option_env!("LIVESTORE_SCHEMA");
            #file
        }
    }
}

/// The lock's content, or an error message.
type Parsed = Result<Arc<Lock>, String>;

fn parse(text: &str) -> Parsed {
    Lock::parse(text).map(Arc::new).map_err(|error| error.to_string())
}

/// Reads the lock; returns `None` if there is no file.
///
/// Every item of a crate asks, so the result is cached for as long as the file is unchanged: an editor's
/// macro server lives for days.
fn read(path: &Path) -> Option<Parsed> {
    static CACHE: Mutex<Option<(PathBuf, SystemTime, Parsed)>> = Mutex::new(None);
    let modified = std::fs::metadata(path).and_then(|file| file.modified()).ok()?;
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((cached_path, cached_time, parsed)) = &*cache
        && cached_path == path
        && *cached_time == modified
    {
        return Some(parsed.clone());
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("livestore.lock: {error}"));
    let parsed = text.and_then(|text| parse(&text));
    *cache = Some((path.to_owned(), modified, parsed.clone()));
    Some(parsed)
}

/// Whether `Cargo.toml` says `lock = false` under `[package.metadata.livestore]`.
fn has_opted_out(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    opts_out(&manifest)
}

fn opts_out(manifest: &str) -> bool {
    let lines = manifest.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let section = lines.skip_while(|line| *line != "[package.metadata.livestore]").skip(1);
    let keys = section.take_while(|line| !line.starts_with('['));
    keys.filter_map(|line| line.split_once('='))
        .any(|(key, value)| key.trim() == "lock" && value.trim() == "false")
}

/// The package's folder.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)
}

/// The lock in a package's folder.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join("livestore.lock")
}

/// Returns the mark of the binary that is compiled, unless it is the package's main target: its library
/// or, without one, the binary of the package's own name.
pub(crate) fn other_binary(folder: &Path) -> Option<String> {
    let binary = env::var("CARGO_BIN_NAME").ok()?;
    let has_library = folder.join("src/lib.rs").exists();
    let is_main = !has_library && env::var("CARGO_PKG_NAME").is_ok_and(|name| name == binary);
    (!is_main).then(|| format!("bin/{binary}"))
}

/// Whether a doc test is compiled. Rustdoc sets the variable for one that is compiled alone, and bundles
/// the others in a folder of this name.
fn is_doc_test(file: Option<&Path>) -> bool {
    let is_bundle = |part: &OsStr| part.to_string_lossy().starts_with("rustdoctest");
    env::var_os("UNSTABLE_RUSTDOC_TEST_PATH").is_some()
        || file.is_some_and(|file| file.iter().any(is_bundle))
}

/// Whether cargo has put the package there: it leaves the first file at the root of a package that it
/// unpacks, and the second in one that it vendors.
fn is_downloaded(folder: &Path) -> bool {
    folder.ancestors().any(|folder| folder.join(".cargo-ok").exists())
        || folder.join(".cargo-checksum.json").exists()
}

fn is_in_examples(folder: &Path, file: &Path) -> bool {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    absolute.starts_with(folder.join("examples"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_opts_out_in_its_own_section_only() {
        let opted_out =
            "[package]\nname = \"x\"\n\n[package.metadata.livestore]\nlock = false # why\n";
        assert!(opts_out(opted_out));
        for manifest in [
            "",
            "[package.metadata.livestore]\nlock = true\n",
            "[package.metadata.livestore]\n[package.metadata.other]\nlock = false\n",
            "[package.metadata.other]\nlock = false\n[package.metadata.livestore]\n",
            "# [package.metadata.livestore]\nlock = false\n",
        ] {
            assert!(!opts_out(manifest), "{manifest}");
        }
    }
}
