//! Both clients against both backends: `cargo xtask interop`.
//!
//! [`peer`] installs LiveStore itself, [`matrix`] runs every [`scenario`] in every cell: two
//! [`client`]s and a [`backend`], with a [`wire`] between that can be cut and that remembers what
//! went over it.

#![expect(
    clippy::disallowed_methods,
    reason = "processes, sockets and clocks are what this is for"
)]

use std::process::ExitCode;

mod backend;
mod client;
mod matrix;
mod peer;
mod process;
mod scenario;
mod wait;
mod wire;
mod world;

/// What a step gives, or what went wrong, for people.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
Usage: livestore-interop [WORD…]

Runs every scenario in every cell, or those whose line has every WORD: `http rebase`.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word.starts_with('-')) {
        print!("{USAGE}");
        return ExitCode::from(2);
    }
    match peer::install().and_then(|peer| matrix::run(&peer, &words)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
