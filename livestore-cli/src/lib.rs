//! The `livestore` command: looks into stores, moves their events, syncs them, and starts new apps.
//!
//! It knows no app's types. What it shows of a store it reads with [`livestore::inspect`], which
//! changes nothing; the state is that of the app that has the store open, or the one of the newest
//! snapshot. An app that wants more links the command with its schema, in a binary of its own:
//!
//! ```no_run
//! use livestore_testing::sample::todos::App;
//!
//! fn main() -> std::process::ExitCode {
//!     livestore_cli::run_with::<App>()
//! }
//! ```
//!
//! Then `state --at` shows the state as of any event, and `verify` compares the snapshot with a replay.
//!
//! # Inside
//!
//! | file | contents |
//! |---|---|
//! | `args` | what can be typed |
//! | `place` | which store is meant |
//! | `commands` | a file for each command |
//! | `line` | an event as a line of JSON |
//! | `input` | files with events |
//! | `mcp` | the server for agents |
//! | `otlp` | the export of spans |
//! | `output`, `exit` | how results and failures are shown |

#![expect(clippy::disallowed_methods, reason = "a command reads and writes files")]

mod args;
mod commands;
mod exit;
mod input;
mod line;
mod mcp;
mod otlp;
mod output;
mod place;
mod reference;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use livestore::schema::{Schema, SchemaDef};

use args::Cli;

/// Runs the command that the program's arguments ask for.
#[must_use]
pub fn run() -> ExitCode {
    run_args(None)
}

/// Runs it for an app's own stores: with the schema, the state can be made as of any event.
#[must_use]
pub fn run_with<S: Schema>() -> ExitCode {
    run_args(Some(S::def()))
}

/// Returns the command's definition, for man pages and the like.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Returns the reference of all commands, as `docs/command.md` has it.
#[must_use]
pub fn reference() -> String {
    reference::markdown(&mut command())
}

fn run_args(schema: Option<&'static SchemaDef>) -> ExitCode {
    let Cli { options, command } = Cli::parse();
    let run = || {
        let export = otlp::Export::start(command.traces())?;
        let result = commands::run(&options, command, schema);
        export.end();
        result
    };
    exit::report(&options, run())
}
