//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use livestore::SeqNum;

use crate::place::Place;

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  something failed; the message says what
  2  wrong usage
  3  what was looked at is damaged, or differs from what it should be
  4  there is no such store, event or snapshot
  5  an app has the store open

What only reads changes nothing: a store may be open meanwhile, and what a crash has left stays as it is.";

/// Looks into LiveStore's stores, moves their events, syncs them, and starts new apps.
#[derive(Debug, Parser)]
#[command(name = "livestore", version, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command has.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Write JSON, one object a line; an error is an object on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colours; `auto` heeds NO_COLOR, and whether there is a terminal.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub(crate) color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Info(Info),
    Events(Events),
    State(State),
    Export(Export),
    Verify(Verify),
    Completions(Completions),
    Man(Man),
}

/// Show what is in a store, or in all stores of a directory.
#[derive(Debug, Args)]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Show the events of a store, in order.
#[derive(Debug, Args)]
pub(crate) struct Events {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Begin behind this event, such as `e12` or `12`.
    #[arg(long, value_name = "SEQ", value_parser = seq_num)]
    pub(crate) after: Option<SeqNum>,
    /// End with this event.
    #[arg(long, value_name = "SEQ", value_parser = seq_num)]
    pub(crate) to: Option<SeqNum>,
    /// Only events of this name; may be given several times.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// Only events of this client.
    #[arg(long, value_name = "ID")]
    pub(crate) client: Option<String>,
    /// Only events of this session.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Only events with this text in their args.
    #[arg(long, value_name = "TEXT")]
    pub(crate) contains: Option<String>,
    /// Only events that are pending, or that are not, or that stay on their client.
    #[arg(long, value_name = "WHICH")]
    pub(crate) only: Option<Selection>,
    /// Only the first events.
    #[arg(long, value_name = "N", conflicts_with = "last")]
    pub(crate) first: Option<usize>,
    /// Only the last events.
    #[arg(long, value_name = "N")]
    pub(crate) last: Option<usize>,
    /// Go on with new events, until interrupted. Events that are rebased appear again, with new numbers.
    #[arg(long, short, conflicts_with_all = ["to", "first"])]
    pub(crate) follow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Selection {
    Pending,
    Confirmed,
    ClientOnly,
}

/// Show the state of a store: its tables, or the result of a query.
///
/// The state is the one of the newest snapshot. A command that an app has linked with its schema shows
/// the state as of any event.
#[derive(Debug, Args)]
pub(crate) struct State {
    #[command(flatten)]
    pub(crate) place: Place,
    /// A query in SQL; it may only read.
    #[arg(long, short, value_name = "SQL")]
    pub(crate) query: Option<String>,
    /// Show SQLite's plan of the query instead of its result.
    #[arg(long, requires = "query")]
    pub(crate) explain: bool,
    /// End the query after this many seconds.
    #[arg(long, value_name = "SECONDS", requires = "query")]
    pub(crate) timeout: Option<f64>,
    /// Show the events that are in the log but could not be applied.
    #[arg(long, conflicts_with = "query")]
    pub(crate) quarantined: bool,
    /// The state as of this event, instead of the newest that can be shown.
    #[arg(long, value_name = "SEQ", value_parser = seq_num)]
    pub(crate) at: Option<SeqNum>,
}

/// Write the events of a store to a file.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The file to create, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The file's format: `jsonl`, a line for each event with all that the log has, or `livestore`, the JSON
    /// that `@livestore/cli` imports, which leaves out what stays on its client.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", hide_possible_values = true)]
    pub(crate) format: Format,
    /// Begin behind this event.
    #[arg(long, value_name = "SEQ", value_parser = seq_num)]
    pub(crate) after: Option<SeqNum>,
    /// End with this event.
    #[arg(long, value_name = "SEQ", value_parser = seq_num)]
    pub(crate) to: Option<SeqNum>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Jsonl,
    Livestore,
}

/// Check the checksum and the place of every event, and the snapshot of the state.
///
/// A command that an app has linked with its schema also compares the snapshot with a replay.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Write the completions of a shell to standard output.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: Shell,
}

/// Write the man pages into a directory.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory; it is created if it is missing.
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

/// Reads `e12.1r2`, or `12` for `e12`.
fn seq_num(text: &str) -> Result<SeqNum, String> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit());
    let text = if is_number { format!("e{text}") } else { text.to_owned() };
    text.parse().map_err(|error: livestore::event::ParseSeqNumError| error.to_string())
}
