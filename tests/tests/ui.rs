//! What does not compile, and what the compiler says then.
//!
//! Each file of `ui/fail` has one mistake. `TRYBUILD=overwrite cargo test -p livestore-tests --test ui`
//! writes the messages anew.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test has files, and may panic"
)]

use std::path::Path;

/// A message that does not fit here is not read.
const MOST_LINES: usize = 23;

#[test]
fn mistakes_do_not_compile() {
    write_lock();
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

/// What the `lock_*` mistakes differ from, put where trybuild makes its package.
fn write_lock() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let package = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME"));
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(package.join("livestore.lock"), include_str!("../ui/livestore.lock")).unwrap();
}

#[test]
fn every_mistake_is_one_short_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/fail");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let messages = files.filter(|path| path.extension().is_some_and(|end| end == "stderr"));
    for path in messages {
        let text = std::fs::read_to_string(&path).unwrap();
        let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        let (errors, warnings, lines) = (count("error"), count("warning"), count(""));
        assert!(
            errors == 1 && warnings == 0 && lines <= MOST_LINES,
            "{}: {errors} errors, {warnings} warnings, {lines} lines",
            path.display()
        );
    }
}
