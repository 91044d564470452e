//! `cargo xtask test`: the whole check, in the order in which a mistake is cheapest to find.

use std::process::ExitCode;
use std::time::SystemTime;

use crate::fuzz;
use crate::interop;
use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

/// Checks the workspace. `ci`: install what is missing, skip nothing.
pub(crate) fn run(fast: bool, ci: bool) -> ExitCode {
    step::run_all(&plan(fast, ci, Tool::is_here), ci)
}

fn plan(fast: bool, ci: bool, is_here: impl Fn(Tool) -> bool) -> Vec<Step> {
    let needing = |tool: Tool, name, line| match (is_here(tool), ci) {
        (true, _) => Step::new(name, [line]),
        (false, true) => Step::new(name, [tool.install(), line]),
        (false, false) => Step::lacking(name, tool),
    };

    let mut steps = vec![
        needing(Tool::Rustfmt, "fmt", Line::cargo("fmt --all --check")),
        needing(Tool::Clippy, "clippy", clippy()),
        Step::new("schema lock", [schema_lock()]),
        Step::new("tests", [tests(is_here(Tool::Nextest))]),
    ];
    if !fast {
        steps.extend([
            Step::new("doc tests", [Line::cargo("test --doc --workspace --all-features")]),
            Step::new("docs", [docs()]),
            Step::new("interleavings", [interleavings()]),
            Step::new("simulation", [simulation()]),
            needing(Tool::Deny, "deny", Line::cargo("deny check licenses bans sources")),
        ]);
        steps.push(fuzz::plan_all(FUZZ_SECONDS, ci, &is_here));
        steps.push(interop::plan(Vec::new(), is_here));
        steps.push(Step::new("package", package(ci)));
    }
    steps
}

/// For each target: enough to see that it works, and that nothing is wrong near its seeds.
const FUZZ_SECONDS: u64 = 10;

fn clippy() -> Line {
    Line::cargo("clippy --workspace --all-targets --all-features -- -D warnings")
}

/// The examples are what their locks say.
fn schema_lock() -> Line {
    Line::cargo("check --package todo --package repo-history").env("LIVESTORE_SCHEMA", "frozen")
}

/// Without nextest, the targets are named so that doc tests keep their own step.
fn tests(nextest: bool) -> Line {
    if nextest {
        Line::cargo("nextest run --workspace --all-features")
    } else {
        Line::cargo("test --workspace --all-features --lib --bins --tests")
    }
}

fn docs() -> Line {
    Line::cargo("doc --workspace --no-deps --all-features").env("RUSTDOCFLAGS", "-D warnings")
}

/// The live graph's locks, in orders of shuttle's choice. It is another build of everything, so it
/// has a folder of its own.
fn interleavings() -> Line {
    Line::cargo("test --package livestore --test live_model --target-dir target/shuttle")
        .env("RUSTFLAGS", "--cfg shuttle")
}

/// Worlds of clients and a server, the disk's faults at every point, and the mutants. It is another
/// build of everything, too.
fn simulation() -> Line {
    let line =
        "test --profile simulation --package livestore-simulation --target-dir target/simulation";
    Line::cargo(line).env("RUSTFLAGS", "--cfg simulation")
}

/// Packs every crate that is not `publish = false` and builds each from its package alone, against
/// the packages of the others: none needs to be on the registry yet. CI packs what is committed.
///
/// The folder has another name each time: cargo unpacks a package of this version once for each
/// folder, and would build what was in it the first time.
#[expect(clippy::disallowed_methods, reason = "a name that was not there before")]
fn package(ci: bool) -> [Line; 2] {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let folder = format!("--target-dir=target/package-{}", now.as_secs());
    let line = Line::cargo("publish --workspace --dry-run").args([folder.clone()]);
    let line = if ci { line } else { line.args(["--allow-dirty".to_owned()]) };
    [line, Line::cargo("clean --quiet").args([folder])]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(steps: &[Step]) -> Vec<String> {
        steps.iter().map(Step::to_string).collect()
    }

    #[test]
    fn fast_is_a_beginning_of_the_whole() {
        let (fast, whole) = (plan(true, false, |_| true), plan(false, false, |_| true));
        assert_eq!(shown(&fast), shown(&whole[..4]));
        assert_eq!(whole.len(), 12);
    }

    #[test]
    fn without_nextest_cargo_runs_the_tests() {
        let steps = shown(&plan(true, true, |tool| tool != Tool::Nextest));
        assert_eq!(steps[3], "tests: cargo test --workspace --all-features --lib --bins --tests");
    }

    #[test]
    fn a_missing_tool_is_skipped_by_a_person_and_installed_by_ci() {
        let has = |tool| tool != Tool::Deny;
        assert_eq!(
            shown(&plan(false, false, has))[8],
            "deny: cargo-deny is not installed (cargo install cargo-deny --locked)"
        );
        assert_eq!(
            shown(&plan(false, true, has))[8],
            "deny: cargo install cargo-deny --locked && cargo deny check licenses bans sources"
        );
    }

    #[test]
    fn only_ci_insists_on_a_clean_tree() {
        let is_lenient = |ci| {
            let last = shown(&plan(false, ci, |_| true)).pop();
            last.map(|line| line.contains("publish") && line.contains("--allow-dirty"))
        };
        assert_eq!((is_lenient(true), is_lenient(false)), (Some(false), Some(true)));
    }
}
