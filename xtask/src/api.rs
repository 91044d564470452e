//! `cargo xtask api`: `docs/api` lists what each published library makes public.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};

/// Writes the lists; `check`: only compares. The work is done by a program of its own (`xtask/api`):
/// this one has no dependencies.
pub(crate) fn run(check: bool) -> ExitCode {
    let args = if check { " -- --check" } else { "" };
    let line = Line::cargo(&format!("run --quiet --package livestore-api-lists{args}"));
    step::run_all(&[Step::new("public API", 2, [line])], false)
}
