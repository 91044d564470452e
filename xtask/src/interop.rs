//! `cargo xtask interop`: our clients and server against LiveStore's own.

use std::process::ExitCode;

use crate::line::{self, Line};
use crate::step::{self, Step};
use crate::tool::Tool;

/// Runs the matrix, or of it what has every one of `words` in its line. `strict`: it may not be
/// skipped.
pub(crate) fn run(words: Vec<String>, strict: bool) -> ExitCode {
    step::run_all(&[plan(words, Tool::is_here)], strict)
}

/// The step, which needs npm. With a test among what is built, cargo chooses the features of
/// dependencies as it does for all tests, and so has them built already.
pub(crate) fn plan(words: Vec<String>, is_here: impl Fn(Tool) -> bool) -> Step {
    if !is_here(Tool::Npm) {
        return Step::lacking("interop", Tool::Npm);
    }
    let program = line::target().join("debug/livestore-interop");
    let both = "--bin livestore-server --bin livestore-interop --test storm";
    let build = Line::cargo(&format!("build --workspace --all-features {both}"));
    let matrix = Line::new(program.display().to_string(), "").args(words);
    Step::new("interop", 8, [build, matrix])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_choose_what_runs() {
        let step = plan(vec!["http".to_owned(), "wrong token".to_owned()], |_| true);
        assert!(step.to_string().ends_with("livestore-interop http 'wrong token'"));
    }

    #[test]
    fn without_npm_it_is_skipped_and_says_so() {
        let step = plan(Vec::new(), |tool| tool != Tool::Npm).to_string();
        assert!(step.starts_with("interop: npm is not installed ("), "{step}");
    }
}
