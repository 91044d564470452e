//! `cargo xtask interop`: our clients and server against LiveStore's own.

use std::process::ExitCode;

use crate::line::{self, Line};
use crate::step::{self, Step};
use crate::tool::Tool;
use crate::web;

/// Runs the matrix, or of it what has every one of `words` in its line. `strict`: it may not be
/// skipped.
pub(crate) fn run(words: Vec<String>, strict: bool) -> ExitCode {
    step::run_all(&[plan(words, strict, Tool::is_here)], strict)
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
    let bins = "--bin livestore-server --bin livestore-interop --bin livestore-interop-client \
                --bin livestore-web-tests --test storm";
    lines.push(Line::cargo(&format!("build --workspace --all-features {bins}")));
    let program = line::target().join("debug/livestore-interop");
    lines.push(Line::new(program.display().to_string(), "").args(browser).args(words));
    Step::new("interop", 10, lines)
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
