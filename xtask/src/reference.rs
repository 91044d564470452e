//! `cargo xtask command`: `docs/command.md` is what the `livestore` command says of itself.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};

/// Writes the page. Whether it is up to date, a test of the command checks.
pub(crate) fn run() -> ExitCode {
    let line = Line::cargo("test --quiet --package livestore-cli --test reference")
        .env("SNAPSHOTS", "overwrite");
    step::run_all(&[Step::new("reference of the command", 2, [line])], false)
}
