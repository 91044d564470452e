//! `cargo xtask bench`: the benchmarks, optimised, with the arguments handed on.

use std::process::ExitCode;

use crate::line::Line;

/// Runs `livestore-benches` and ends as it ends.
pub(crate) fn run(args: Vec<String>) -> ExitCode {
    let line = Line::cargo("run --quiet --release --package livestore-benches --").args(args);
    match line.run() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("error: `{line}` did not start: {error}");
            ExitCode::FAILURE
        }
    }
}
