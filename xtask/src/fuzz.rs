//! `cargo xtask fuzz`: the fuzz targets, each from its seeds, as many at once as there are cores.
//!
//! libFuzzer says at the end of each how many inputs it ran. What it finds is in `fuzz/artifacts`;
//! once it is understood, it goes into `fuzz/seeds`, where the tests run it.

use std::process::ExitCode;

use crate::line::Line;
use crate::rustc::Variant;
use crate::step::{self, Step};

/// Each is a function of `tests/fuzz`, and a folder of `fuzz/seeds`.
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

/// The program is one for all targets, and shares its dependencies with the simulator.
const PROGRAM: &str = "--profile simulation --target host-tuple --package livestore-fuzz-targets";

/// Runs the targets that are named, or all, each for this number of seconds.
pub(crate) fn run(seconds: u64, targets: &[String]) -> ExitCode {
    match choose(targets) {
        Ok(chosen) => step::run_all(&[plan(&chosen, seconds)], false),
        Err(unknown) => {
            eprintln!("error: there is no target `{unknown}`, but {}", TARGETS.join(", "));
            ExitCode::from(2)
        }
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static str>, &String> {
    match names.iter().find(|name| !TARGETS.contains(&name.as_str())) {
        Some(unknown) => Err(unknown),
        None => Ok(TARGETS
            .into_iter()
            .filter(|target| names.is_empty() || names.iter().any(|name| name == target))
            .collect()),
    }
}

/// One build, and a run of it for each target.
pub(crate) fn plan(targets: &[&'static str], seconds: u64) -> Step {
    let build = Line::cargo(&format!("build {PROGRAM}")).variant(Variant::Fuzzing);
    let runs = targets.iter().map(|target| line(target, seconds));
    let minutes = 3 + (targets.len() as u64 * seconds).div_ceil(2 * 60);
    Step::new("fuzz", minutes, [build]).then_side_by_side(runs)
}

/// New inputs go to the first folder, which git ignores.
fn line(target: &str, seconds: u64) -> Line {
    let words = match WITH_WORDS.contains(&target) {
        true => format!(" -dict=fuzz/dictionaries/{target}"),
        false => String::new(),
    };
    Line::cargo(&format!(
        "run --quiet {PROGRAM} -- fuzz/corpus/{target} fuzz/seeds/{target} -create_missing_dirs=1 \
         -artifact_prefix=fuzz/artifacts/{target}/ -max_total_time={seconds} -timeout=10 \
         -max_len=8192 -print_final_stats=1 -verbosity=0{words}"
    ))
    .env("FUZZ_TARGET", target)
    .variant(Variant::Fuzzing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_runs_from_its_seeds_for_its_time() {
        let line = "RUSTC_WORKSPACE_WRAPPER=$PWD/target/debug/rustc-fuzzing FUZZ_TARGET=numbers \
                    cargo run --quiet --profile simulation --target host-tuple --package \
                    livestore-fuzz-targets -- fuzz/corpus/numbers fuzz/seeds/numbers \
                    -create_missing_dirs=1 -artifact_prefix=fuzz/artifacts/numbers/ \
                    -max_total_time=7 -timeout=10 -max_len=8192 -print_final_stats=1 -verbosity=0";
        assert_eq!(super::line("numbers", 7).to_string(), line);
        assert!(super::line("sql", 7).to_string().ends_with(" -dict=fuzz/dictionaries/sql"));
    }

    #[test]
    fn targets_are_chosen_by_name() {
        let chosen = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            choose(&names).map_err(Clone::clone)
        };
        assert_eq!(chosen(&["sql", "lock"]), Ok(vec!["lock", "sql"]));
        assert_eq!(chosen(&[]), Ok(TARGETS.to_vec()));
        assert_eq!(chosen(&["sql", "slq"]), Err("slq".to_owned()));
    }

    #[test]
    fn every_target_is_run() {
        let step = plan(&TARGETS, 7).to_string();
        assert!(step.ends_with(", then 9 side by side"), "{step}");
    }
}
