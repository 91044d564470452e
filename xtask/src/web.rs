//! `cargo xtask web`: the examples for browsers, built, served, tried in a real browser, and weighed.

use std::process::{Child, Command, ExitCode, Stdio};

use crate::line::{self, Line};
use crate::screens;
use crate::step::{self, Step};
use crate::tool::Tool;
use crate::wasm::{self, Compiler};

/// A folder outside of the workspace, so that nobody has to build it who does not need it.
const TOOL: &str = "xtask/web/Cargo.toml";

/// Where the page is served.
const PORT: &str = "8080";

/// What to do with the examples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Web {
    /// Measure stores, and the tracker, in Chromium.
    Bench,
    /// Build one, as small as it gets.
    Build(Example),
    /// Serve it, beside a backend.
    Serve(Example),
    /// Try the tracker in a window of the desktop, beside two browsers.
    Window,
    /// Try them in Chromium: the scenarios whose names have every word.
    Test(Vec<String>),
}

/// An app for browsers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Example {
    /// TodoMVC, without a framework.
    Todo,
    /// An issue tracker, with Dioxus.
    Tracker,
}

impl Example {
    /// The one with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "todo" => Some(Self::Todo),
            "tracker" => Some(Self::Tracker),
            _ => None,
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Todo => "todo-web",
            Self::Tracker => TRACKER,
        }
    }

    fn page(self) -> &'static str {
        match self {
            Self::Todo => "",
            Self::Tracker => "/tracker.html",
        }
    }
}

/// The package of the tracker, which is in the workspace of the UI frameworks.
const TRACKER: &str = "tracker";

/// What the tests open in a browser.
const PAGES: [&str; 3] = ["todo-web", "livestore-web-probe", TRACKER];

/// The examples of bindings, each with the name of its framework behind this.
const OF_BINDING: &str = "todos-";
const BINDINGS: [&str; 3] = ["todos-dioxus", "todos-leptos", "todos-yew"];

/// Does it. `strict`: what is missing is installed.
pub(crate) fn run(web: Web, strict: bool) -> ExitCode {
    match web {
        Web::Bench => step::run_all(&[plan_bench(strict, Tool::is_here)], strict),
        Web::Build(app) => step::run_all(&[plan_build(app, strict, Tool::is_here)], strict),
        Web::Window => step::run_all(&[plan_window(strict, Tool::is_here)], strict),
        Web::Test(words) => step::run_all(&[plan(words, strict, Tool::is_here)], strict),
        Web::Serve(app) => {
            let built = step::run_all(&[plan_build(app, strict, Tool::is_here)], true);
            if built == ExitCode::SUCCESS { serve(app) } else { built }
        }
    }
}

fn plan_build(app: Example, strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    match Compiler::find(strict, is_here) {
        Ok(compiler) => {
            let mut lines = site(compiler, "web", &[app.package()]);
            lines.push(Line::cargo("build --package livestore-server"));
            Step::new("web build", 12, lines)
        }
        Err(tool) => Step::lacking("web build", tool),
    }
}

/// The step of CI: the examples as `cargo xtask wasm` has built the libraries, in Chromium.
pub(crate) fn plan(words: Vec<String>, strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    // With a test among what is built, cargo chooses the features of dependencies as it does for
    // all tests, and so has them built already.
    let bins = "--bin livestore-server --bin todo --bin livestore-web-tests --bin livestore-web-probe \
                --test storm";
    let build = Line::cargo(&format!("build --workspace --all-features {bins}"));
    let all = [PAGES, BINDINGS].concat();
    match in_chromium("dev", &all, build, words, strict, is_here) {
        Ok(lines) => Step::new("web", 17, lines),
        Err(tool) => Step::lacking("web", tool),
    }
}

/// The tracker's window, on a screen in memory. Only what is compiled against the web view of the system has it.
pub(crate) fn plan_window(strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    const NAME: &str = "window";
    let needed = [(Tool::Webview, ".ci/webview"), (Tool::Screen, ".ci/window")];
    let missing: Vec<_> = needed.into_iter().filter(|(tool, _)| !is_here(*tool)).collect();
    if let Some((tool, _)) = missing.first().filter(|_| !strict) {
        return Step::lacking(NAME, *tool);
    }
    let mut lines: Vec<_> = missing.iter().map(|(_, script)| Line::new("bash", script)).collect();
    lines.push(screens::desktop("build", "--locked"));
    let build = Line::cargo("build --package livestore-server --package livestore-web-tests");
    let app = line::target().join("debug/tracker-desktop").display().to_string();
    let words = vec!["--window".to_owned(), app];
    match in_chromium("dev", &PAGES, build, words, strict, is_here) {
        Ok(tests) => lines.extend(tests),
        Err(tool) => return Step::lacking(NAME, tool),
    }
    Step::new(NAME, 15, lines)
}

