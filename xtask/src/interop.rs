//! `cargo xtask interop`: our clients and server against LiveStore's own.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

/// Runs the matrix, or of it what has every one of `words` in its line. `ci`: it may not be skipped.
pub(crate) fn run(words: Vec<String>, ci: bool) -> ExitCode {
    step::run_all(&[plan(words, Tool::is_here)], ci)
}

/// The step, which needs npm.
pub(crate) fn plan(words: Vec<String>, is_here: impl Fn(Tool) -> bool) -> Step {
    if !is_here(Tool::Npm) {
        return Step::lacking("interop", Tool::Npm);
    }
    let build = Line::cargo("build --package livestore-server --package livestore-interop");
    let matrix = Line::cargo("run --quiet --package livestore-interop --").args(words);
    Step::new("interop", [build, matrix])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_choose_what_runs() {
        let step = plan(vec!["http".to_owned(), "wrong token".to_owned()], |_| true);
        assert!(step.to_string().ends_with("livestore-interop -- http 'wrong token'"));
    }

    #[test]
    fn without_npm_it_is_skipped_and_says_so() {
        let step = plan(Vec::new(), |tool| tool != Tool::Npm);
        assert_eq!(step.to_string(), "interop: npm is not installed (nvm install 22)");
    }
}
