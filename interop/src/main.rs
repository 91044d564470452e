//! Both clients against both backends: `cargo xtask interop`.
//!
//! [`peer`] installs LiveStore itself, [`matrix`] runs every [`scenario`] in every cell: two
//! [`client`]s and a [`backend`], with a [`wire`] between that can be cut and that remembers what
//! went over it. [`rust_client`] is the one of the clients that is ours.

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
mod rust_client;
mod scenario;
mod wait;
mod wire;
mod world;

/// The result of a step, or an error for people to read.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
Usage: livestore-interop [WORD…]

Runs every scenario in every cell, or those whose line has every WORD: `http rebase`.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.first().map(String::as_str) {
        Some(client::RUST) => rust_client::run().map(|()| true),
        Some(word) if word.starts_with('-') => {
            print!("{USAGE}");
            return ExitCode::from(2);
        }
        _ => peer::install().and_then(|peer| matrix::run(&peer, &words)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
