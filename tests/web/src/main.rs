//! The browser's example in a real browser: `cargo xtask web test`.
//!
//! [`devtools`] starts Chromium and talks to it, [`page`] is a page in it, [`world`] has a backend,
//! the server of the pages, and the terminal's `todo`; [`scenario`], [`tabs`], [`images`], [`panels`],
//! [`tracker`] and [`window`] are what happens, [`probe`] is what holds. [`drive`] is for `cargo xtask interop`, whose
//! matrix has a page among its clients.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "processes, sockets and clocks are what this is for"
)]
#![expect(clippy::indexing_slicing, reason = "a member that some JSON does not have is null")]

use std::process::ExitCode;

mod bench;
mod bench_tracker;
mod bindings;
mod devtools;
mod drive;
mod images;
mod page;
mod panels;
mod probe;
mod scenario;
mod tabs;
mod tracker;
mod wait;
mod window;
mod world;

/// The result of a step, or an error for people to read.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
Usage: livestore-web-tests TOOL SITE PICTURES [WORD…]
       livestore-web-tests TOOL SITE PICTURES --bench [store|tracker]
       livestore-web-tests TOOL SITE PICTURES --window APP
       livestore-web-tests TOOL SITE --drive MODULE

Serves the folder SITE by the program TOOL, and runs every scenario, or those whose name has every
WORD. What the pages look like is saved in the folder PICTURES. Or measures how fast it is. Or has the tracker's
program APP, whose window is on a screen in memory, and two browsers share a board. Or has the program
MODULE in a page answer what is written to stdin.
";

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let programs = |[tool, site, pictures]: [&str; 3]| world::Programs {
        tool: tool.into(),
        site: site.into(),
        pictures: pictures.into(),
    };
    let done = match args.as_slice() {
        [tool, site, "--drive", module] => {
            drive::run(tool.as_ref(), site.as_ref(), module).map(|()| true)
        }
        [tool, site, pictures, "--bench", words @ ..] => {
            bench::run(&programs([tool, site, pictures]), words).map(|()| true)
        }
        [tool, site, pictures, "--window", app] => {
            window::run(&programs([tool, site, pictures]), app.as_ref()).map(|()| true)
        }
        [tool, site, pictures, words @ ..] => {
            scenario::run_all(&programs([tool, site, pictures]), words)
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
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
