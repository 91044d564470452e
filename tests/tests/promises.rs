//! The pages that name code name code that is there: tests as `` [`name`](../path/of/its.rs) ``,
//! and in CONTRIBUTING's walks the functions and types of their files. README's app is an example.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads files")]

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are made by a command, and need not be there.
const GENERATED: [&str; 2] = ["docs/api", "fuzz/artifacts"];

/// The most files that a walk through the code may name.
const MAX_FILES: usize = 6;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
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
        let text = read(&format!("docs/{page}"));
        let named = named(&text);
        assert!(named.len() > 10, "{page} names {} tests", named.len());
        for (name, path) in named {
            assert!(has_function(&read(path), name), "{page}: no `{name}` in {path}");
        }
    }
}

#[test]
fn every_function_that_a_walk_names_is_in_its_files() {
    let page = read("CONTRIBUTING.md");
    let (_, walks) = page.split_once("## Three walks").unwrap();
    let (walks, _) = walks.split_once("\n## ").unwrap();
    let walks: Vec<_> = walks.split("\n### ").skip(1).collect();
    assert_eq!(walks.len(), 3);
    for walk in walks {
        let steps: Vec<_> = walk.split(". [`").skip(1).collect();
        assert!((1..=MAX_FILES).contains(&steps.len()), "{} files: {walk}", steps.len());
        // A step may come back to an earlier file.
        let mut source = String::new();
        for step in steps {
            let (name, rest) = step.split_once("`](").unwrap();
            let (path, text) = rest.split_once("):").unwrap();
            assert!(path.ends_with(name), "{name} is not {path}");
            source += &read(path);
            for code in in_backticks(text).map(|(code, _)| code).filter(|code| is_name(code)) {
                let is_there = match code.strip_suffix("()") {
                    Some(function) => has_function(&source, function),
                    None => source.contains(code),
                };
                assert!(is_there, "CONTRIBUTING.md: no `{code}` in {path}");
            }
        }
    }
}

#[test]
fn every_path_that_a_newcomer_reads_is_there() {
    let page = read("CONTRIBUTING.md");
    // Every second part is a code block.
    let text: String = page.split("```").step_by(2).collect();
    let links = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let is_path =
        |code: &str| code.trim_end_matches('/').contains('/') && !code.contains([' ', '…']);
    let named =
        in_backticks(&text).filter(|(code, after)| is_path(code) && !after.starts_with("]("));
    for path in links.chain(named.map(|(code, _)| code)) {
        let is_there = GENERATED.contains(&path) || root().join(path).exists();
        assert!(is_there, "CONTRIBUTING.md: there is no {path}");
    }
}

/// The texts between backticks, each with the text behind it.
fn in_backticks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = text.split('`').skip(1);
    std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
}

fn is_name(code: &str) -> bool {
    let name = code.strip_suffix("()").unwrap_or(code);
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn has_function(source: &str, name: &str) -> bool {
    ["(", "<"].iter().any(|end| source.contains(&format!("fn {name}{end}")))
}

#[test]
fn the_app_that_readme_starts_with_is_the_example() {
    let (readme, example) = (read("README.md"), read("examples/notes/src/main.rs"));
    let (app, test) = example.split_at(example.find("#[cfg(test)]").unwrap());
    for part in [app, test] {
        let block = format!("```rust,ignore\n{}\n```", part.trim_end());
        assert!(readme.contains(&block), "README has not:\n{block}");
    }
}
