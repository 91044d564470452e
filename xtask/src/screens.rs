//! `cargo xtask screens`: the bindings of the UI frameworks, in the workspace `integrations`.

use std::process::ExitCode;

use crate::line::{self, Line};
use crate::step::{self, Step};

/// Checks and tests the bindings. `strict`: nothing may be skipped.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&[plan()], strict)
}

/// The step: one build for all of them.
pub(crate) fn plan() -> Step {
    let lines = [
        line("fmt", "--all --check"),
        line("clippy", "--workspace --all-targets --locked -- -D warnings"),
        // With the examples, and those in the documentation.
        line("test", "--workspace --locked"),
    ];
    Step::new("screens", 12, lines)
}

/// Cargo in that workspace, building into the same folder as in this one.
fn line(command: &str, args: &str) -> Line {
    Line::cargo(&format!("{command} --manifest-path integrations/Cargo.toml {args}"))
        .env("CARGO_TARGET_DIR", line::target().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bindings_are_built_in_their_workspace_and_in_the_folder_of_this_one() {
        let step = plan().to_string();
        let target = line::target().display().to_string();
        let test = format!(
            "CARGO_TARGET_DIR={target} cargo test --manifest-path integrations/Cargo.toml --workspace --locked"
        );
        assert!(step.starts_with("screens: ") && step.ends_with(&test), "{step}");
    }
}
