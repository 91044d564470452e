//! Every template is an app that builds, and whose tests pass. Those with a framework are examples of its
//! bindings, or of the app for the desktop, and are built with them.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::Data;

/// Templates that need no framework.
const TEMPLATES: [&str; 3] = ["todo-tui", "minimal", "server"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

#[test]
fn new_says_what_it_does() {
    let data = Data::new();
    fs::create_dir(data.file("there")).unwrap();
    let mut session = data.session("new");
    session
        .run(&["new", "--list"])
        .run(&["new", "my-app"])
        .run(&["new", "my-app"])
        .run(&["new", "there"])
        .run(&["new", "other", "--template", "none"])
        .run(&["new", "../x"])
        .run(&["new", "my_server", "--template", "server", "--directory", "deep/er", "--json"])
        .done();
    assert!(
        fs::read_to_string(data.file("my-app/Cargo.toml")).unwrap().contains(r#"name = "my-app""#)
    );
    assert!(data.file("deep/er/.gitignore").exists());
}

/// `cargo generate` reads the same files, by Liquid's rules: they have nothing that it would read as its own.
#[test]
fn the_templates_have_no_other_placeholders() {
    let mut folders = vec![repository().join("livestore-cli/templates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap().replace("{{project-name}}", "");
            assert!(!text.contains("{{") && !text.contains("{%"), "{}", path.display());
        }
    }
}

/// The frameworks are built in the workspace of the bindings. What a template has is built there, too.
#[test]
fn the_templates_of_frameworks_are_examples_of_the_bindings() {
    let of_template = "livestore-cli/templates";
    for (template, package, example) in [
        ("web", "livestore-dioxus", "guide_web.rs"),
        ("egui", "livestore-egui", "guide_desktop.rs"),
    ] {
        let read = |path: &str| fs::read_to_string(repository().join(path)).unwrap();
        // The first line says how it is run.
        let program = |path: &str| {
            let text = read(path);
            text.split_once('\n').unwrap().1.to_owned()
        };
        let ours = program(&format!("{of_template}/{template}/src/main.rs"));
        assert_eq!(ours, program(&format!("integrations/{package}/examples/{example}")));
        let (manifest, theirs) = (
            read(&format!("{of_template}/{template}/Cargo.toml.liquid")),
            read(&format!("integrations/{package}/Cargo.toml")),
        );
        let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
        let names = dependencies.lines().take_while(|line| !line.is_empty());
        for name in
            names.map(|line| line.split_once(" = ").unwrap().0).filter(|name| *name != package)
        {
            assert!(theirs.lines().any(|line| line.starts_with(name)), "{package} has no {name}");
        }
    }
}

/// In a workspace like this one, so that what is compiled already is used again.
#[test]
#[ignore = "takes minutes: `cargo xtask ci` runs it"]
fn every_template_builds_and_passes_its_tests() {
    let workspace = Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates");
    let _ = fs::remove_dir_all(&workspace);
    fs::create_dir_all(&workspace).unwrap();
    let root = repository();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let (_, members) = manifest.split_once("members = [").unwrap();
    let (_, rest) = members.split_once(']').unwrap();
    let rest = rest.replace("path = \"", &format!("path = \"{}/", root.display()));
    let members = TEMPLATES.map(|name| format!("\"{name}\"")).join(", ");
    fs::write(
        workspace.join("Cargo.toml"),
        format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]{rest}"),
    )
    .unwrap();
    fs::copy(root.join("Cargo.lock"), workspace.join("Cargo.lock")).unwrap();
    for template in TEMPLATES {
        let status = Command::new(env!("CARGO_BIN_EXE_livestore"))
            .args(["new", template, "--template", template])
            .current_dir(&workspace)
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
        let path = workspace.join(template).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap();
        let lines = manifest.lines().map(|line| match line.split_once(" = { git = ") {
            Some((name, _)) => format!("{name} = {{ path = \"{}\" }}", root.join(name).display()),
            None => line.to_owned(),
        });
        fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let done = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--workspace", "--offline", "--color=never"])
        .current_dir(&workspace)
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "")
        .env_remove("LIVESTORE_SCHEMA")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{text}");
    assert!(!text.contains("warning:"), "{text}");
}
