//! `cargo xtask mutants`: does the simulator find bugs? Deliberate ones, each a file in
//! `tests/simulation/mutants`, are put into a copy of the sources, all behind a switch, and the
//! simulator's tests turn on one after the other.
//!
//! The copy is a workspace of its own, `target/mutants`, that builds into the same folder as ours.
//! So the sources know nothing of it, and other crates are built once.

mod patch;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::patch::{Mutant, apply};
use crate::line::{self, Line};
use crate::rustc::Variant;

/// The workspace's members that the simulator is built of.
const MEMBERS: [&str; 10] = [
    "livestore",
    "livestore-macros",
    "livestore-macros-core",
    "livestore-protocol",
    "livestore-server",
    "livestore-shape",
    "livestore-sync",
    "livestore-telemetry",
    "livestore-testing",
    "tests/simulation",
];

const MUTANTS: &str = "tests/simulation/mutants";

/// The part of the copy that has the switch.
const SWITCHED: &str = "livestore/src/simulation.rs";

/// Makes the copy and runs its tests. `args` are handed to `cargo test`.
pub(crate) fn run(args: &[String]) -> ExitCode {
    match test(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn test(args: &[String]) -> Result<bool, Box<dyn Error>> {
    let copy = line::target().join("mutants");
    lay_out(&line::root(), &copy)?;
    let paths = [copy.join("Cargo.toml"), line::target()].map(|it| it.display().to_string());
    let [manifest, target] = paths;
    let line = Line::cargo("test --offline --profile simulation --target host-tuple")
        .args(
            ["--package=livestore-simulation", "--test=mutants", "--test=crash"].map(str::to_owned),
        )
        .args([format!("--manifest-path={manifest}"), format!("--target-dir={target}")])
        .args(args.iter().cloned())
        .args(["--", "--nocapture", "mutant"].map(str::to_owned))
        .variant(Variant::Mutants);
    println!("{line}");
    Ok(line.run_at_root()?.success())
}

/// Brings the copy up to date. A file that would not change is left alone, so that cargo builds no
/// more than it has to.
#[expect(clippy::disallowed_methods, reason = "xtask is an edge: it lays out files")]
fn lay_out(root: &Path, copy: &Path) -> Result<(), Box<dyn Error>> {
    let mutants = read(&root.join(MUTANTS))?;
    let mut files = BTreeMap::new();
    for member in MEMBERS {
        gather(root, Path::new(member), &mut files)?;
    }
    let text = |path: &Path| fs::read_to_string(root.join(path));
    for (path, mutated) in apply(&mutants, |path| text(Path::new(path)).ok())? {
        files.insert(PathBuf::from(path), mutated.into_bytes());
    }
    let switch = text(&Path::new(MUTANTS).join("switch.rs"))?;
    let switched = format!("{}{switch}\n{}", text(Path::new(SWITCHED))?, list(&mutants));
    files.insert(SWITCHED.into(), switched.into_bytes());
    files.insert("Cargo.toml".into(), workspace(&text(Path::new("Cargo.toml"))?)?.into_bytes());
    if !copy.join("Cargo.lock").exists() {
        files.insert("Cargo.lock".into(), fs::read(root.join("Cargo.lock"))?);
    }
    for (path, bytes) in &files {
        let path = copy.join(path);
        if fs::read(&path).is_ok_and(|found| found == *bytes) {
            continue;
        }
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)?;
    }
    let mut found = BTreeMap::new();
    for member in MEMBERS {
        gather(copy, Path::new(member), &mut found)?;
    }
    found.retain(|path, _| !files.contains_key(path));
    Ok(found.keys().try_for_each(|path| fs::remove_file(copy.join(path)))?)
}

/// Reads every mutant, in the order of their names.
fn read(folder: &Path) -> Result<Vec<Mutant>, Box<dyn Error>> {
    let mut mutants = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "mutant") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            mutants.push(Mutant::parse(name, &fs::read_to_string(&path)?)?);
        }
    }
    mutants.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(mutants)
}

/// Reads all files in a folder, which git ignores none of.
#[expect(clippy::disallowed_methods, reason = "xtask is an edge: it reads files")]
fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            gather(root, &path, files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// The workspace's manifest, with fewer members.
fn workspace(manifest: &str) -> Result<String, String> {
    let odd = || "the workspace's Cargo.toml has no list of members".to_owned();
    let (before, rest) = manifest.split_once("members = [").ok_or_else(odd)?;
    let (_, after) = rest.split_once(']').ok_or_else(odd)?;
    Ok(format!("{before}members = {MEMBERS:?}{after}"))
}

/// The mutants and which tests have to find each, as Rust.
fn list(mutants: &[Mutant]) -> String {
    let entry = |mutant: &Mutant| format!("    ({:?}, {:?}),\n", mutant.name, mutant.found_by);
    let entries: String = mutants.iter().map(entry).collect();
    format!(
        "/// Every deliberate bug, and which tests have to find it.\n\
         pub const MUTANTS: &[(&str, &str)] = &[\n{entries}];\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever changes a line that a mutant changes has to change the mutant.
    #[test]
    fn every_mutant_fits_the_sources() {
        let mutants = read(&line::root().join(MUTANTS)).unwrap();
        assert!(mutants.len() > 20);
        apply(&mutants, |path| fs::read_to_string(line::root().join(path)).ok()).unwrap();
    }

    #[test]
    fn the_copy_has_fewer_members() {
        let manifest = "[workspace]\nmembers = [\n    \"a\",\n]\n\n[profile.release]\n";
        let copy = workspace(manifest).unwrap();
        assert!(copy.starts_with("[workspace]\nmembers = [\"livestore\", "), "{copy}");
        assert!(copy.ends_with("\"tests/simulation\"]\n\n[profile.release]\n"), "{copy}");
    }
}
