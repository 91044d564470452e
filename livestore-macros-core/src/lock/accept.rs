//! The side effects of the schema lock: writing `livestore.lock`, and printing notes.

#![expect(clippy::disallowed_methods, reason = "writing the lock is what this file is for")]

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use livestore_shape::Lock;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::LitStr;
use syn::parse::{ParseStream, Parser};

use super::package::{folder, other_binary, path_in};

/// Runs a side effect that an expansion asked for: `note "text"` prints, `accept "lines"` writes.
///
/// It is a macro call of its own so that `#[cfg(not(test))]` can remove it.
pub fn effect(input: TokenStream) -> TokenStream {
    let parser = |input: ParseStream<'_>| Ok((input.parse::<Ident>()?, input.parse::<LitStr>()?));
    let done = parser.parse2(input).and_then(|(what, text)| {
        if what == "accept" {
            accept(&text.value()).map_err(|error| {
                syn::Error::new(text.span(), format!("livestore.lock cannot be written: {error}"))
            })
        } else {
            note(&text.value());
            Ok(())
        }
    });
    done.map_or_else(|error| error.into_compile_error(), |()| quote!())
}

/// Prints the note, if it is the first of this compilation: where one thing has changed, ten may have.
fn note(text: &str) {
    static PRINTED: AtomicBool = AtomicBool::new(false);
    if !PRINTED.swap(true, Ordering::Relaxed) {
        eprintln!("note: {text}");
    }
}

/// Writes the items of `text` to the lock. The first call of a compilation also removes every item of
/// the compiled target: those that still exist are written again.
fn accept(text: &str) -> io::Result<()> {
    static STARTED: AtomicBool = AtomicBool::new(false);
    let folder = folder().ok_or_else(|| io::Error::other("CARGO_MANIFEST_DIR is not set"))?;
    // The targets of a package are compiled at the same time.
    let manifest = File::open(folder.join("Cargo.toml"))?;
    manifest.lock()?;
    let started = STARTED.swap(true, Ordering::Relaxed);
    let target = (!started).then(|| other_binary(&folder));
    merge(&path_in(&folder), text, target)
}

fn merge(path: &Path, text: &str, replaced_target: Option<Option<String>>) -> io::Result<()> {
    let parse = |text: &str| Lock::parse(text).map_err(io::Error::other);
    let before = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let mut lock = parse(&before)?;
    if let Some(target) = replaced_target {
        lock.items.retain(|_, shape| binary(&shape.head.marks) != target.as_deref());
    }
    lock.items.extend(parse(text)?.items);
    let after = lock.to_string();
    if after == before { Ok(()) } else { replace(path, &after) }
}

/// The mark of the binary that declares an item, if it has one.
fn binary(marks: &std::collections::BTreeSet<String>) -> Option<&str> {
    marks.iter().find(|mark| mark.starts_with("bin/")).map(String::as_str)
}

/// Replaces the file atomically: a reader sees the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("lock.new");
    fs::write(&new, text)?;
    fs::rename(new, path)
}
