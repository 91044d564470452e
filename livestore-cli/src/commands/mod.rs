//! What each command does.

mod events;
mod export;
mod info;
mod pages;
mod state;
mod verify;

use livestore::schema::SchemaDef;

use crate::args::{Command, Options};
use crate::exit::Result;
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
        Command::Verify(args) => verify::run(&mut out, &args, schema),
        Command::Completions(args) => pages::completions(&mut out, &args),
        Command::Man(args) => pages::man(&args),
    }?;
    out.flush()
}
