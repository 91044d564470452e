//! `cargo xtask windows`: everything that runs on Windows is compiled for it, with its tests.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

const TARGET: &str = "x86_64-pc-windows-gnu";

/// What runs elsewhere: in browsers, and under the fuzzer.
const ELSEWHERE: [&str; 4] =
    ["livestore-web", "livestore-web-probe", "livestore-fuzz-targets", "todo-web"];

/// Checks it. `strict`: what is missing is installed.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&[plan(strict, Tool::is_here)], strict)
}

/// The step.
pub(crate) fn plan(strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    let without = ELSEWHERE.map(|package| format!(" --exclude {package}")).concat();
    let check =
        format!("check --workspace --all-features --all-targets --target {TARGET}{without}");
    let check = Line::cargo(&check);
    match (is_here(Tool::WindowsCompiler), strict) {
        (true, _) => Step::new("windows", 6, [check]),
        (false, true) => Step::new("windows", 6, [Line::new("bash", ".ci/windows"), check]),
        (false, false) => Step::lacking("windows", Tool::WindowsCompiler),
    }
}

/// Whether rustc has the standard library for Windows, and there is a C compiler.
pub(crate) fn has_compiler() -> bool {
    let is_windows = cfg!(all(windows, target_env = "gnu"));
    is_windows
        || crate::wasm::has_std_for(TARGET)
            && Line::new("x86_64-w64-mingw32-gcc", "--version").succeeds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_skipped_by_a_person_without_a_compiler_and_ci_installs_one() {
        let step = |strict| plan(strict, |_| false).to_string();
        assert!(step(false).ends_with("is not installed (bash .ci/windows)"), "{}", step(false));
        assert!(step(true).starts_with("windows: bash .ci/windows && "), "{}", step(true));
        let here = plan(false, |_| true).to_string();
        assert!(here.contains(TARGET) && here.contains("--exclude livestore-web "), "{here}");
    }
}
