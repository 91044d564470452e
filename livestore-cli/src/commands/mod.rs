//! What each command does.

mod devtools;
mod doctor;
mod events;
pub(crate) mod export;
mod fork;
pub(crate) mod import;
mod info;
mod new;
mod pages;
mod schema;
pub(crate) mod state;
mod sync;
mod verify;

use livestore::schema::SchemaDef;

use crate::args::{Command, Options};
use crate::exit::{Failure, Result};
use crate::mcp;
use crate::output::Output;

pub(crate) fn run(
    options: &Options,
    command: Command,
    schema: Option<&'static SchemaDef>,
) -> Result {
    let mut out = Output::new(options);
    match command {
        Command::Info(args) => info::run(&mut out, &args),
        Command::Events(args) => events::run(&mut out, &args),
        Command::State(args) => state::run(&mut out, &args, schema),
        Command::Export(args) => export::run(&mut out, &args),
        Command::Import(args) => import::run(&mut out, &args),
        Command::Devtools(args) => devtools::run(&mut out, &args),
        Command::Doctor(args) => doctor::run(&mut out, &args),
        Command::Fork(args) => fork::run(&mut out, &args),
        Command::Sync(args) => sync::run(&mut out, &args),
        Command::Schema(args) => schema::run(&mut out, &args),
        Command::New(args) => new::run(&mut out, &args),
        // These write to standard output themselves.
        Command::Server(server) => return server.run().map_err(Failure::failed),
        Command::Mcp(args) => return mcp::serve(&args, schema),
        Command::Verify(args) => verify::run(&mut out, &args, schema),
        Command::Completions(args) => pages::completions(&mut out, &args),
        Command::Man(args) => pages::man(&args),
    }?;
    out.flush()
}
