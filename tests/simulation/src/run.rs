//! Running a plan to its end, and making one that fails smaller.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use livestore::simulation;

use crate::figures::Figures;
use crate::plan::{Action, Plan};
use crate::world::World;

/// What became of a world in which nothing was wrong.
#[derive(Debug, Clone)]
pub struct Run {
    /// What was run.
    pub figures: Figures,
    /// All that happened, as a number: the same seed has the same.
    pub trace: u64,
}

/// A world in which something was wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What.
    pub what: String,
    /// After so many steps.
    pub steps: u64,
}

/// Runs a plan to its end.
///
/// # Errors
/// When something was not as it must be.
pub fn run(plan: &Plan) -> Result<Run, Failure> {
    let mut steps = 0;
    let caught = catch_unwind(AssertUnwindSafe(|| try_run(plan, &mut steps)));
    let done = caught.unwrap_or_else(|panic| Err(format!("a panic: {}", words(&panic))));
    // What is left of a world that panicked is of no use.
    simulation::install_disk(None);
    done.map_err(|what| Failure { what, steps })
}

fn try_run(plan: &Plan, steps: &mut u64) -> Result<Run, String> {
    let mut world = World::new(plan)?;
    let lived = plan.actions.iter().try_for_each(|action| world.act(action));
    let settled = lived.and_then(|()| world.settle());
    *steps = world.figures.steps;
    settled?;
    world.figures.worlds = 1;
    Ok(Run { figures: world.figures.clone(), trace: world.trace() })
}

fn words(panic: &Box<dyn std::any::Any + Send>) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("of something")
}

/// Runs a seed; a failure is made small, and told with the command that brings it back.
///
/// # Errors
/// The report.
pub fn run_seed(seed: u64) -> Result<Run, Box<Report>> {
    let plan = Plan::draw(seed);
    run(&plan).map_err(|failure| {
        let (actions, smallest) = shrink(&plan, failure.clone());
        Box::new(Report { seed, failure, plan: Plan { actions, ..plan }, smallest })
    })
}

/// Leaves out whatever the failure does not need: pieces that get smaller and smaller.
fn shrink(plan: &Plan, mut failure: Failure) -> (Vec<Action>, Failure) {
    let mut actions = plan.actions.clone();
    let mut piece = actions.len().div_ceil(2);
    let mut runs = 0;
    while piece > 0 && runs < MOST_RUNS {
        let (before, mut from) = (actions.len(), 0);
        while from < actions.len() && runs < MOST_RUNS {
            let kept = actions.iter().enumerate();
            let kept = kept.filter(|(at, _)| *at < from || *at >= from + piece);
            let fewer: Vec<Action> = kept.map(|(_, action)| action.clone()).collect();
            runs += 1;
            match run(&Plan { actions: fewer.clone(), ..plan.clone() }) {
                Ok(_) => from += piece,
                Err(other) => (actions, failure) = (fewer, other),
            }
        }
        piece = if actions.len() < before { piece.min(actions.len()) } else { piece / 2 };
    }
    (actions, failure)
}

/// Making a failure smaller ends after so many runs.
const MOST_RUNS: u32 = 400;

/// A failure, made small.
#[derive(Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What its whole plan came to.
    pub failure: Failure,
    /// The plan, without what the failure does not need.
    pub plan: Plan,
    /// What that comes to.
    pub smallest: Failure,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, failure, plan, smallest } = self;
        writeln!(f, "seed {seed}, after {} steps: {}", failure.steps, failure.what)?;
        writeln!(f, "the same with less, after {} steps: {}", smallest.steps, smallest.what)?;
        writeln!(f, "  {:?}", plan.setup)?;
        plan.actions.iter().try_for_each(|action| writeln!(f, "  {action:?}"))?;
        write!(f, "again: SIMULATION_SEED={seed} cargo xtask simulation --test worlds")
    }
}
