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
    let mut steps = plan(strict, Tool::is_here);
    steps.push(lints(strict, Tool::is_here));
    step::run_all(&steps, strict)
}

/// Measures how long it takes until a framework is notified of a changed row.
pub(crate) fn run_bench(strict: bool) -> ExitCode {
    let (mut lines, packages) = packages(strict, Tool::is_here);
    let bench = "--release --test conformance --locked -- --ignored --nocapture --test-threads 1";
    // Yew runs in a browser alone.
    lines.push(line("test", &format!("{packages} --exclude livestore-yew {bench}")));
    step::run_all(&[Step::new("bench of the screens", 30, lines)], strict)
}

/// The tests. Without the headers of the web view, what needs it is left out; without npm, the pages are.
pub(crate) fn plan(strict: bool, is_here: impl Fn(Tool) -> bool) -> Vec<Step> {
    let (mut lines, packages) = packages(strict, &is_here);
    lines.push(line("fmt", "--all --check"));
    // With the examples, and those in the documentation.
    lines.push(line("test", &format!("{packages} --locked")));
    let mut steps = vec![Step::new("screens", 15, lines)];
    if !is_here(Tool::Webview) && !strict {
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

/// The lints, and the app for the desktop. They share nothing with the tests: every framework is checked anew.
pub(crate) fn lints(strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    let (mut lines, packages) = packages(strict, &is_here);
    const CLIPPY: &str = "--all-targets --locked -- -D warnings";
    lines.push(line("clippy", &format!("{packages} {CLIPPY}")));
    if is_here(Tool::Webview) || strict {
        lines.push(desktop("fmt", "--check"));
        lines.push(desktop("clippy", CLIPPY));
    }
    Step::new("lints of the screens", 15, lines)
}

/// Which packages can be built, and what is to be done before.
fn packages(strict: bool, is_here: impl Fn(Tool) -> bool) -> (Vec<Line>, String) {
    let all = "--workspace".to_owned();
    match (is_here(Tool::Webview), strict) {
        (true, _) => (Vec::new(), all),
        (false, true) => (vec![Line::new("bash", ".ci/webview")], all),
        (false, false) => {
            let without = WITH_WEBVIEW.map(|package| format!(" --exclude {package}"));
            (Vec::new(), all + &without.concat())
        }
    }
}

/// Cargo in the workspace of the bindings.
fn line(command: &str, args: &str) -> Line {
    in_workspace("integrations/Cargo.toml", command, args)
}

/// Cargo in the workspace of the app with a web view.
pub(crate) fn desktop(command: &str, args: &str) -> Line {
    in_workspace(DESKTOP, command, args)
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
            "CARGO_TARGET_DIR={target} cargo test --manifest-path integrations/Cargo.toml --workspace --locked"
        );
        assert!(screens.starts_with("screens: ") && screens.ends_with(&test), "{screens}");
        assert!(pages.ends_with(" test"), "{pages}");
        let lints = lints(false, |_| true).to_string();
        assert!(lints.contains("examples/tracker/desktop/Cargo.toml"), "{lints}");
    }

    #[test]
    fn without_a_web_view_a_person_leaves_out_what_needs_it_and_ci_installs_it() {
        let [screens, skipped, _] = &*texts(false, Some(Tool::Webview)) else {
            panic!("three steps")
        };
        assert!(screens.contains("--exclude tauri-plugin-livestore --exclude tauri-todos"));
        let why = "screens in a web view: WebKitGTK is not installed (bash .ci/webview)";
        assert_eq!(skipped, why);
        let lints = |strict| lints(strict, |tool| tool != Tool::Webview).to_string();
        assert!(!lints(false).contains("examples/tracker/desktop"), "{}", lints(false));
        let [screens, _] = &*texts(true, Some(Tool::Webview)) else { panic!("two steps") };
        for step in [screens, &lints(true)] {
            assert!(step.contains(": bash .ci/webview && "), "{step}");
            assert!(!step.contains("--exclude"), "{step}");
        }
    }

    #[test]
    fn without_npm_the_pages_are_skipped() {
        let steps = texts(true, Some(Tool::Npm));
        assert!(steps.iter().any(|step| step.starts_with("pages in a web view: npm is not")));
    }
}
