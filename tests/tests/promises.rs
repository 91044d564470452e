//! The pages that promise something name the test that holds it: `` [`name`](../path/of/its.rs) ``.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads files")]

use std::fs;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The links to tests: names and paths.
fn named(page: &str) -> Vec<(&str, &str)> {
    let links = page.split("[`").skip(1).filter_map(|rest| rest.split_once("`](../"));
    links
        .filter_map(|(name, rest)| Some((name, rest.split_once(')')?.0)))
        .filter(|(name, path)| path.ends_with(".rs") && !name.contains(' '))
        .collect()
}

#[test]
fn every_test_that_a_page_names_is_there() {
    for page in ["security.md", "reliability.md"] {
        let text = fs::read_to_string(docs().join(page)).unwrap();
        let named = named(&text);
        assert!(named.len() > 10, "{page} names {} tests", named.len());
        for (name, path) in named {
            let file = docs().join("..").join(path);
            let source = fs::read_to_string(&file);
            let source = source.unwrap_or_else(|error| panic!("{page}: {path}: {error}"));
            assert!(source.contains(&format!("fn {name}(")), "{page}: no `{name}` in {path}");
        }
    }
}
