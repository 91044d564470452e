//! `cargo xtask dependencies`: licences, sources and versions of all dependencies.
//!
//! The `deny.toml` of each workspace says which licences are accepted. It is the file of `cargo deny`,
//! which knows more (advisories, above all) and which the public workflow runs. This check needs no
//! tool to be built, so everyone runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::line;

mod licence;

/// The folders of the workspaces, each with its own lock, and those of the licences that they may have.
const WORKSPACES: [(&str, &str); 3] =
    [(".", "."), ("integrations", "integrations"), ("examples/tracker/desktop", "integrations")];

/// The only place where dependencies come from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks, and says what was seen.
pub(crate) fn run() -> ExitCode {
    match check() {
        Ok((count, complaints)) if complaints.is_empty() => {
            println!("{count} packages are as deny.toml wants them");
            ExitCode::SUCCESS
        }
        Ok((_, complaints)) => {
            complaints.iter().for_each(|complaint| eprintln!("error: {complaint}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the number of packages, and what is wrong.
fn check() -> Result<(usize, Vec<String>), Box<dyn Error>> {
    let root = line::root();
    let (mut count, mut complaints) = (0, Vec::new());
    for (workspace, licences_in) in WORKSPACES {
        let folder = root.join(workspace);
        let accepted = fs::read_to_string(root.join(licences_in).join("deny.toml"))?;
        let accepted = licence::Accepted::parse(&accepted);
        let tree = tree(workspace)?;
        let packages = packages(&tree);
        count += packages.len();
        complaints.extend(licences(&packages, &accepted));
        let lock = fs::read_to_string(folder.join("Cargo.lock"))?;
        complaints.extend(sources(&lock));
        for (name, versions) in duplicates(&lock) {
            let (count, versions) = (versions.len(), versions.join(", "));
            println!("warning: {workspace}: {name} is there in {count} versions: {versions}");
        }
    }
    for manifest in manifests()? {
        let text = fs::read_to_string(&manifest)?;
        let lines = text.lines().filter(|line| line.contains("= \"*\""));
        complaints.extend(lines.map(|line| format!("{}: any version: {line}", manifest.display())));
    }
    Ok((count, complaints))
}

/// All packages of a workspace on all platforms, as lines of `name version|licence`.
fn tree(workspace: &str) -> Result<String, Box<dyn Error>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--locked", "--workspace", "--all-features", "--target=all"]);
    cargo.args(["--edges=normal,build,dev", "--prefix=none", "--format={p}|{l}"]);
    let output = cargo.current_dir(line::root().join(workspace)).output()?;
    if !output.status.success() {
        return Err(format!(
            "cargo tree in {workspace}: {}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Licences by name and version.
fn packages(tree: &str) -> BTreeMap<&str, &str> {
    let lines = tree.lines().filter_map(|line| line.split_once('|'));
    lines.map(|(package, licence)| (package, licence.trim_end_matches(" (*)"))).collect()
}

fn licences(packages: &BTreeMap<&str, &str>, accepted: &licence::Accepted) -> Vec<String> {
    let mut used = BTreeSet::new();
    let mut complaints = Vec::new();
    for (package, licence) in packages {
        let name = package.split(' ').next().unwrap_or(package);
        if !licence::is_accepted(licence, |id| {
            let is_accepted = accepted.has(name, id);
            if is_accepted {
                used.insert(id.to_owned());
            }
            is_accepted
        }) {
            complaints.push(format!("{package}: its licence is `{licence}`, see deny.toml"));
        }
    }
    for id in accepted.ids().filter(|id| !used.contains(*id)) {
        println!("warning: deny.toml accepts {id}, which no package has");
    }
    complaints
}

/// Whatever has a source in the lock comes from the registry.
fn sources(lock: &str) -> Vec<String> {
    let mut name = "";
    let mut complaints = Vec::new();
    for line in lock.lines() {
        if let Some(text) = value(line, "name") {
            name = text;
        }
        if let Some(source) = value(line, "source").filter(|source| *source != CRATES_IO) {
            complaints.push(format!("{name} comes from {source}"));
        }
    }
    complaints
}

/// Names that are there more than once cost compile time, and are sometimes not ours to end.
fn duplicates(lock: &str) -> Vec<(&str, Vec<&str>)> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        if let Some(text) = value(line, "name") {
            name = text;
        } else if let Some(version) = value(line, "version").filter(|_| line.starts_with('v')) {
            versions.entry(name).or_default().push(version);
        }
    }
    versions.into_iter().filter(|(name, all)| !name.is_empty() && all.len() > 1).collect()
}

/// The text in `key = "text"`.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}

/// All manifests of the repository.
fn manifests() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut git = Command::new("git");
    let output = git.args(["ls-files", "*Cargo.toml"]).current_dir(line::root()).output()?;
    let files = String::from_utf8(output.stdout)?;
    let files: Vec<_> = files.lines().map(|file| line::root().join(file)).collect();
    if files.is_empty() { Err("git knows of no manifests here".into()) } else { Ok(files) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n\n\
        [[package]]\nname = \"syn\"\nversion = \"2.0.0\"\n\
        source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n\
        [[package]]\nname = \"syn\"\nversion = \"3.0.0\"\nsource = \"git+https://example.org/syn\"\n";

    #[test]
    fn only_the_registry_is_a_source() {
        assert_eq!(sources(LOCK), ["syn comes from git+https://example.org/syn"]);
    }

    #[test]
    fn duplicates_are_named_with_their_versions() {
        assert_eq!(duplicates(LOCK), [("syn", vec!["2.0.0", "3.0.0"])]);
    }

    #[test]
    fn a_licence_that_is_not_accepted_is_named() {
        let tree = "a v1.0.0|MIT\nb v1.0.0 (proc-macro)|GPL-3.0 (*)\nc v1.0.0|MIT OR GPL-3.0\n";
        let accepted = licence::Accepted::parse("allow = [\"MIT\"]");
        assert_eq!(
            licences(&packages(tree), &accepted),
            ["b v1.0.0 (proc-macro): its licence is `GPL-3.0`, see deny.toml"]
        );
    }
}
