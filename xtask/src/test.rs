//! `cargo xtask test`: what one waits for while working, in the order in which a mistake is cheapest
//! to find.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

/// Checks the workspace. `strict`: install what is missing, skip nothing.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&plan(strict, Tool::is_here), strict)
}

fn plan(strict: bool, is_here: impl Fn(Tool) -> bool) -> Vec<Step> {
    vec![
        Tool::Rustfmt.step("format", 1, Line::cargo("fmt --all --check"), strict, &is_here),
        Tool::Clippy.step("lints", 2, lints(), strict, &is_here),
        Step::new("schema lock", 1, [schema_lock()]),
        Step::new("tests", 6, [tests(is_here(Tool::Nextest), strict)]),
        Step::new("doc tests", 1, [Line::cargo("test --doc --workspace --all-features")]),
    ]
}

fn lints() -> Line {
    Line::cargo("clippy --workspace --all-targets --all-features -- -D warnings")
}

/// The examples are what their locks say. With a test among what is checked, cargo chooses the
/// features of dependencies as it does in the other steps, and so has them checked already.
fn schema_lock() -> Line {
    Line::cargo(
        "check --workspace --all-features --bin notes --bin todo --bin repo-history --test cli",
    )
    .env("LIVESTORE_SCHEMA", "frozen")
}

/// Without nextest, the targets are named so that doc tests keep their own step.
///
/// Many tests have threads, processes and sockets. With `strict`, one that fails and then passes
/// is listed as flaky: it is to be mended, but hides no other failure and blocks nobody.
fn tests(nextest: bool, strict: bool) -> Line {
    match (nextest, strict) {
        (true, true) => {
            Line::cargo("nextest run --workspace --all-features --no-fail-fast --retries 1")
        }
        (true, false) => Line::cargo("nextest run --workspace --all-features"),
        (false, _) => Line::cargo("test --workspace --all-features --lib --bins --tests"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(steps: &[Step]) -> Vec<String> {
        steps.iter().map(Step::to_string).collect()
    }

    #[test]
    fn without_nextest_cargo_runs_the_tests() {
        let steps = shown(&plan(true, |tool| tool != Tool::Nextest));
        assert_eq!(steps[3], "tests: cargo test --workspace --all-features --lib --bins --tests");
    }

    #[test]
    fn a_missing_tool_is_skipped_by_a_person_and_installed_by_ci() {
        let has = |tool| tool != Tool::Clippy;
        assert_eq!(
            shown(&plan(false, has))[1],
            "lints: clippy is not installed (rustup component add clippy)"
        );
        let installed = shown(&plan(true, has)).swap_remove(1);
        assert!(installed.starts_with("lints: rustup component add clippy && cargo clippy "));
    }
}