/// Whether there can be a window that nobody sees, with keys pressed in it.
pub(crate) fn has_screen() -> bool {
    Line::new("which", "Xvfb xdotool import").succeeds()
}

fn plan_bench(strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    let build = "build --package livestore-server --package livestore-web-tests";
    let build = Line::cargo(build);
    match in_chromium("web", &PAGES, build, vec!["--bench".to_owned()], strict, is_here) {
        Ok(lines) => Step::new("web bench", 18, lines),
        Err(tool) => Step::lacking("web bench", tool),
    }
}

/// The lines that build these for the browser in this profile, and run the program of the tests; or what they lack.
fn in_chromium(
    profile: &str,
    packages: &[&str],
    build: Line,
    words: Vec<String>,
    strict: bool,
    is_here: impl Fn(Tool) -> bool,
) -> Result<Vec<Line>, Tool> {
    let mut lines = pages(profile, packages, strict, is_here)?;
    lines.push(build);
    let tests = line::target().join("debug/livestore-web-tests").display().to_string();
    let folders =
        [tool(), site_folder(profile), line::target().join("web/pictures").display().to_string()];
    lines.push(Line::new(tests, "").args(folders).args(words));
    Ok(lines)
}

/// The lines that make the folder of files that a browser loads, and install the browser if that is due; or
/// what they lack.
fn pages(
    profile: &str,
    packages: &[&str],
    strict: bool,
    is_here: impl Fn(Tool) -> bool,
) -> Result<Vec<Line>, Tool> {
    let compiler = Compiler::find(strict, &is_here)?;
    let mut lines = Vec::new();
    match (is_here(Tool::Chromium), strict) {
        (true, _) => {}
        (false, true) => lines.push(Line::new("bash", ".ci/chromium")),
        (false, false) => return Err(Tool::Chromium),
    }
    lines.extend(site(compiler, profile, packages));
    Ok(lines)
}

/// For the matrix of clients: the lines that build its page, and how to open that; or what they lack.
pub(crate) fn page_of_interop(
    strict: bool,
    is_here: impl Fn(Tool) -> bool,
) -> Result<(Vec<Line>, [String; 3]), Tool> {
    let lines = pages("dev", &["livestore-interop-client"], strict, is_here)?;
    Ok((lines, ["--browser".to_owned(), tool(), site_folder("dev")]))
}

/// The lines that make the folder of files that a browser loads.
fn site(compiler: Compiler, profile: &str, packages: &[&str]) -> Vec<Line> {
    let (with_frameworks, ours): (Vec<&str>, Vec<&str>) =
        packages.iter().copied().partition(|it| *it == TRACKER || it.starts_with(OF_BINDING));
    let workspaces = [("", ours), ("--manifest-path integrations/Cargo.toml ", with_frameworks)];
    let mut lines = Vec::new();
    for (manifest, packages) in workspaces.into_iter().filter(|(_, packages)| !packages.is_empty())
    {
        let named: String = packages.iter().map(|package| named(package)).collect();
        let build = compiler.build(&format!("{manifest}{named}--profile {profile}"));
        let is_searched = packages.contains(&TRACKER);
        lines.extend(build.into_iter().map(|line| match profile == "web" && !is_searched {
            true => line.env(SQLITE_FLAGS, sqlite_flags_without_search()),
            false => line,
        }));
    }
    let tool_target = line::target().join("web-tool").display().to_string();
    let build = format!("build --quiet --manifest-path {TOOL} --target-dir");
    lines.push(Line::cargo(&build).args([tool_target]));
    let built = wasm::folder().join("wasm32-unknown-unknown");
    let built = built.join(if profile == "dev" { "debug" } else { profile });
    lines.extend(packages.iter().map(|package| {
        let folder = if package.starts_with(OF_BINDING) { "examples" } else { "" };
        let wasm = built.join(folder).join(format!("{package}.wasm"));
        Line::new(tool(), "bindgen")
            .args([wasm.display().to_string(), site_folder(profile)])
            .args(FILES.map(str::to_owned))
    }));
    lines
}

