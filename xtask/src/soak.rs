//! `cargo xtask soak`: the tests that make up their own cases, optimised, for as long as asked.

use std::process::ExitCode;

use crate::fuzz;
use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

/// A test that runs until a time is over.
struct Part {
    name: &'static str,
    /// How to run it.
    line: &'static str,
    /// The variable that tells it for how many seconds.
    seconds: &'static str,
    /// What rustc is told besides.
    rustflags: &'static str,
}

/// Each says at its end what it has run, and names the seed of what it has found.
const PARTS: &[Part] = &[
    Part {
        name: "live queries",
        line: "test --release --package livestore --lib live::oracle -- --nocapture",
        seconds: "LIVE_SOAK_SECONDS",
        rustflags: "",
    },
    Part {
        name: "simulation",
        line: "test --profile simulation --package livestore-simulation --test worlds \
               --target-dir target/simulation -- --nocapture",
        seconds: "SIMULATION_SECONDS",
        rustflags: "--cfg simulation",
    },
];

/// Runs every part, all together for about so many minutes.
pub(crate) fn run(minutes: u64) -> ExitCode {
    step::run_all(&plan(minutes), false)
}

fn plan(minutes: u64) -> Vec<Step> {
    // The fuzz targets together are a part, too.
    let seconds = minutes * 60 / (PARTS.len() as u64 + 1);
    let step = |part: &Part| {
        let line = Line::cargo(part.line).env(part.seconds, seconds.to_string());
        let line = match part.rustflags {
            "" => line,
            flags => line.env("RUSTFLAGS", flags),
        };
        Step::new(part.name, [line])
    };
    let fuzz = fuzz::plan_all(seconds / fuzz::TARGETS.len() as u64, false, Tool::is_here);
    PARTS.iter().map(step).chain([fuzz]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_share_the_time() {
        let steps: Vec<_> = plan(10).iter().map(Step::to_string).collect();
        let seconds = format!("_SECONDS={} ", 600 / (PARTS.len() + 1));
        let (fuzz, parts) = steps.split_last().unwrap();
        assert!(parts.iter().all(|step| step.contains(&seconds)), "{steps:?}");
        assert!(fuzz.starts_with("fuzz: "), "{fuzz}");
    }
}
