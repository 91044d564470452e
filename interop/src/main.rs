//! Both clients against both backends: `cargo xtask interop`.
//!
//! [`peer`] installs LiveStore itself, [`matrix`] runs every [`scenario`] in every cell: two
//! [`client`]s and a [`backend`], with a [`wire`] between that can be cut and that remembers what
//! went over it. The client in Rust is the package in `client`, as a process, or as a page in the [`browser`].

#![expect(
    clippy::disallowed_methods,
    reason = "processes, sockets and clocks are what this is for"
)]

use std::process::ExitCode;

use engine::Storage;

mod backend;
mod browser;
mod client;
mod engine;
mod matrix;
mod peer;
mod process;
mod scenario;
mod wait;
mod wire;
mod world;

/// The result of a step, or an error for people to read.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
Usage: livestore-interop [--browser TOOL SITE | --storage ENGINE] [WORD…]

Runs every scenario in every cell, or those whose line has every WORD: `http rebase`. Cells with a page
need the folder SITE, which the program TOOL serves, and Chromium. With an ENGINE, `postgres` or `nats`, only
the cells of our server without a page run, over that engine.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (browser, storage, words) = match args.as_slice() {
        [option, tool, site, words @ ..] if option == "--browser" => {
            (Some(browser::Browser::new(tool, site)), Ok(Storage::Sqlite), words)
        }
        [option, engine, words @ ..] if option == "--storage" => (None, engine.parse(), words),
        words => (None, Ok(Storage::Sqlite), words),
    };
    let storage = match storage {
        Ok(storage) => storage,
        Err(error) => {
            eprintln!("error: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if words.iter().any(|word| word.starts_with('-')) {
        print!("{USAGE}");
        return ExitCode::from(2);
    }
    let done = peer::install()
        .and_then(|peer| matrix::run(&client::Programs { peer, browser }, storage, words));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
