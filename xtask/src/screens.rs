//! `cargo xtask screens`: the bindings of the UI frameworks, in the workspace `integrations`.

use std::process::ExitCode;

use crate::line::{self, Line};
use crate::step::{self, Step};
use crate::tool::Tool;

/// What is compiled against the web view of the system.
const WITH_WEBVIEW: [&str; 2] = ["tauri-plugin-livestore", "tauri-todos"];

/// An app with a web view, in a workspace of its own.
const DESKTOP: &str = "examples/tracker/desktop/Cargo.toml";

/// The package of the pages in a web view.
const PAGES: &str = "integrations/tauri-plugin-livestore/guest-js";

/// Checks and tests the bindings. `strict`: install what is missing, skip nothing.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&plan(strict, Tool::is_here), strict)
}

/// The steps: one build for all of them. Without the headers of the web view, what needs it is left out; without
/// npm, the pages are.
pub(crate) fn plan(strict: bool, is_here: impl Fn(Tool) -> bool) -> Vec<Step> {
    let has_webview = is_here(Tool::Webview);
    let mut lines = Vec::new();
    let mut packages = "--workspace".to_owned();
    match (has_webview, strict) {
        (true, _) => {}
        (false, true) => lines.push(Line::new("bash", ".ci/webview")),
        (false, false) => {
            packages.extend(WITH_WEBVIEW.map(|package| format!(" --exclude {package}")));
        }
    }
    lines.extend([
        line("fmt", "--all --check"),
        line("clippy", &format!("{packages} --all-targets --locked -- -D warnings")),
        // With the examples, and those in the documentation.
        line("test", &format!("{packages} --locked")),
    ]);
    if has_webview || strict {
        lines.push(in_workspace(DESKTOP, "clippy", "--all-targets --locked -- -D warnings"));
    }
    let mut steps = vec![Step::new("screens", 15, lines)];
    if !has_webview && !strict {
        steps.push(Step::lacking("screens in a web view", Tool::Webview));
    }
    steps.push(match is_here(Tool::Npm) {
        true => {
            let npm = |args: &str| Line::new("npm", &format!("--prefix {PAGES} {args}"));
            Step::new("pages in a web view", 1, [npm("ci --no-audit --no-fund"), npm("test")])
        }
        false => Step::lacking("pages in a web view", Tool::Npm),
    });
    steps
}

/// Cargo in the workspace of the bindings.
fn line(command: &str, args: &str) -> Line {
    in_workspace("integrations/Cargo.toml", command, args)
}

/// Cargo in another workspace, building into the same folder as in this one.
fn in_workspace(manifest: &str, command: &str, args: &str) -> Line {
    Line::cargo(&format!("{command} --manifest-path {manifest} {args}"))
        .env("CARGO_TARGET_DIR", line::target().to_string_lossy())
}

/// Whether what is compiled against the web view of the system can be: on Linux, it needs WebKit's headers.
pub(crate) fn has_webview() -> bool {
    !cfg!(target_os = "linux") || Line::new("pkg-config", "--exists webkit2gtk-4.1").succeeds()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(strict: bool, missing: Option<Tool>) -> Vec<String> {
        let steps = plan(strict, |tool| Some(tool) != missing);
        steps.iter().map(Step::to_string).collect()
    }

    #[test]
    fn the_bindings_are_built_in_their_workspace_and_in_the_folder_of_this_one() {
        let [screens, pages] = &*texts(false, None) else { panic!("two steps") };
        let target = line::target().display().to_string();
        let test = format!(
            "CARGO_TARGET_DIR={target} cargo test --manifest-path integrations/Cargo.toml --workspace --locked && "
        );
        assert!(screens.starts_with("screens: ") && screens.contains(&test), "{screens}");
        assert!(screens.contains("examples/tracker/desktop/Cargo.toml"), "{screens}");
        assert!(pages.ends_with(" test"), "{pages}");
    }

    #[test]
    fn without_a_web_view_a_person_leaves_out_what_needs_it_and_ci_installs_it() {
        let [screens, skipped, _] = &*texts(false, Some(Tool::Webview)) else {
            panic!("three steps")
        };
        assert!(screens.contains("--exclude tauri-plugin-livestore --exclude tauri-todos"));
        assert!(!screens.contains("examples/tracker/desktop"), "{screens}");
        let why = "screens in a web view: WebKitGTK is not installed (bash .ci/webview)";
        assert_eq!(skipped, why);
        let [screens, _] = &*texts(true, Some(Tool::Webview)) else { panic!("two steps") };
        assert!(screens.starts_with("screens: bash .ci/webview && "), "{screens}");
        assert!(!screens.contains("--exclude"), "{screens}");
    }

    #[test]
    fn without_npm_the_pages_are_skipped() {
        let steps = texts(true, Some(Tool::Npm));
        assert!(steps.iter().any(|step| step.starts_with("pages in a web view: npm is not")));
    }
}
