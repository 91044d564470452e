//! The house stands: imports run downward only, without circles, in this crate and between crates.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads the sources")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The layers of this crate, from the highest to the lowest. A module may use those of lower layers,
/// and those of its own layer as long as there is no circle.
const LAYERS: &[&[&str]] = &[
    &["prelude", "private", "simulation"],
    &["inspect", "replica"],
    &["store"],
    &["session"],
    &["live", "sync", "state", "eventlog"],
    &["schema", "table", "event"],
    &["sqlite"],
    &["fractional_index"],
    &["ambient"],
    &["value", "error"],
    &["edge"],
];

/// Imports that break the rule and are about to go. One that is gone has to go from here, too.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// The layers of the workspace's crates, likewise. What is not listed is an app or a test: nobody
/// depends on it.
const CRATES: &[&[&str]] = &[
    // What the fuzz targets do: a test, but a crate of its own.
    &["livestore-fuzz"],
    &["livestore-cli"],
    &["livestore-testing"],
    &["livestore-server"],
    &["livestore-devtools", "livestore-files", "livestore-sync", "livestore-web"],
    &["livestore"],
    &["livestore-macros"],
    &["livestore-macros-core"],
    &["livestore-telemetry"],
    &["livestore-protocol", "livestore-shape"],
];

#[test]
fn modules_import_downward_only() {
    let graph = module_graph();
    let modules: BTreeSet<_> = graph.keys().map(String::as_str).collect();
    let listed: BTreeSet<_> = LAYERS.iter().copied().flatten().copied().collect();
    let unlisted: Vec<_> = modules.difference(&listed).collect();
    assert!(unlisted.is_empty(), "in no layer: {unlisted:?}");
    let wrong = violations(&graph, LAYERS, EXCEPTIONS);
    assert!(wrong.is_empty(), "imports that do not run downward:\n{wrong}");
}

#[test]
fn every_exception_is_needed() {
    let graph = module_graph();
    for (from, to) in EXCEPTIONS {
        let is_used = graph.get(*from).is_some_and(|uses| uses.contains_key(*to));
        assert!(is_used, "`{from}` does not import `{to}` any more: remove the exception");
    }
}

#[test]
fn crates_depend_downward_only() {
    let graph = crate_graph();
    let listed: BTreeSet<_> = CRATES.iter().copied().flatten().copied().collect();
    for (name, uses) in &graph {
        for dependency in uses.keys() {
            assert!(listed.contains(dependency.as_str()), "{name} depends on {dependency}");
        }
    }
    let wrong = violations(&graph, CRATES, &[]);
    assert!(wrong.is_empty(), "dependencies that do not run downward:\n{wrong}");
}

/// Who uses what, and a place where.
type Graph = BTreeMap<String, BTreeMap<String, PathBuf>>;

/// One line for each edge that runs upward or closes a circle.
fn violations(graph: &Graph, layers: &[&[&str]], exceptions: &[(&str, &str)]) -> String {
    let layer = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let mut graph = graph.clone();
    for (from, to) in exceptions {
        graph.get_mut(*from).map(|uses| uses.remove(*to));
    }
    let mut wrong = String::new();
    for (from, uses) in &graph {
        for (to, place) in uses {
            let (Some(above), Some(below)) = (layer(from), layer(to)) else { continue };
            if below < above || (below == above && reaches(&graph, to, from)) {
                let _ = writeln!(wrong, "  {from} → {to}, in {}", place.display());
            }
        }
    }
    wrong
}

fn reaches(graph: &Graph, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(name) = next.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            next.extend(
                graph.get(name).into_iter().flat_map(|uses| uses.keys().map(String::as_str)),
            );
        }
    }
    false
}

/// The modules of this crate's `src`, each a file or a folder, and which others they name. The crate's
/// front page, `lib.rs`, may name all.
fn module_graph() -> Graph {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut graph = Graph::new();
    for entry in fs::read_dir(&src).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if module == "lib" {
            continue;
        }
        let mut imports = Imports::default();
        let start = if path.is_dir() { path.join("mod.rs") } else { path };
        imports.read(&start);
        imports.found.remove(&module);
        graph.insert(module, imports.found);
    }
    assert!(graph.len() > 10, "the modules of {} were not found", src.display());
    graph
}

