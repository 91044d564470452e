//! The `livestore-server` command.
#![expect(clippy::disallowed_methods, reason = "a command reads and writes files")]

mod copy;
mod migrate;
mod options;
mod otlp;
mod serve;
mod storage;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use livestore_protocol::Secret;

use self::options::Options;
use self::serve::listen;
pub(crate) use self::serve::{Listening, Stop};
use crate::server::Builder;

// For the fuzzer of import files, and the crash tests.
pub use self::copy::{Imported, import_into, read_batches, write_line};

/// A self-hosted sync backend for LiveStore.
///
/// For another command, it is one of its commands: `clap::Args`.
#[derive(Debug, Parser)]
#[command(name = "livestore-server", version, long_about = None, args_conflicts_with_subcommands = false)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve clients (the default).
    Serve,
    /// List the stores: backend id, last event, bytes, store id. Control characters in an id are
    /// escaped. The server may be running.
    List,
    /// Export the events of a store as lines of JSON. The server may be running.
    Export {
        /// The id of the store.
        store: String,
        /// The file to create [default: standard output].
        file: Option<PathBuf>,
    },
    /// Append the events of an export to an empty store, or to one that they continue. The server must
    /// not be running.
    Import {
        /// The id of the store.
        store: String,
        /// The file to read.
        file: PathBuf,
    },
    /// Copy all stores, with SQLite as the storage, into a new directory, which can be served. The server
    /// may be running.
    Backup {
        /// The directory to create.
        directory: PathBuf,
    },
    /// Copy all stores from one storage to another, and compare them. Clients go on with the new one. The
    /// servers of both should be stopped; if it is interrupted, run it again.
    Migrate {
        /// The storage to read, as for --storage.
        #[arg(long, value_name = "STORAGE")]
        from: Secret,
        /// The storage to copy into, as for --storage.
        #[arg(long, value_name = "STORAGE")]
        to: Secret,
    },
}

/// The reason why a command failed.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command that the arguments ask for.
#[must_use]
pub fn run() -> ExitCode {
    run_with(listen)
}

/// Runs the command that the arguments ask for, with a server of one's own.
pub(crate) fn run_with<L: Future<Output = io::Result<Listening>>>(
    listen: impl FnOnce(Builder, String, Stop) -> L,
) -> ExitCode {
    match Cli::parse().run_with(listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let failure = livestore_protocol::ErrorChain::new(&*failure).to_string();
            let lines: Vec<_> = failure.lines().map(livestore_protocol::printable).collect();
            // If nobody reads it, the exit code says enough.
            let _ = writeln!(io::stderr(), "livestore-server: {}", lines.join("\n"));
            ExitCode::FAILURE
        }
    }
}

impl Cli {
    /// Does what the arguments ask for. A server serves until a signal says to stop.
    ///
    /// # Errors
    /// When an argument makes no sense, or what they ask for fails.
    pub fn run(self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.run_with(listen)
    }

    fn run_with<L: Future<Output = io::Result<Listening>>>(
        self,
        listen: impl FnOnce(Builder, String, Stop) -> L,
    ) -> Result<(), Failure> {
        let Self { options, command } = self;
        let options = options.with_file()?;
        options.check()?;
        dispatch(options, command, listen)
    }
}

fn dispatch<L: Future<Output = io::Result<Listening>>>(
    options: Options,
    command: Option<Command>,
    listen: impl FnOnce(Builder, String, Stop) -> L,
) -> Result<(), Failure> {
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(&options, listen),
        Command::List => copy::list(&options.storage()?),
        Command::Export { store, file } => {
            copy::export(&options.storage()?, &store, file.as_deref())
        }
        Command::Import { store, file } => copy::import(&options, &store, &file),
        Command::Backup { directory } => copy::backup(&options.storage()?, &directory),
        Command::Migrate { from, to } => {
            let (from, to) = (from.as_str().parse()?, to.as_str().parse()?);
            migrate::migrate(&from, &to, options.durability())
        }
    }
}
