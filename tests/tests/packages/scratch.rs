//! Packages made for a test, in a workspace like this one: what is compiled already is used again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package that depends on `livestore`.
pub(crate) struct Scratch {
    workspace: PathBuf,
}

/// The result of `cargo check`.
pub(crate) struct Checked {
    pub(crate) passed: bool,
    pub(crate) text: String,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

impl Scratch {
    /// A package without files of its own yet; `name` is that of the test.
    pub(crate) fn new(name: &str) -> Self {
        let workspace = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lock").join(name);
        let _ = fs::remove_dir_all(&workspace);
        let scratch = Self { workspace };
        let root = repository();
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let (_, members) = manifest.split_once("members = [").unwrap();
        let (_, rest) = members.split_once(']').unwrap();
        let rest = rest.replace("path = \"", &format!("path = \"{}/", root.display()));
        scratch.write_at(
            "Cargo.toml",
            &format!("[workspace]\nresolver = \"3\"\nmembers = [\"app\"]{rest}"),
        );
        scratch.write_at("Cargo.lock", &fs::read_to_string(root.join("Cargo.lock")).unwrap());
        scratch.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                 [dependencies]\nlivestore.workspace = true\nserde.workspace = true\n"
            ),
        );
        scratch
    }

    /// A package with this library, after the prelude.
    pub(crate) fn library(name: &str, source: &str) -> Self {
        let scratch = Self::new(name);
        scratch.source(source);
        scratch
    }

    /// Changes the library.
    pub(crate) fn source(&self, source: &str) {
        let header = "#![deny(warnings, unused_qualifications)]\nuse livestore::prelude::*;\n";
        self.write("src/lib.rs", &format!("{header}{source}"));
    }

    /// A copy of an example's folder.
    pub(crate) fn of_example(name: &str) -> Self {
        let scratch = Self::new(name);
        copy(&repository().join("examples").join(name), &scratch.workspace.join("app"));
        scratch
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        self.write_at(&format!("app/{path}"), text);
    }

    fn write_at(&self, path: &str, text: &str) {
        let path = self.workspace.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a text that occurs once.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.workspace.join("app").join(path)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        self.write(path, &text.replace(from, to));
    }

    pub(crate) fn remove(&self, path: &str) {
        let _ = fs::remove_file(self.workspace.join("app").join(path));
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.workspace.join("app").join(path).exists()
    }

    /// The lines of `livestore.lock` that are not comments.
    pub(crate) fn lock(&self) -> Vec<String> {
        let text = fs::read_to_string(self.workspace.join("app/livestore.lock")).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    }

    /// `cargo check`, with `LIVESTORE_SCHEMA` set to `mode` unless that is empty.
    pub(crate) fn check(&self, mode: &str) -> Checked {
        self.check_with(mode, &[])
    }

    pub(crate) fn check_with(&self, mode: &str, arguments: &[&str]) -> Checked {
        self.cargo("check", mode, arguments)
    }

    pub(crate) fn cargo(&self, action: &str, mode: &str, arguments: &[&str]) -> Checked {
        let mut command = Command::new(env!("CARGO"));
        command
            .args([action, "--quiet", "--offline", "--color=never"])
            .args(arguments)
            .current_dir(self.workspace.join("app"))
            .env("CARGO_TARGET_DIR", target())
            .env_remove("LIVESTORE_SCHEMA")
            .env_remove("RUSTFLAGS");
        if !mode.is_empty() {
            command.env("LIVESTORE_SCHEMA", mode);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        Checked { passed: output.status.success(), text }
    }

    /// Writes the lock.
    #[track_caller]
    pub(crate) fn accept(&self) {
        self.check("accept").passes_with("");
    }
}

impl Checked {
    /// Asserts that it compiles, and that this is all that is printed.
    #[track_caller]
    pub(crate) fn passes_with(&self, printed: &str) {
        assert!(self.passed, "{}", self.text);
        assert_eq!(self.text.trim(), printed);
    }

    /// Asserts that it does not compile, for these reasons and no others.
    #[track_caller]
    pub(crate) fn fails_with(&self, reasons: &[&str]) {
        assert!(!self.passed, "it compiles: {}", self.text);
        for reason in reasons {
            assert!(self.text.contains(reason), "no `{reason}` in\n{}", self.text);
        }
        let errors = self.text.lines().filter(|line| line.starts_with("error"));
        let errors = errors.filter(|line| !line.starts_with("error: could not compile")).count();
        assert_eq!(errors, reasons.len(), "{}", self.text);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
