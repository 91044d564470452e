//! `cargo xtask package`: every crate that is not `publish = false` is packed, and each package is
//! built against the packages of the others: none needs to be on the registry yet.
//!
//! `cargo publish --dry-run` would build every dependency of the packages anew. Here the packages are a
//! workspace of their own that builds into the same folder as ours.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::line::{self, Line};

/// Packs and builds. `allow_dirty`: also what is not committed yet.
pub(crate) fn run(allow_dirty: bool) -> ExitCode {
    match pack_and_build(allow_dirty) {
        Ok(count) => {
            println!("{count} packages build");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "xtask is an edge: it lays out files")]
fn pack_and_build(allow_dirty: bool) -> Result<usize, Box<dyn Error>> {
    let folder = line::target().join("package");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let dirty = if allow_dirty { " --allow-dirty" } else { "" };
    pass(&Line::cargo(&format!("publish --workspace --dry-run --no-verify --quiet{dirty}")))?;

    let packages = unpack(&folder)?;
    let root = fs::read_to_string(line::root().join("Cargo.toml"))?;
    fs::write(folder.join("Cargo.toml"), workspace(&packages, &root))?;
    fs::copy(line::root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    for (name, _) in &packages {
        let paths = [folder.join("Cargo.toml"), line::target()].map(|it| it.display().to_string());
        let [manifest, target] = paths;
        let args = ["--manifest-path".to_owned(), manifest, "--target-dir".to_owned(), target];
        pass(&Line::cargo(&format!("build --offline --package {name}")).args(args))?;
    }
    Ok(packages.len())
}

fn pass(line: &Line) -> Result<(), Box<dyn Error>> {
    println!("{line}");
    let status = line.run_at_root().map_err(|error| format!("`{line}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}`: {status}").into()) }
}

/// Unpacks every `NAME-VERSION.crate`. Returns names and folders.
fn unpack(folder: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut packages = Vec::new();
    // Where `cargo publish` leaves them in a dry run; `cargo package` would pack what is not published.
    for entry in fs::read_dir(folder.join("tmp-crate"))? {
        let path: PathBuf = entry?.path();
        if path.extension().is_some_and(|extension| extension == "crate") {
            let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let into = ["-C".to_owned(), folder.display().to_string()];
            pass(&Line::new("tar", "-xzf").args([path.display().to_string()]).args(into))?;
            let folder = file.trim_end_matches(".crate");
            let (name, _) = folder.rsplit_once('-').ok_or("a package without a version")?;
            packages.push((name.to_owned(), folder.to_owned()));
        }
    }
    packages.sort();
    if packages.is_empty() { Err("nothing was packed".into()) } else { Ok(packages) }
}

/// The manifest of a workspace of `packages` that builds as the one of `root` does.
fn workspace(packages: &[(String, String)], root: &str) -> String {
    let members: Vec<_> = packages.iter().map(|(_, folder)| format!("{folder:?}")).collect();
    let mut text = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[patch.crates-io]\n",
        members.join(", ")
    );
    for (name, folder) in packages {
        let _ = writeln!(text, "{name} = {{ path = {folder:?} }}");
    }
    // Up to profiles of members that are not here.
    let profile = root.find("[profile.dev]").and_then(|start| root.get(start..));
    let profile = profile.and_then(|rest| rest.split("\n[profile.release").next());
    text + "\n" + profile.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_are_a_workspace_that_builds_as_ours_does() {
        let packages = [("ours".to_owned(), "ours-0.1.0".to_owned())];
        let root = "[workspace]\n\n[profile.dev]\ndebug = false\n\n[profile.release]\n";
        assert_eq!(
            workspace(&packages, root),
            "[workspace]\nresolver = \"3\"\nmembers = [\"ours-0.1.0\"]\n\n[patch.crates-io]\n\
             ours = { path = \"ours-0.1.0\" }\n\n[profile.dev]\ndebug = false\n"
        );
    }
}
