//! `livestore schema`, in a package made for the test.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NOTES: &str = "\
use livestore::prelude::*;

#[derive(Event)]
#[event(name = \"v1.NoteAdded\")]
pub struct NoteAdded { pub id: String }

impl Materialize for NoteAdded {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert(&Note { id: self.id.clone() })
    }
}

#[table]
pub struct Note {
    #[column(primary_key)]
    pub id: String,
}

livestore::schema! { pub Notes { tables: [Note], events: [NoteAdded] } }
";

/// A package in a workspace like this one, so that what is compiled already is used again.
struct Package(PathBuf);

struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Package {
    fn new(name: &str) -> Self {
        let workspace = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schema").join(name);
        let _ = fs::remove_dir_all(&workspace);
        fs::create_dir_all(workspace.join("app/src")).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let (_, members) = manifest.split_once("members = [").unwrap();
        let (_, rest) = members.split_once(']').unwrap();
        let rest = rest.replace("path = \"", &format!("path = \"{}/", root.display()));
        let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [\"app\"]{rest}");
        fs::write(workspace.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), workspace.join("Cargo.lock")).unwrap();
        let package = Self(workspace.join("app"));
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nlivestore.workspace = true\nserde.workspace = true\n"
        );
        package.write("Cargo.toml", &manifest);
        package.write("src/lib.rs", NOTES);
        package
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.0.join(path), text).unwrap();
    }

    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.0.join("src/lib.rs")).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        self.write("src/lib.rs", &text.replace(from, to));
    }

    fn lock(&self) -> Option<String> {
        fs::read_to_string(self.0.join("livestore.lock")).ok()
    }

    fn run(&self, args: &[&str]) -> Done {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_livestore"))
            .arg("schema")
            .args(args)
            .current_dir(&self.0)
            .env("CARGO", env!("CARGO"))
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("RUSTFLAGS")
            // It is up to the command.
            .env("LIVESTORE_SCHEMA", "accept")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
    }

    #[track_caller]
    fn ends_with(&self, args: &[&str], code: i32) -> Done {
        let done = self.run(args);
        assert_eq!(done.code, code, "{args:?}\n{}\n{}", done.out, done.err);
        done
    }
}

#[test]
fn accept_writes_the_lock_that_check_compares_and_diff_only_shows() {
    let package = Package::new("schema-notes");
    assert!(package.ends_with(&["check"], 3).err.contains("there is no livestore.lock"));

    // Nothing is left of what was tried.
    let diff = package.ends_with(&["diff"], 3);
    assert!(diff.out.contains("+event v1.NoteAdded id: String\n"), "{}", diff.out);
    assert_eq!(package.lock(), None);

    assert_eq!(package.ends_with(&["accept"], 0).out, "");
    let accepted = package.lock().unwrap();
    assert!(accepted.contains("event v1.NoteAdded id: String\n"), "{accepted}");
    package.ends_with(&["check"], 0);
    assert_eq!(package.ends_with(&["diff"], 0).out, "");

    package.edit(
        "pub struct NoteAdded { pub id: String }",
        "pub struct NoteAdded { pub id: String, pub by: Option<String> }",
    );
    let check = package.ends_with(&["check"], 3);
    assert!(check.err.contains("livestore.lock is frozen"), "{}", check.err);
    let diff = package.ends_with(&["diff"], 3).out;
    let (file, lines) = diff.split_once('\n').unwrap();
    assert!(file.ends_with("livestore.lock"), "{file}");
    assert_eq!(lines, "+event v1.NoteAdded by: Option<String> (optional)\n");
    let json = package.ends_with(&["diff", "--json"], 3).out;
    let shown: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(shown["change"], "+");
    assert_eq!(shown["line"], "event v1.NoteAdded by: Option<String> (optional)");
    assert_eq!(package.lock(), Some(accepted));

    package.ends_with(&["accept", "--package", "schema-notes"], 0);
    package.ends_with(&["check"], 0);
}

/// A change that would make stored events unreadable is not accepted, and nothing is written.
#[test]
fn what_cannot_be_accepted_leaves_the_lock_as_it_is() {
    let package = Package::new("schema-broken");
    package.ends_with(&["accept"], 0);
    let accepted = package.lock();
    package.edit("pub struct Note {", "pub struct Note { nothing that compiles");
    for action in ["accept", "diff"] {
        assert!(package.ends_with(&[action], 1).err.contains("cargo check has failed"));
        assert_eq!(package.lock(), accepted);
    }
    assert!(package.ends_with(&["check"], 3).err.contains("cargo check has failed"));

    let missing = package.ends_with(&["diff", "--package", "nobody"], 1);
    assert!(missing.err.contains("nobody"), "{}", missing.err);
    let nowhere = package.ends_with(&["check", "--manifest-path", "nowhere/Cargo.toml"], 3);
    assert!(nowhere.err.contains("nowhere"), "{}", nowhere.err);
}