/// What cargo calls a page's program.
fn named(package: &str) -> String {
    match package.strip_prefix(OF_BINDING) {
        Some(framework) => format!("--package livestore-{framework} --example {package} "),
        // Beside an example, cargo builds no program that is not named.
        None if package == TRACKER => format!("--package {package} --bin {package} "),
        None => format!("--package {package} "),
    }
}

/// How SQLite is compiled for a browser: see `.cargo/config.toml`.
const SQLITE_FLAGS: &str = "SQLITE_WASM_RS_FLAGS";

/// The flags for a page that searches no text, which need not load what that takes.
fn sqlite_flags_without_search() -> String {
    let flags = std::env::var(SQLITE_FLAGS).unwrap_or_default();
    format!("{} -USQLITE_ENABLE_FTS5", flags.trim())
}

/// What a browser loads as it is.
const FILES: [&str; 4] = [
    "examples/todo-web/index.html",
    "examples/todo-web/style.css",
    "examples/tracker/app/tracker.html",
    "examples/tracker/app/tracker.css",
];

fn tool() -> String {
    line::target().join("web-tool/debug/livestore-web-tool").display().to_string()
}

fn site_folder(profile: &str) -> String {
    line::target().join("web").join(profile).display().to_string()
}

/// Serves the page, with a backend beside it, until it is interrupted.
fn serve(app: Example) -> ExitCode {
    let backend = line::target().join("debug/livestore-server");
    let data = line::target().join("web/data");
    let backend = Command::new(backend).arg("--data").arg(data).stdin(Stdio::null()).spawn();
    let _backend = match backend {
        Ok(backend) => Running(backend),
        Err(error) => {
            eprintln!("error: livestore-server did not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("open http://localhost:{PORT}{}", app.page());
    let served = Line::new(tool(), "serve").args([site_folder("web"), PORT.to_owned()]).run();
    match served {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// A process that ends with this one.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_writes_javascript_for_the_wasm_bindgen_that_is_locked() {
        let read = |path: &str| std::fs::read_to_string(line::root().join(path)).unwrap();
        for lock in ["Cargo.lock", "integrations/Cargo.lock"] {
            let lock = read(lock);
            let locked = lock.split("name = \"wasm-bindgen\"\nversion = \"").nth(1).unwrap();
            let locked = locked.split('"').next().unwrap();
            let pinned = format!("wasm-bindgen-cli-support = \"={locked}\"");
            assert!(read(TOOL).contains(&pinned), "{TOOL} should say {pinned}");
        }
    }

    #[test]
    fn the_window_is_skipped_by_a_person_without_a_screen_and_ci_installs_one() {
        let step = |strict, missing| plan_window(strict, |tool| Some(tool) != missing).to_string();
        let skipped = step(false, Some(Tool::Screen));
        assert!(skipped.ends_with("is not installed (bash .ci/window)"), "{skipped}");
        assert!(step(true, Some(Tool::Screen)).starts_with("window: bash .ci/window && "));
        let here = step(false, None);
        assert!(here.contains("examples/tracker/desktop/Cargo.toml --locked && "), "{here}");
        assert!(here.ends_with("/debug/tracker-desktop"), "{here}");
    }

    #[test]
    fn the_tracker_is_built_in_the_workspace_of_the_frameworks() {
        let step = plan(Vec::new(), true, |_| true).to_string();
        let ours = "cargo build --package todo-web --package livestore-web-probe --profile dev";
        let theirs = "cargo build --manifest-path integrations/Cargo.toml --package tracker --bin tracker \
                      --package livestore-dioxus --example todos-dioxus";
        assert!(step.contains(ours) && step.contains(theirs), "{step}");
    }

    #[test]
    fn without_a_browser_it_is_skipped_by_a_person_and_installed_by_ci() {
        let step = |strict| plan(Vec::new(), strict, |tool| tool != Tool::Chromium).to_string();
        assert!(step(false).starts_with("web: chromium is not installed ("), "{}", step(false));
        assert!(step(true).starts_with("web: bash .ci/chromium && "), "{}", step(true));
    }
}