/// The modules that some files name after `crate::`, outside of tests.
#[derive(Default)]
struct Imports {
    found: BTreeMap<String, PathBuf>,
}

impl Imports {
    /// Reads a file and the modules below it that are not for tests only.
    fn read(&mut self, path: &Path) {
        let text = fs::read_to_string(path).unwrap();
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| {
            panic!("{}: {error}", path.display());
        });
        for module in self.scan(&tokens.into_iter().collect::<Vec<_>>(), path) {
            let below = match path.file_name().and_then(|name| name.to_str()) {
                Some("mod.rs" | "lib.rs") => path.with_file_name(""),
                _ => path.with_extension(""),
            };
            let file = below.join(format!("{module}.rs"));
            let folder = below.join(&module).join("mod.rs");
            self.read(if file.exists() { &file } else { &folder });
        }
    }

    /// Notes what the tokens name; returns the modules that they declare. Comments are no tokens.
    fn scan(&mut self, tokens: &[TokenTree], path: &Path) -> Vec<String> {
        let mut modules = Vec::new();
        let mut rest = tokens;
        while let [first, after @ ..] = rest {
            rest = after;
            match (first, after) {
                (TokenTree::Punct(hash), [TokenTree::Group(attribute), item @ ..])
                    if hash.as_char() == '#' && is_cfg_test(attribute) =>
                {
                    rest = after_item(item);
                }
                (TokenTree::Ident(word), [TokenTree::Ident(name), TokenTree::Punct(end), ..])
                    if word == "mod" && end.as_char() == ';' =>
                {
                    modules.push(name.to_string());
                }
                (TokenTree::Ident(word), [a, b, target, ..])
                    if word == "crate" && is_colon(a) && is_colon(b) =>
                {
                    self.note(target, path);
                }
                (TokenTree::Group(group), _) => {
                    modules
                        .extend(self.scan(&group.stream().into_iter().collect::<Vec<_>>(), path));
                }
                _ => {}
            }
        }
        modules
    }

    /// `crate::module` or `crate::{module::…, module::…}`.
    fn note(&mut self, target: &TokenTree, path: &Path) {
        match target {
            TokenTree::Ident(name) => {
                self.found.entry(name.to_string()).or_insert_with(|| path.to_owned());
            }
            TokenTree::Group(group) => {
                let tokens: Vec<_> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
                for first in tokens.split(is_comma).filter_map(|part| part.first()) {
                    self.note(first, path);
                }
            }
            _ => {}
        }
    }
}

fn is_cfg_test(attribute: &Group) -> bool {
    attribute.delimiter() == Delimiter::Bracket
        && attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':')
}

/// An item ends with its braces or a semicolon.
fn after_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let is_use = matches!(tokens, [TokenTree::Ident(word), ..] if word == "use")
        || tokens
            .iter()
            .take(3)
            .any(|token| matches!(token, TokenTree::Ident(word) if word == "use"));
    let end = tokens
        .iter()
        .position(|token| is_end(token) && !(is_use && matches!(token, TokenTree::Group(_))));
    end.and_then(|end| tokens.get(end + 1..)).unwrap_or_default()
}

/// The workspace's crates and which others of it each depends on, tests left out.
fn crate_graph() -> Graph {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut graph = Graph::new();
    for entry in fs::read_dir(&root).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        // What is a workspace of its own is a tool, such as the fuzz targets.
        if let Ok(text) = fs::read_to_string(&manifest)
            && !text.contains("[workspace]")
        {
            let (name, uses) = dependencies(&text);
            graph.insert(name, uses.into_iter().map(|to| (to, manifest.clone())).collect());
        }
    }
    assert!(graph.len() > 5, "the crates of {} were not found", root.display());
    graph
}

/// The name in a manifest, and the keys of its `dependencies` tables that begin with `livestore`.
fn dependencies(manifest: &str) -> (String, Vec<String>) {
    let (mut section, mut name, mut found) = ("", String::new(), Vec::new());
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let key = key.split('.').next().unwrap_or(key).trim();
        let is_dependency = section.ends_with("dependencies")
            && !section.ends_with("dev-dependencies")
            && !section.starts_with("workspace");
        if section == "package" && key == "name" {
            name = value.trim().trim_matches('"').to_owned();
        } else if is_dependency && key.starts_with("livestore") {
            found.push(key.to_owned());
        }
    }
    (name, found)
}
