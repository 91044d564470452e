//! Lists what the published libraries make public, in `docs/api`: `cargo xtask api`.
//!
//! rustdoc can say it as JSON, to nightly compilers only. So this program calls it as one: it
//! stands in rustdoc's place ([`rustdoc`]), and only there, as some dependencies would build
//! differently with a nightly compiler.

#![expect(clippy::disallowed_methods, reason = "files are what this is for")]
#![expect(clippy::indexing_slicing, reason = "a member that some JSON does not have is null")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Set when this program stands in rustdoc's place.
const AS_RUSTDOC: &str = "LIVESTORE_AS_RUSTDOC";

const USAGE: &str = "Usage: cargo xtask api [--check]\n";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if std::env::var_os(AS_RUSTDOC).is_some() {
        return rustdoc(&args);
    }
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => write(),
        ["--check"] => check(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn rustdoc(args: &[String]) -> ExitCode {
    let status = Command::new("rustdoc").args(args).env("RUSTC_BOOTSTRAP", "1").status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: rustdoc did not start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes each list that changed.
fn write() -> Result<bool> {
    let workspace = Workspace::read()?;
    fs::create_dir_all(workspace.lists())?;
    for library in &workspace.libraries {
        let (path, list) = (workspace.list(library), workspace.public_items(library)?);
        if fs::read_to_string(&path).ok().as_ref() != Some(&list) {
            println!("written: {}", path.display());
            fs::write(path, list)?;
        }
    }
    for path in workspace.lists_of_no_library()? {
        println!("removed: {}", path.display());
        fs::remove_file(path)?;
    }
    Ok(true)
}

/// Says what differs from the lists. Whether nothing does.
fn check() -> Result<bool> {
    let workspace = Workspace::read()?;
    let mut is_same = true;
    for library in &workspace.libraries {
        let path = workspace.list(library);
        let old = fs::read_to_string(&path).unwrap_or_default();
        let difference = difference(&old, &workspace.public_items(library)?);
        if !difference.is_empty() {
            is_same = false;
            println!("{library} is not what {} lists:\n{difference}", path.display());
        }
    }
    for path in workspace.lists_of_no_library()? {
        is_same = false;
        println!("{} lists no library that there is", path.display());
    }
    if !is_same {
        println!("If that is meant, `cargo xtask api` writes it down.");
    }
    Ok(is_same)
}

/// Lines that only `old` has, marked `-`, and lines that only `new` has, marked `+`, in their order.
fn difference(old: &str, new: &str) -> String {
    let (mut gone, mut come) = (old.lines().peekable(), new.lines().peekable());
    let mut text = String::new();
    loop {
        let (mark, line) = match (gone.peek(), come.peek()) {
            (None, None) => return text,
            (Some(a), Some(b)) if a == b => {
                gone.next();
                come.next();
                continue;
            }
            (Some(a), _) if !new.lines().any(|line| line == *a) => ('-', gone.next()),
            (_, Some(b)) if !old.lines().any(|line| line == *b) => ('+', come.next()),
            // It is in both, elsewhere.
            (Some(_), _) => (' ', gone.next()),
            (None, Some(_)) => (' ', come.next()),
        };
        if let Some(line) = line.filter(|_| mark != ' ') {
            let _ = writeln!(text, "{mark} {line}");
        }
    }
}

/// The output of `cargo metadata`.
struct Workspace {
    root: PathBuf,
    target: PathBuf,
    /// Names of the packages that are published and have a library.
    libraries: Vec<String>,
}

impl Workspace {
    /// Has rustdoc describe every library, too.
    fn read() -> Result<Self> {
        let output = cargo(&["metadata", "--no-deps", "--format-version=1"]).output()?;
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let path = |name: &str| PathBuf::from(metadata[name].as_str().unwrap_or_default());
        let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
        let libraries = packages.iter().filter(|it| it["publish"].is_null() && has_library(it));
        let workspace = Self {
            root: path("workspace_root"),
            target: path("target_directory"),
            libraries: libraries.filter_map(|it| it["name"].as_str().map(str::to_owned)).collect(),
        };
        workspace.document()?;
        Ok(workspace)
    }

    /// With all features, chosen as for the workspace's docs: what was compiled for these is used.
    fn document(&self) -> Result<()> {
        let mut cargo = cargo(&["doc", "--quiet", "--workspace", "--lib", "--no-deps"]);
        let status = cargo
            .arg("--all-features")
            .env("RUSTDOC", std::env::current_exe()?)
            .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json --cap-lints=allow")
            .env(AS_RUSTDOC, "1")
            .status()?;
        if status.success() { Ok(()) } else { Err("rustdoc failed".into()) }
    }

    fn public_items(&self, library: &str) -> Result<String> {
        let json = self.target.join("doc").join(format!("{}.json", library.replace('-', "_")));
        let api = public_api::Builder::from_rustdoc_json(&json)
            .sorted(true)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .omit_auto_derived_impls(true)
            .build()
            .map_err(|error| format!("{}: {error}", json.display()))?;
        Ok(api.items().fold(String::new(), |mut list, item| {
            let _ = writeln!(list, "{item}");
            list
        }))
    }

    fn lists(&self) -> PathBuf {
        self.root.join("docs/api")
    }

    fn list(&self, library: &str) -> PathBuf {
        self.lists().join(format!("{library}.txt"))
    }

    fn lists_of_no_library(&self) -> Result<Vec<PathBuf>> {
        let mut left = Vec::new();
        for entry in fs::read_dir(self.lists())? {
            let path = entry?.path();
            if !self.libraries.iter().any(|library| self.list(library) == path) {
                left.push(path);
            }
        }
        Ok(left)
    }
}

fn cargo(args: &[&str]) -> Command {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut command = Command::new("cargo");
    command.args(args).arg("--manifest-path").arg(manifest);
    command
}

fn has_library(package: &Value) -> bool {
    let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kinds = targets.iter().filter_map(|target| target["kind"].as_array()).flatten();
    kinds.into_iter().any(|kind| kind == "lib" || kind == "proc-macro")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_what_is_gone_and_what_has_come() {
        let old = "pub fn a()\npub fn b()\npub fn d()\n";
        let new = "pub fn a()\npub fn c()\npub fn d()\npub fn e()\n";
        assert_eq!(difference(old, new), "- pub fn b()\n+ pub fn c()\n+ pub fn e()\n");
        assert_eq!(difference(old, old), "");
        assert_eq!(difference("", "x\n"), "+ x\n");
    }
}
