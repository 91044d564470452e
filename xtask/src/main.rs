//! The workspace's own commands: `cargo xtask help` lists them.
//!
//! [`args`] reads the command line, each command has its file, and [`step`] runs what a command
//! plans.

use std::process::ExitCode;

mod args;
mod bench;
mod fuzz;
mod interop;
mod line;
mod soak;
mod step;
mod test;
mod tool;

use args::Command;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)) {
        Ok(Command::Test { fast }) => test::run(fast, is_ci()),
        Ok(Command::Ci) => test::run(false, true),
        Ok(Command::Bench { args }) => bench::run(args),
        Ok(Command::Interop { words }) => interop::run(words, is_ci()),
        Ok(Command::Soak { minutes }) => soak::run(minutes),
        Ok(Command::Fuzz { seconds, targets }) => fuzz::run(seconds, &targets, is_ci()),
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

/// Whether nobody is there to install a missing tool or to see a skipped step.
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
