//! The workspace's own commands: `cargo xtask help` lists them.
//!
//! [`args`] reads the command line, each command has its file, and [`step`] runs what a command
//! plans. Called under another name, this program stands before rustc: see [`rustc`].

use std::process::ExitCode;

mod api;
mod args;
mod bench;
mod book;
mod ci;
mod dependencies;
mod engines;
mod fuzz;
mod interop;
mod line;
mod mutants;
mod package;
mod page;
mod reference;
mod rustc;
mod screens;
mod simulation;
mod soak;
mod step;
mod test;
mod tool;
mod wasm;
mod web;
mod windows;

use args::Command;

fn main() -> ExitCode {
    if let Some(ended) = rustc::wrap() {
        return ended;
    }
    match args::parse(std::env::args().skip(1)) {
        Ok(Command::Test) => test::run(is_strict()),
        Ok(Command::Ci) => ci::run(is_strict()),
        Ok(Command::Weekly) => ci::run_weekly(is_strict()),
        Ok(Command::Dependencies) => dependencies::run(),
        Ok(Command::Api { check }) => api::run(check),
        Ok(Command::Reference) => reference::run(),
        Ok(Command::Page) => page::run(is_strict()),
        Ok(Command::Book) => book::run(is_strict()),
        Ok(Command::Screens { bench: false }) => screens::run(is_strict()),
        Ok(Command::Screens { bench: true }) => screens::run_bench(is_strict()),
        Ok(Command::Wasm) => wasm::run(is_strict()),
        Ok(Command::Windows) => windows::run(is_strict()),
        Ok(Command::Web(web)) => web::run(web, is_strict()),
        Ok(Command::Interleavings) => simulation::run_interleavings(),
        Ok(Command::Simulation { args }) => simulation::run(&args),
        Ok(Command::Mutants { args }) => mutants::run(&args),
        Ok(Command::Fuzz { seconds, targets }) => fuzz::run(seconds, &targets),
        Ok(Command::Engines { words }) => engines::run(&words, is_strict()),
        Ok(Command::Interop { words }) => interop::run(words, is_strict()),
        Ok(Command::Package { allow_dirty }) => package::run(allow_dirty),
        Ok(Command::Soak { minutes }) => soak::run(minutes),
        Ok(Command::Bench { args }) => bench::run(args),
        Ok(Command::Help) => {
            print!("{}", args::USAGE);
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprint!("error: {wrong}\n\n{}", args::USAGE);
            ExitCode::from(2)
        }
    }
}

/// Whether nobody is there to install a missing tool or to see a skipped step, as in CI.
fn is_strict() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
