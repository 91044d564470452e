//! `cargo xtask simulation` and `cargo xtask interleavings`: tests that decide themselves what
//! disk, clock, network and threads do.

use std::process::ExitCode;

use crate::line::Line;
use crate::rustc::Variant;
use crate::step::{self, Step};

/// Runs the simulator's tests. `args` are handed to `cargo test`.
pub(crate) fn run(args: &[String]) -> ExitCode {
    step::run_all(&[Step::new("simulation", 7, [line(args)])], false)
}

/// Runs the model of the live graph.
pub(crate) fn run_interleavings() -> ExitCode {
    step::run_all(&[Step::new("interleavings", 2, [interleavings()])], false)
}

/// Worlds of clients and a server, and the disk's faults at every point. The target is named
/// because it is for the fuzzer, which shares these builds.
pub(crate) fn line(args: &[String]) -> Line {
    Line::cargo("test --profile simulation --target host-tuple --package livestore-simulation")
        .args(args.iter().cloned())
        .variant(Variant::Simulation)
}

/// The live graph's locks, in orders of shuttle's choice.
pub(crate) fn interleavings() -> Line {
    Line::cargo("test --workspace --all-features --test live_model").variant(Variant::Shuttle)
}
