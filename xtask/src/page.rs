//! `cargo xtask page`: the devtools' page, built as it is committed.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

/// The page's sources.
const FOLDER: &str = "livestore-devtools/page";

/// Builds and tests it. `strict`: it may not be skipped.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&[plan(Tool::is_here)], strict)
}

/// The step, which needs npm. What it builds has to be what is committed.
pub(crate) fn plan(is_here: impl Fn(Tool) -> bool) -> Step {
    if !is_here(Tool::Npm) {
        return Step::lacking("devtools page", Tool::Npm);
    }
    let npm = |args: &str| Line::new("npm", &format!("--prefix {FOLDER} {args}"));
    let same = Line::new("git", &format!("diff --exit-code --stat -- {FOLDER}/dist"));
    let lines = [npm("ci --no-audit --no-fund"), npm("test"), npm("run build"), same];
    Step::new("devtools page", 3, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_npm_it_is_skipped_and_says_so() {
        let step = plan(|tool| tool != Tool::Npm).to_string();
        assert!(step.starts_with("devtools page: npm is not installed ("), "{step}");
    }
}
