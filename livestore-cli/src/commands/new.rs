//! `livestore new`: the templates are in this program. `cargo generate` takes them from the repository.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::args::New;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Output, Style};

struct Template {
    name: &'static str,
    about: &'static str,
    /// The command that starts the app.
    start: &'static str,
    files: &'static [(&'static str, &'static str)],
}

/// The files of a template, with the names that they get.
macro_rules! files {
    ($template:literal: $($source:literal => $name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $template, "/", $source)))),+]
    };
}

const TEMPLATES: &[Template] = &[
    Template {
        name: "todo-tui",
        about: "todos in a terminal, with live queries and sync",
        start: "cargo run",
        files: files!("todo-tui":
            "Cargo.toml.liquid" => "Cargo.toml",
            "gitignore" => ".gitignore",
            "src/main.rs" => "src/main.rs",
            "src/schema.rs" => "src/schema.rs",
        ),
    },
    Template {
        name: "minimal",
        about: "one table, one event, and a test of two clients that sync",
        start: "cargo run",
        files: files!("minimal":
            "Cargo.toml.liquid" => "Cargo.toml",
            "gitignore" => ".gitignore",
            "src/main.rs" => "src/main.rs",
        ),
    },
    Template {
        name: "server",
        about: "a sync backend of one's own",
        start: "cargo run",
        files: files!("server":
            "Cargo.toml.liquid" => "Cargo.toml",
            "gitignore" => ".gitignore",
            "src/main.rs" => "src/main.rs",
        ),
    },
    Template {
        name: "web",
        about: "notes in a browser, with Dioxus",
        start: "dx serve --platform web",
        files: files!("web":
            "Cargo.toml.liquid" => "Cargo.toml",
            "gitignore" => ".gitignore",
            ".cargo/config.toml" => ".cargo/config.toml",
            "src/main.rs" => "src/main.rs",
        ),
    },
    Template {
        name: "egui",
        about: "notes in a window, with egui",
        start: "cargo run",
        files: files!("egui":
            "Cargo.toml.liquid" => "Cargo.toml",
            "gitignore" => ".gitignore",
            "src/main.rs" => "src/main.rs",
        ),
    },
    Template {
        name: "dioxus",
        about: "notes in a window, with Dioxus; on Linux, with the headers of WebKitGTK",
        start: "cargo run",
        files: files!("dioxus":
            "Cargo.toml.liquid" => "Cargo.toml",
            "gitignore" => ".gitignore",
            "src/main.rs" => "src/main.rs",
        ),
    },
];

/// What `cargo generate` calls the app's name.
const NAME: &str = "{{project-name}}";

pub(super) fn run(out: &mut Output, args: &New) -> Result {
    let Some(name) = args.name.as_deref().filter(|_| !args.list) else { return list(out) };
    check(name)?;
    let template = TEMPLATES.iter().find(|template| template.name == args.template);
    let template = template.ok_or_else(|| {
        let names: Vec<_> = TEMPLATES.iter().map(|template| template.name).collect();
        Failure::usage(format!(
            "there is no template {:?}; there is {}",
            args.template,
            names.join(", ")
        ))
    })?;
    let directory = args.directory.clone().unwrap_or_else(|| PathBuf::from(name));
    write(template, name, &directory)?;
    if out.json {
        let directory = directory.display().to_string();
        return out.json(&json!({ "directory": directory, "template": template.name }));
    }
    out.line(format!("{name} is in {}; `{}` there starts it", directory.display(), template.start))
}

fn list(out: &mut Output) -> Result {
    for Template { name, about, .. } in TEMPLATES {
        if out.json {
            out.json(&json!({ "template": name, "about": about }))?;
        } else {
            let name = out.styled(Style::Strong, name);
            out.line(format!("{name}  {about}"))?;
        }
    }
    Ok(())
}

/// Cargo has its own words for a name that it refuses, but only later.
fn check(name: &str) -> Result {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins_well && name.chars().all(allowed) {
        return Ok(());
    }
    let rule = "it begins with a letter, and goes on with letters, digits, `-` and `_`";
    Err(Failure::usage(format!("{name:?} cannot be the name of a package: {rule}")))
}

fn write(template: &Template, name: &str, directory: &Path) -> Result {
    let at = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| Failure::failed(format!("{path}: {error}"))
    };
    if directory.exists() {
        let message = format!("{} is there already", directory.display());
        return Err(Failure::new(Exit::Failed, message));
    }
    for (file, text) in template.files {
        let path = directory.join(file);
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).map_err(at(parent))?;
        fs::write(&path, text.replace(NAME, name)).map_err(at(&path))?;
    }
    Ok(())
}
