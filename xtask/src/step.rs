//! Steps: run one after the other, timed, counted; the first that fails ends the run.

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::line::Line;
use crate::tool::Tool;

/// One step of a check.
#[derive(Debug)]
pub(crate) struct Step {
    name: &'static str,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// Each in turn, as long as they succeed.
    Lines(Vec<Line>),
    /// It cannot be done here.
    Lacking(Tool),
}

impl Step {
    /// A step that passes if every one of `lines` succeeds.
    pub(crate) fn new(name: &'static str, lines: impl Into<Vec<Line>>) -> Self {
        Self { name, work: Work::Lines(lines.into()) }
    }

    /// A step that is skipped, because this machine has no `tool`.
    pub(crate) fn lacking(name: &'static str, tool: Tool) -> Self {
        Self { name, work: Work::Lacking(tool) }
    }

    fn run(&self) -> Outcome {
        let lines = match &self.work {
            Work::Lacking(_) => return Outcome::Skipped,
            Work::Lines(lines) => lines,
        };
        for line in lines {
            let why = match line.run_at_root() {
                Ok(status) if status.success() => continue,
                Ok(status) => status.to_string(),
                Err(error) => format!("did not start: {error}"),
            };
            return Outcome::Failed { why, again: line.to_string() };
        }
        Outcome::Passed
    }
}

/// Its name and what it does, or why it does not.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.work {
            Work::Lines(lines) => {
                let lines: Vec<String> = lines.iter().map(Line::to_string).collect();
                write!(f, "{}", lines.join(" && "))
            }
            Work::Lacking(tool) => {
                write!(f, "{} is not installed ({})", tool.name(), tool.install())
            }
        }
    }
}

/// How a step ended.
enum Outcome {
    Passed,
    Skipped,
    Failed { why: String, again: String },
}

/// Runs `steps` up to the first that fails, and counts. With `strict`, a skipped step fails the run.
pub(crate) fn run_all(steps: &[Step], strict: bool) -> ExitCode {
    let mut tally = Tally::default();
    for step in steps {
        println!("\n━━ {step}");
        let (outcome, seconds) = timed(|| step.run());
        match outcome {
            Outcome::Passed => {
                tally.passed += 1;
                println!("━━ {}: passed in {seconds}", step.name);
            }
            Outcome::Skipped => {
                tally.skipped.push(step);
                println!("━━ {}: skipped", step.name);
            }
            Outcome::Failed { why, again } => {
                tally.failed += 1;
                println!("━━ {}: FAILED after {seconds} ({why})", step.name);
                println!("   run it again: {again}");
                break;
            }
        }
    }
    println!("\n{}", tally.report(steps, strict));
    tally.exit_code(strict)
}

#[expect(clippy::disallowed_methods, reason = "xtask is an edge: a person wants to know how long")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Seconds) {
    let start = Instant::now();
    (work(), Seconds(start.elapsed()))
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

/// How the steps ended so far.
#[derive(Default)]
struct Tally<'a> {
    passed: usize,
    failed: usize,
    skipped: Vec<&'a Step>,
}

impl Tally<'_> {
    /// What was left out and why; the counts on the last line.
    fn report(&self, steps: &[Step], strict: bool) -> String {
        let (passed, failed, skipped) = (self.passed, self.failed, self.skipped.len());
        let mut lines: Vec<String> =
            self.skipped.iter().map(|step| format!("skipped: {step}")).collect();
        if strict && skipped > 0 {
            lines.push("nothing may be skipped here".to_owned());
        }
        let reached = passed + failed + skipped;
        if reached < steps.len() {
            let names: Vec<_> = steps.iter().skip(reached).map(|step| step.name).collect();
            lines.push(format!("not run: {}", names.join(", ")));
        }
        lines.push(format!("{passed} passed, {failed} failed, {skipped} skipped"));
        lines.join("\n")
    }

    fn exit_code(&self, strict: bool) -> ExitCode {
        if self.failed > 0 || (strict && !self.skipped.is_empty()) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> [Step; 3] {
        [
            Step::new("fmt", [Line::cargo("fmt")]),
            Step::lacking("deny", Tool::Deny),
            Step::new("docs", [Line::cargo("doc")]),
        ]
    }

    #[test]
    fn the_report_names_what_was_skipped_and_ends_with_the_counts() {
        let steps = steps();
        let tally = Tally { passed: 2, failed: 0, skipped: vec![&steps[1]] };
        assert_eq!(
            tally.report(&steps, false),
            "skipped: deny: cargo-deny is not installed (cargo install cargo-deny --locked)\n\
             2 passed, 0 failed, 1 skipped"
        );
    }

    #[test]
    fn the_report_names_what_was_not_reached() {
        let tally = Tally { passed: 0, failed: 1, skipped: vec![] };
        assert_eq!(
            tally.report(&steps(), false),
            "not run: deny, docs\n0 passed, 1 failed, 0 skipped"
        );
    }

    #[test]
    fn a_skipped_step_fails_a_strict_run_only() {
        let steps = steps();
        let tally = Tally { passed: 2, failed: 0, skipped: vec![&steps[1]] };
        assert_eq!(tally.exit_code(false), ExitCode::SUCCESS);
        assert_eq!(tally.exit_code(true), ExitCode::FAILURE);
    }

    #[test]
    fn a_step_that_fails_ends_the_run() {
        let steps = [Step::new("no", [Line::new("livestore-has-no-such-program", "")])];
        assert_eq!(run_all(&steps, false), ExitCode::FAILURE);
    }
}
