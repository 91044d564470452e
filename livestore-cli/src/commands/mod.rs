//! What each command does.

mod doctor;
mod events;
mod export;
mod fork;
mod import;
mod info;
mod new;
mod pages;
mod schema;
mod state;
mod sync;
mod verify;

use livestore::schema::SchemaDef;

use crate::args::{Command, Options};
use crate::exit::{Failure, Result};
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
        Command::Doctor(args) => doctor::run(&mut out, &args),
        Command::Fork(args) => fork::run(&mut out, &args),
        Command::Sync(args) => sync::run(&mut out, &args),
        Command::Schema(args) => schema::run(&mut out, &args),
        Command::New(args) => new::run(&mut out, &args),
        Command::Server(server) => return server.run().map_err(Failure::failed),
        Command::Verify(args) => verify::run(&mut out, &args, schema),
        Command::Completions(args) => pages::completions(&mut out, &args),
        Command::Man(args) => pages::man(&args),
    }?;
    out.flush()
}
