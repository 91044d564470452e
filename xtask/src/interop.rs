//! `cargo xtask interop`: our clients and server against LiveStore's own, and the server over each engine.

use std::process::ExitCode;

use crate::line::{self, Line};
use crate::step::{self, Step};
use crate::tool::Tool;
use crate::web;

/// Runs the matrix, or of it what has every one of `words` in its line. `strict`: it may not be
/// skipped.
pub(crate) fn run(words: Vec<String>, strict: bool) -> ExitCode {
    let engines = plan_engines(&words, strict, Tool::is_here);
    step::run_all(&[plan(words, strict, Tool::is_here), engines], strict)
}

/// The step, which needs npm. Without a browser it leaves out the cells with a page, and says so. With a
/// test among what is built, cargo chooses the features of dependencies as it does for all tests, and so has
/// them built already.
pub(crate) fn plan(words: Vec<String>, strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    if !is_here(Tool::Npm) {
        return Step::lacking("interop", Tool::Npm);
    }
    let (mut lines, browser) = match web::page_of_interop(strict, is_here) {
        Ok((lines, browser)) => (lines, browser.to_vec()),
        Err(_) => (Vec::new(), Vec::new()),
    };
    lines.push(build());
    lines.push(program().args(browser).args(words));
    Step::new("interop", 10, lines)
}

/// The step in which our server stores in PostgreSQL, and then in NATS.
pub(crate) fn plan_engines(words: &[String], strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    const NAME: &str = "interop over engines";
    let mut lines = Vec::new();
    if !is_here(Tool::Npm) {
        return Step::lacking(NAME, Tool::Npm);
    }
    match [Tool::Postgres, Tool::Nats].into_iter().find(|tool| !is_here(*tool)) {
        None => {}
        Some(_) if strict => lines.push(Line::new("bash", ".ci/engines")),
        Some(tool) => return Step::lacking(NAME, tool),
    }
    lines.push(build());
    for engine in ["postgres", "nats"] {
        lines.push(program().args(["--storage", engine].map(str::to_owned)).args(words.to_vec()));
    }
    Step::new(NAME, 10, lines)
}

fn build() -> Line {
    let bins = "--bin livestore-server --bin livestore-interop --bin livestore-interop-client \
                --bin livestore-web-tests --test storm";
    Line::cargo(&format!("build --workspace --all-features {bins}"))
}

fn program() -> Line {
    Line::new(line::target().join("debug/livestore-interop").display().to_string(), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_choose_what_runs() {
        let step = plan(vec!["http".to_owned(), "wrong token".to_owned()], false, |_| true);
        assert!(step.to_string().ends_with(" http 'wrong token'"));
    }

    #[test]
    fn the_server_runs_over_each_engine() {
        let step = |strict, missing| {
            let is_here = |tool| Some(tool) != missing;
            plan_engines(&["http".to_owned()], strict, is_here).to_string()
        };
        let here = step(false, None);
        assert!(here.contains(" --storage postgres http && "), "{here}");
        assert!(here.ends_with(" --storage nats http"), "{here}");
        assert!(step(false, Some(Tool::Nats)).contains("nats-server is not installed"));
        assert!(step(true, Some(Tool::Nats)).contains("bash .ci/engines && "));
    }

    #[test]
    fn without_npm_it_is_skipped_and_says_so() {
        let step = plan(Vec::new(), true, |tool| tool != Tool::Npm).to_string();
        assert!(step.starts_with("interop: npm is not installed ("), "{step}");
    }

    #[test]
    fn without_a_browser_the_matrix_runs_without_pages() {
        let step = |strict| plan(Vec::new(), strict, |tool| tool == Tool::Npm).to_string();
        assert!(!step(false).contains("--browser"), "{}", step(false));
        assert!(step(true).contains("bash .ci/chromium && "), "{}", step(true));
        assert!(step(true).contains(" --browser "), "{}", step(true));
    }
}
