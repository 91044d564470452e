//! The rows of `docs/caught-while-compiling.md` agree with the messages in `ui/fail`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test has files, and may panic"
)]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn each_row_has_its_mistake_and_its_message() {
    let page = page();
    let rows: Vec<_> = page.lines().filter(|line| is_row(line)).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let [name] = names(row)[..] else { panic!("one mistake a row: {row}") };
        assert!(mistakes().join(format!("{name}.rs")).exists(), "there is no {name}.rs");
        let message = fs::read_to_string(mistakes().join(format!("{name}.stderr")));
        let lines =
            message.unwrap_or_else(|error| panic!("{name}.stderr: {error}")).lines().count();
        assert!(row.contains(&format!(" | {lines} lines: ")), "{name} has {lines} lines: {row}");
    }
}

/// Whether the line is a row of a table, and not its head.
fn is_row(line: &str) -> bool {
    line.starts_with("| ") && !line.starts_with("| mistake ")
}

/// Returns the mistakes that a text links to.
fn names(text: &str) -> Vec<&str> {
    let links = text.split("](../tests/ui/fail/").skip(1);
    links.filter_map(|link| link.split_once(".rs)")).map(|(name, _)| name).collect()
}

fn page() -> String {
    fs::read_to_string(root().join("../docs/caught-while-compiling.md")).unwrap()
}

fn mistakes() -> PathBuf {
    root().join("ui/fail")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
