//! `cargo xtask ci` and `weekly`: what `cargo xtask test` leaves out, because it is slow and rarely breaks.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;
use crate::{book, engines, fuzz, interop, page, screens, simulation, wasm, web, windows};

/// The lines of the matrix that each change has to pass.
const OVER_WEBSOCKET: &str = "ws:";

/// For each fuzz target.
const FUZZ_SECONDS: u64 = 60;

/// Runs the proofs that each change has to pass. `strict`: install what is missing, skip nothing.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&plan(strict, Tool::is_here), strict)
}

/// Runs those that look for what nobody has broken, or that share nothing with the builds of the others.
pub(crate) fn run_weekly(strict: bool) -> ExitCode {
    step::run_all(&plan_weekly(strict, Tool::is_here), strict)
}

fn plan(strict: bool, is_here: impl Fn(Tool) -> bool) -> Vec<Step> {
    let mut steps = vec![
        Step::new("dependencies", 1, [Line::cargo("xtask dependencies")]),
        Step::new("docs", 2, [docs()]),
        Step::new("public API", 2, [Line::cargo("xtask api --check")]),
        book::plan(strict, &is_here),
        page::plan(&is_here),
    ];
    steps.extend(screens::plan(strict, &is_here));
    steps.extend([
        wasm::plan(strict, &is_here),
        web::plan(Vec::new(), strict, &is_here),
        Step::new("interleavings", 2, [simulation::interleavings()]),
        Step::new("simulation", 7, [simulation::line(&[])]),
    ]);
    steps.extend(engines::plan(&[], strict, &is_here));
    steps.extend([
        interop::plan(vec![OVER_WEBSOCKET.to_owned()], strict, is_here),
        Step::new("templates", 4, [templates()]),
        Step::new("package", 2, [package(strict)]),
    ]);
    steps
}

fn plan_weekly(strict: bool, is_here: impl Fn(Tool) -> bool) -> Vec<Step> {
    vec![
        screens::lints(strict, &is_here),
        web::plan_window(strict, &is_here),
        windows::plan(strict, &is_here),
        Step::new("mutants", 10, [Line::cargo("xtask mutants")]),
        fuzz::plan(&fuzz::TARGETS, FUZZ_SECONDS),
        interop::plan(Vec::new(), strict, &is_here),
        interop::plan_engines(&[], strict, &is_here),
    ]
}

fn docs() -> Line {
    Line::cargo("doc --workspace --no-deps --all-features").env("RUSTDOCFLAGS", "-D warnings")
}

/// The apps that `livestore new` starts.
fn templates() -> Line {
    Line::cargo("test --package livestore-cli --test new -- --include-ignored")
}

/// CI packs what is committed.
fn package(strict: bool) -> Line {
    Line::cargo(if strict { "xtask package" } else { "xtask package --allow-dirty" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ci_insists_on_a_clean_tree() {
        let is_lenient = |strict| {
            let last = plan(strict, |_| true).pop();
            last.is_some_and(|step| step.to_string().contains("--allow-dirty"))
        };
        assert!(is_lenient(false) && !is_lenient(true));
    }
}
