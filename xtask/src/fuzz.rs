//! `cargo xtask fuzz`: the targets of `fuzz/`, one after the other, each from its seeds.
//!
//! libFuzzer says at the end of each how many inputs it ran. What it finds is in `fuzz/artifacts`;
//! once it is understood, it goes into `fuzz/seeds`, where the tests hold it.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

/// Each is a file of `fuzz/fuzz_targets`.
pub(crate) const TARGETS: [&str; 9] = [
    "client_session",
    "event_args",
    "eventlog",
    "import",
    "lock",
    "numbers",
    "server_session",
    "snapshot",
    "sql",
];

/// Those whose input has words.
const WITH_WORDS: [&str; 6] =
    ["client_session", "event_args", "import", "lock", "server_session", "sql"];

/// Runs the targets that are named, or all, each for so many seconds.
pub(crate) fn run(seconds: u64, targets: &[String], ci: bool) -> ExitCode {
    let chosen = match choose(targets) {
        Ok(chosen) => chosen,
        Err(unknown) => {
            eprintln!("error: there is no target `{unknown}`, but {}", TARGETS.join(", "));
            return ExitCode::from(2);
        }
    };
    let steps = chosen.map(|target| plan(target, seconds, ci, Tool::is_here));
    step::run_all(&steps.collect::<Vec<_>>(), ci)
}

fn choose<'a>(names: &'a [String]) -> Result<impl Iterator<Item = &'static str> + 'a, &'a String> {
    match names.iter().find(|name| !TARGETS.contains(&name.as_str())) {
        Some(unknown) => Err(unknown),
        None => Ok(TARGETS
            .into_iter()
            .filter(move |target| names.is_empty() || names.iter().any(|name| name == target))),
    }
}

/// All targets in one step.
pub(crate) fn plan_all(seconds: u64, ci: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    step_of("fuzz", &TARGETS, seconds, ci, is_here)
}

fn plan(target: &'static str, seconds: u64, ci: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    step_of(target, &[target], seconds, ci, is_here)
}

fn step_of(
    name: &'static str,
    targets: &[&'static str],
    seconds: u64,
    ci: bool,
    is_here: impl Fn(Tool) -> bool,
) -> Step {
    let missing: Vec<Tool> =
        [Tool::Nightly, Tool::Fuzz].into_iter().filter(|tool| !is_here(*tool)).collect();
    match missing.first() {
        Some(tool) if !ci => return Step::lacking(name, *tool),
        _ => {}
    }
    let installs = missing.into_iter().map(Tool::install);
    let runs = targets.iter().map(|target| line(target, seconds));
    Step::new(name, installs.chain(runs).collect::<Vec<_>>())
}

/// New inputs go to the first folder, which git ignores. There is no sanitizer: no code of ours is
/// unsafe, and inputs run twice as often.
fn line(target: &str, seconds: u64) -> Line {
    let words = match WITH_WORDS.contains(&target) {
        true => format!(" -dict=fuzz/dictionaries/{target}"),
        false => String::new(),
    };
    Line::cargo(&format!(
        "+nightly fuzz run --sanitizer none {target} fuzz/corpus/{target} fuzz/seeds/{target} -- \
         -create_missing_dirs=1 -max_total_time={seconds} -timeout=10 -max_len=8192 -print_final_stats=1 -verbosity=0{words}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_runs_from_its_seeds_for_its_time() {
        let step = plan("numbers", 7, false, |_| true);
        let line = "numbers: cargo +nightly fuzz run --sanitizer none numbers fuzz/corpus/numbers \
                    fuzz/seeds/numbers -- -create_missing_dirs=1 -max_total_time=7 -timeout=10 -max_len=8192 \
                    -print_final_stats=1 -verbosity=0";
        assert_eq!(step.to_string(), line);
    }

    #[test]
    fn what_is_missing_is_named_or_installed() {
        let has = |tool| tool != Tool::Fuzz;
        assert_eq!(
            plan("sql", 7, false, has).to_string(),
            "sql: cargo-fuzz is not installed (cargo install cargo-fuzz --locked)"
        );
        let installed = plan("sql", 7, true, has).to_string();
        assert!(installed.starts_with("sql: cargo install cargo-fuzz --locked && cargo +nightly"));
        assert!(plan("sql", 7, true, |_| false).to_string().starts_with("sql: rustup toolchain"));
    }

    #[test]
    fn targets_are_chosen_by_name() {
        let chosen = |names: &[&str]| -> Result<Vec<_>, String> {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            choose(&names).map(Iterator::collect).map_err(Clone::clone)
        };
        assert_eq!(chosen(&["sql", "lock"]), Ok(vec!["lock", "sql"]));
        assert_eq!(chosen(&[]), Ok(TARGETS.to_vec()));
        assert_eq!(chosen(&["sql", "slq"]), Err("slq".to_owned()));
    }

    #[test]
    fn every_target_is_run() {
        let step = plan_all(7, false, |_| true).to_string();
        assert!(TARGETS.iter().all(|target| step.contains(&format!("fuzz/seeds/{target} "))));
    }
}
