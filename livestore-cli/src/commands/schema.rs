//! `livestore schema`: the macros write and compare `livestore.lock` while cargo compiles the package.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use serde::Deserialize;
use serde_json::json;

use crate::args::{Package, Schema};
use crate::exit::{Exit, Failure, Result};
use crate::output::Output;

/// The variable that says what the macros do.
const MODE: &str = "LIVESTORE_SCHEMA";

pub(super) fn run(out: &mut Output, args: &Schema) -> Result {
    match args {
        Schema::Accept(package) => accept(package),
        Schema::Check(package) => check(package, "frozen", Exit::Problem),
        Schema::Diff(package) => diff(out, package),
    }
}

/// Writes what is declared into the locks. The macros write before it is known whether the package compiles; if it
/// does not, the locks are as they were.
fn accept(package: &Package) -> Result {
    let locks: Vec<_> = locks(package)?.into_iter().map(Kept::new).collect::<Result<_, _>>()?;
    check(package, "accept", Exit::Failed)?;
    locks.into_iter().for_each(Kept::release);
    Ok(())
}

/// Has cargo check the package in this mode.
fn check(package: &Package, mode: &str, exit: Exit) -> Result {
    let mut command = cargo("check", package);
    if let Some(name) = &package.package {
        command.args(["--package", name]);
    }
    let status = command.env(MODE, mode).stdout(Stdio::null()).status().map_err(no_cargo)?;
    if status.success() { Ok(()) } else { Err(Failure::new(exit, "cargo check has failed")) }
}

/// Shows the lines that `accept` would change. It is tried, and taken back.
fn diff(out: &mut Output, package: &Package) -> Result {
    let locks: Vec<_> = locks(package)?.into_iter().map(Kept::new).collect::<Result<_, _>>()?;
    let accepted = check(package, "accept", Exit::Failed);
    let mut differs = false;
    for lock in &locks {
        let after = lock.read()?;
        let (before, after) = (lines(lock.before.as_deref()), lines(after.as_deref()));
        let removed = before.difference(&after).map(|line| ('-', *line));
        let added = after.difference(&before).map(|line| ('+', *line));
        let mut changes: Vec<_> = removed.chain(added).collect();
        // A line stands beside what it becomes.
        changes.sort_by_key(|(sign, line)| (*line, *sign == '+'));
        for (n, (sign, line)) in changes.into_iter().enumerate() {
            differs = true;
            let file = lock.path.display().to_string();
            if out.json {
                out.json(&json!({ "file": file, "change": sign.to_string(), "line": line }))?;
                continue;
            }
            if n == 0 {
                out.line(&file)?;
            }
            out.line(format!("{sign}{line}"))?;
        }
    }
    drop(locks);
    accepted?;
    if differs {
        Err(Failure::new(Exit::Problem, "the lock is not what is declared"))
    } else {
        Ok(())
    }
}

fn lines(text: Option<&str>) -> BTreeSet<&str> {
    let lines = text.unwrap_or_default().lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// A lock that is as it was when this is dropped.
struct Kept {
    path: PathBuf,
    before: Option<String>,
    is_released: bool,
}

impl Kept {
    fn new(path: PathBuf) -> Result<Self> {
        let before = read(&path)?;
        Ok(Self { path, before, is_released: false })
    }

    fn read(&self) -> Result<Option<String>> {
        read(&self.path)
    }

    /// Leaves the lock as it is now.
    fn release(mut self) {
        self.is_released = true;
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.is_released {
            return;
        }
        let restored = match (&self.before, read(&self.path)) {
            (before, Ok(now)) if *before == now => Ok(()),
            (Some(before), _) => fs::write(&self.path, before),
            (None, _) => fs::remove_file(&self.path),
        };
        if let Err(error) = restored {
            let path = self.path.display();
            let _ = io::Write::write_fmt(
                &mut io::stderr(),
                format_args!("livestore: {path} could not be restored: {error}\n"),
            );
        }
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::failed(format!("{}: {error}", path.display()))),
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Found>,
    workspace_default_members: Vec<String>,
}

#[derive(Deserialize)]
struct Found {
    id: String,
    name: String,
    manifest_path: PathBuf,
}

/// The locks of the packages that cargo would check.
fn locks(package: &Package) -> Result<Vec<PathBuf>> {
    let mut command = cargo("metadata", package);
    command.args(["--no-deps", "--format-version", "1"]).stderr(Stdio::inherit());
    let done = command.output().map_err(no_cargo)?;
    if !done.status.success() {
        return Err(Failure::failed("cargo metadata has failed"));
    }
    let metadata: Metadata = serde_json::from_slice(&done.stdout)?;
    let is_meant = |found: &Found| match &package.package {
        Some(name) => found.name == *name,
        None => metadata.workspace_default_members.contains(&found.id),
    };
    let found = metadata.packages.iter().filter(|found| is_meant(found));
    Ok(found.map(|found| found.manifest_path.with_file_name("livestore.lock")).collect())
}

fn cargo(subcommand: &str, package: &Package) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg(subcommand).env_remove(MODE);
    if let Some(manifest) = &package.manifest_path {
        command.arg("--manifest-path").arg(manifest);
    }
    command
}

fn no_cargo(error: io::Error) -> Failure {
    Failure::failed(format!("cargo did not start: {error}"))
}
