//! Writing `livestore.lock`, and saying something while compiling.

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

/// Does what an expansion asked for outside of tests: `note "text"` or `accept "lines"`.
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

/// Once in a compilation: where one thing has changed, ten may have.
fn note(text: &str) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        eprintln!("note: {text}");
    }
}

/// Puts the items of `text` into the lock. The first time in a compilation, everything that this
/// target had there is taken out: what exists comes again, and what does not is gone.
fn accept(text: &str) -> io::Result<()> {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    let folder = folder().ok_or_else(|| io::Error::other("CARGO_MANIFEST_DIR is not set"))?;
    // The targets of a package are compiled at the same time.
    let manifest = File::open(folder.join("Cargo.toml"))?;
    manifest.lock()?;
    let begun = BEGUN.swap(true, Ordering::Relaxed);
    let target = (!begun).then(|| other_binary(&folder));
    merge(&path_in(&folder), text, target)
}

fn merge(path: &Path, text: &str, renewed: Option<Option<String>>) -> io::Result<()> {
    let parse = |text: &str| Lock::parse(text).map_err(io::Error::other);
    let before = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let mut lock = parse(&before)?;
    if let Some(target) = renewed {
        lock.items.retain(|_, shape| binary(&shape.head.marks) != target.as_deref());
    }
    lock.items.extend(parse(text)?.items);
    let after = lock.to_string();
    if after == before { Ok(()) } else { replace(path, &after) }
}

/// The mark of the binary that an item is of.
fn binary(marks: &std::collections::BTreeSet<String>) -> Option<&str> {
    marks.iter().find(|mark| mark.starts_with("bin/")).map(String::as_str)
}

/// A reader sees the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("lock.new");
    fs::write(&new, text)?;
    fs::rename(new, path)
}
