//! The browser's example in a real browser: `cargo xtask web test`.
//!
//! [`devtools`] starts Chromium and talks to it, [`page`] is a page in it, [`world`] has a backend,
//! the server of the pages, and the terminal's `todo`; [`scenario`], [`tabs`] and [`panels`] are what happens,
//! [`probe`] is what holds.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "processes, sockets and clocks are what this is for"
)]
#![expect(clippy::indexing_slicing, reason = "a member that some JSON does not have is null")]

use std::path::PathBuf;
use std::process::ExitCode;

mod bench;
mod devtools;
mod page;
mod panels;
mod probe;
mod scenario;
mod tabs;
mod wait;
mod world;

/// The result of a step, or an error for people to read.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
Usage: livestore-web-tests TOOL SITE PICTURES [WORD…]
       livestore-web-tests TOOL SITE PICTURES --bench

Serves the folder SITE by the program TOOL, and runs every scenario, or those whose name has every
WORD. What the pages look like is saved in the folder PICTURES. Or measures how fast it is.
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(tool), Some(site), Some(pictures)) = (args.next(), args.next(), args.next()) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let [tool, site, pictures] = [tool, site, pictures].map(PathBuf::from);
    let programs = world::Programs { tool, site, pictures };
    let words: Vec<_> = args.collect();
    let done = match words.as_slice() {
        [word] if word == "--bench" => bench::run(&programs).map(|()| true),
        words => scenario::run_all(&programs, words),
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
