//! The package that is compiled: where its lock is, what it says, and what is to be done with it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use livestore_shape::{Kind, Lock, Shape};
use proc_macro2::TokenStream;
use quote::quote;

/// What `LIVESTORE_SCHEMA` can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Not set: what breaks is an error, what is new a note.
    Check,
    /// `accept`: what is declared is written down.
    Accept,
    /// `frozen`: any difference is an error.
    Frozen,
}

/// A package that is being compiled, and its `livestore.lock`.
#[derive(Debug)]
pub struct Package {
    pub(crate) mode: Mode,
    has_file: bool,
    /// `None` when there is no file, or one that is not understood.
    pub(crate) recorded: Option<Arc<Lock>>,
    /// Set for items of a binary beside the package's main target.
    pub(crate) mark: Option<String>,
    /// Why nothing can be compared.
    pub(crate) problem: Option<String>,
}

impl Package {
    /// The package whose library or binary is compiled, `file` being where the item is; `None` in
    /// tests, benches, examples and doc tests, which have no lock, and in what cargo has downloaded,
    /// whose authors have theirs.
    pub fn of_cargo(file: Option<&Path>) -> Option<Self> {
        let folder = folder()?;
        // Cargo sets it for integration tests and benches.
        let is_test = env::var_os("CARGO_TARGET_TMPDIR").is_some() || is_doc_test(file);
        let is_example = file.is_some_and(|file| is_in_examples(&folder, file));
        if is_test || is_example || is_downloaded(&folder) {
            return None;
        }
        let mode = env::var("LIVESTORE_SCHEMA").ok();
        let package = Self::with(mode.as_deref(), read(&path_in(&folder)));
        Some(Self { mark: other_binary(&folder), ..package })
    }

    /// A package of which this is known.
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
        Self { mode, has_file, recorded, mark: None, problem: wrong_mode.or(wrong_lock) }
    }

    /// Whether there is no lock, and none is about to be.
    pub(crate) fn is_new(&self) -> bool {
        self.mode == Mode::Check && !self.has_file && self.problem.is_none()
    }

    /// The recorded shape of an item.
    pub(crate) fn shape_of(&self, kind: Kind, name: &str) -> Option<Shape> {
        let mut shape = self.recorded.as_ref()?.get(kind, name)?.clone();
        shape.head.marks.retain(|mark| !mark.starts_with("bin/"));
        Some(shape)
    }

    /// Has cargo compile the item again when the lock or the variable changes.
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

/// The lock's content, or what is wrong with it.
type Parsed = Result<Arc<Lock>, String>;

fn parse(text: &str) -> Parsed {
    Lock::parse(text).map(Arc::new).map_err(|error| error.to_string())
}

/// Reads the lock; `None` without a file. Every item of a crate asks, so what was read is kept for as
/// long as the file is the same: an editor's macro server lives for days.
fn read(path: &Path) -> Option<Parsed> {
    static KEPT: Mutex<Option<(PathBuf, SystemTime, Parsed)>> = Mutex::new(None);
    let modified = std::fs::metadata(path).and_then(|file| file.modified()).ok()?;
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((its, then, parsed)) = &*kept
        && its == path
        && *then == modified
    {
        return Some(parsed.clone());
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("livestore.lock: {error}"));
    let parsed = text.and_then(|text| parse(&text));
    *kept = Some((path.to_owned(), modified, parsed.clone()));
    Some(parsed)
}

/// The package's folder.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)
}

/// The lock in a package's folder.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join("livestore.lock")
}

/// The binary that is compiled, unless it is the package's main target: its library, or without one
/// the binary of the package's own name.
pub(crate) fn other_binary(folder: &Path) -> Option<String> {
    let binary = env::var("CARGO_BIN_NAME").ok()?;
    let has_library = folder.join("src/lib.rs").exists();
    let is_main = !has_library && env::var("CARGO_PKG_NAME").is_ok_and(|name| name == binary);
    (!is_main).then(|| format!("bin/{binary}"))
}

/// Rustdoc sets the variable for a test that is compiled alone, and bundles the others in a folder of
/// this name.
fn is_doc_test(file: Option<&Path>) -> bool {
    let is_bundle = |part: &OsStr| part.to_string_lossy().starts_with("rustdoctest");
    env::var_os("UNSTABLE_RUSTDOC_TEST_PATH").is_some()
        || file.is_some_and(|file| file.iter().any(is_bundle))
}

/// Cargo leaves the first file at the root of what it unpacks, and the second in what it vendors.
fn is_downloaded(folder: &Path) -> bool {
    folder.ancestors().any(|folder| folder.join(".cargo-ok").exists())
        || folder.join(".cargo-checksum.json").exists()
}

fn is_in_examples(folder: &Path, file: &Path) -> bool {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    absolute.starts_with(folder.join("examples"))
}
