//! Steps: run one after the other, timed, counted; the first that fails ends the run.

use std::fmt;
use std::io::Write as _;
use std::process::{ExitCode, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::line::Line;
use crate::tool::Tool;

/// One step of a check.
#[derive(Debug)]
pub(crate) struct Step {
    name: &'static str,
    /// The longest it should take on two cores with nothing built.
    minutes: u64,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// `in_turn` one after the other, then `side_by_side`, as many at once as there are cores.
    Lines { in_turn: Vec<Line>, side_by_side: Vec<Line> },
    /// It cannot be done here.
    Lacking(Tool),
}

impl Step {
    /// A step that passes if every one of `lines` succeeds.
    pub(crate) fn new(name: &'static str, minutes: u64, lines: impl Into<Vec<Line>>) -> Self {
        let work = Work::Lines { in_turn: lines.into(), side_by_side: Vec::new() };
        Self { name, minutes, work }
    }

    /// Runs `lines` after the others, several at a time.
    pub(crate) fn then_side_by_side(mut self, lines: impl IntoIterator<Item = Line>) -> Self {
        if let Work::Lines { side_by_side, .. } = &mut self.work {
            side_by_side.extend(lines);
        }
        self
    }

    /// A step that is skipped, because this machine has no `tool`.
    pub(crate) fn lacking(name: &'static str, tool: Tool) -> Self {
        Self { name, minutes: 0, work: Work::Lacking(tool) }
    }

    fn run(&self) -> Outcome {
        let (in_turn, side_by_side) = match &self.work {
            Work::Lacking(_) => return Outcome::Skipped,
            Work::Lines { in_turn, side_by_side } => (in_turn, side_by_side),
        };
        let failed = in_turn.iter().find_map(|line| failure(line, line.run_at_root()));
        failed.or_else(|| run_side_by_side(side_by_side)).unwrap_or(Outcome::Passed)
    }
}

fn failure(line: &Line, ended: std::io::Result<ExitStatus>) -> Option<Outcome> {
    let why = match ended {
        Ok(status) if status.success() => return None,
        Ok(status) => status.to_string(),
        Err(error) => format!("did not start: {error}"),
    };
    Some(Outcome::Failed { why, again: line.to_string() })
}

/// The output of each is printed in one piece, at its end. Returns one that failed.
fn run_side_by_side(lines: &[Line]) -> Option<Outcome> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let work = || {
        while let Some(line) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
            let output = line.output_at_root();
            let Ok(mut failed) = failed.lock() else { return };
            println!("{line}");
            let ended = output.and_then(|output| {
                std::io::stdout().write_all(&output.stdout)?;
                std::io::stdout().write_all(&output.stderr)?;
                Ok(output.status)
            });
            if let Some(outcome) = failure(line, ended) {
                *failed = Some(outcome);
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        (0..cores.min(lines.len())).for_each(|_| drop(scope.spawn(work)));
    });
    failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Its name and what it does, or why it does not.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.work {
            Work::Lines { in_turn, side_by_side } => {
                let in_turn: Vec<String> = in_turn.iter().map(Line::to_string).collect();
                write!(f, "{}", in_turn.join(" && "))?;
                match side_by_side.len() {
                    0 => Ok(()),
                    count => write!(f, ", then {count} side by side"),
                }
            }
            Work::Lacking(tool) => {
                write!(f, "{} is not installed ({})", tool.name(), tool.how_to_install())
            }
        }
    }
}

/// How a step ended.
#[derive(Debug)]
enum Outcome {
    Passed,
    Skipped,
    Failed { why: String, again: String },
}

/// Runs `steps` up to the first that fails, and counts. With `strict`, a skipped step fails the run.
pub(crate) fn run_all(steps: &[Step], strict: bool) -> ExitCode {
    let minutes: u64 = steps.iter().map(|step| step.minutes).sum();
    println!("{} steps: up to {minutes} min on two cores with nothing built yet", steps.len());
    let mut tally = Tally::default();
    for (number, step) in (1..).zip(steps) {
        println!("\n━━ {number}/{}, up to {} min: {step}", steps.len(), step.minutes);
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
    /// The steps that were left out, with the reasons, and the counts on the last line.
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
            Step::new("fmt", 1, [Line::cargo("fmt")]),
            Step::lacking("interop", Tool::Npm),
            Step::new("docs", 1, [Line::cargo("doc")]),
        ]
    }

    #[test]
    fn the_report_names_what_was_skipped_and_ends_with_the_counts() {
        let steps = steps();
        let tally = Tally { passed: 2, failed: 0, skipped: vec![&steps[1]] };
        assert_eq!(
            tally.report(&steps, false),
            "skipped: interop: npm is not installed (with Node.js 22 or newer: https://nodejs.org)\n\
             2 passed, 0 failed, 1 skipped"
        );
    }

    #[test]
    fn the_report_names_what_was_not_reached() {
        let tally = Tally { passed: 0, failed: 1, skipped: vec![] };
        assert_eq!(
            tally.report(&steps(), false),
            "not run: interop, docs\n0 passed, 1 failed, 0 skipped"
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
        let nothing = || Line::new("livestore-has-no-such-program", "");
        let steps = [Step::new("no", 1, [nothing()])];
        assert_eq!(run_all(&steps, false), ExitCode::FAILURE);
        let steps = [Step::new("no", 1, []).then_side_by_side([Line::cargo("-V"), nothing()])];
        assert_eq!(run_all(&steps, false), ExitCode::FAILURE);
        let steps = [Step::new("yes", 1, []).then_side_by_side([Line::cargo("-V")])];
        assert_eq!(run_all(&steps, false), ExitCode::SUCCESS);
    }
}
