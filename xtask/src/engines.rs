//! `cargo xtask engines`: the server over the engines that several servers can share.

use std::path::Path;
use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

/// Runs the tests, all or those whose names have one of `words`. `strict`: install what is missing, skip
/// nothing.
pub(crate) fn run(words: &[String], strict: bool) -> ExitCode {
    step::run_all(&[plan(words, strict, Tool::is_here)], strict)
}

/// The step, which needs PostgreSQL.
pub(crate) fn plan(words: &[String], strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    let mut lines = Vec::new();
    match (is_here(Tool::Postgres), strict) {
        (true, _) => {}
        (false, true) => lines.push(Line::new("bash", ".ci/engines")),
        (false, false) => return Step::lacking("engines", Tool::Postgres),
    }
    // With all features, as in the other steps: nothing is built again.
    let tests = "test --workspace --all-features --test engines -- --include-ignored";
    lines.push(Line::cargo(tests).args(words.iter().cloned()));
    Step::new("engines", 6, lines)
}

/// Whether PostgreSQL is in the path, or where Debian puts it.
pub(crate) fn has_postgres() -> bool {
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    Line::new("postgres", "--version").succeeds()
        || versions.into_iter().any(|version| version.path().join("bin/postgres").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_postgres_it_is_skipped_by_a_person_and_installed_by_ci() {
        let step = |strict| plan(&[], strict, |tool| tool != Tool::Postgres).to_string();
        assert!(
            step(false).starts_with("engines: PostgreSQL is not installed ("),
            "{}",
            step(false)
        );
        assert!(
            step(true).starts_with("engines: bash .ci/engines && cargo test "),
            "{}",
            step(true)
        );
    }
}
