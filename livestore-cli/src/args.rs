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
    Import(Import),
    Verify(Verify),
    Doctor(Doctor),
    Fork(Fork),
    Sync(Sync),
    #[command(subcommand)]
    Schema(Schema),
    New(New),
    Server(livestore_server::cli::Cli),
    Devtools(Devtools),
    Mcp(Mcp),
    Completions(Completions),
    Man(Man),
}

impl Command {
    /// What it exports of itself, if it may.
    pub(crate) fn traces(&self) -> Option<&Traces> {
        match self {
            Self::Sync(Sync { traces, .. })
            | Self::Devtools(Devtools { traces, .. })
            | Self::Mcp(Mcp { traces, .. }) => Some(traces),
            // A server does it itself.
            _ => None,
        }
    }
}

/// What a command exports of itself.
#[derive(Debug, Args)]
pub(crate) struct Traces {
    /// Export spans of this level over OTLP: `info`, `debug` for one of each commit, or `trace`. OpenTelemetry's own
    /// variables say where to, such as OTEL_EXPORTER_OTLP_ENDPOINT.
    #[cfg(feature = "otlp")]
    #[arg(long, env = "LIVESTORE_OTLP", value_name = "LEVEL")]
    pub(crate) otlp: Option<tracing_subscriber::filter::LevelFilter>,
}

/// Show what is in a store, or in all stores of a directory.
#[derive(Debug, Args)]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Serve the devtools of a store: a local page that shows its log, and its state.
///
/// If an app has the store open, the page shows that app's state, its sync and its sessions, and otherwise the state
/// as of the newest snapshot. From the app itself, the devtools show more: it knows the types.
#[derive(Debug, Args)]
pub(crate) struct Devtools {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Listen on this port of 127.0.0.1, instead of any that is free.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    #[command(flatten)]
    pub(crate) traces: Traces,
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
/// If an app has the store open, that is the app's state, and otherwise the one of the newest snapshot. A command
/// that an app has linked with its schema shows the state as of any event.
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

/// Add the events of a file to a store.
///
/// The file may be an export of this command or of livestore-server, one of `@livestore/cli`, or an eventlog
/// of LiveStore's own, such as `eventlog@6.db`. All of it is checked before anything is added. Events that the
/// store has already are compared, so that an import that was interrupted can be repeated.
///
/// The store's types need not be known: the app applies the events when it opens the store. No app may have
/// it open meanwhile.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file to read.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Import the events of another store, too.
    #[arg(long)]
    pub(crate) force: bool,
    /// Give the events new numbers, from the first on: for a new store of what `doctor` has saved.
    #[arg(long)]
    pub(crate) renumber: bool,
    /// Only check the file.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Say why a store does not open, and save what can be read.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Write all events that can be read to this file, as `export` does.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

/// Copy the events of a store, up to one of them, into a new store.
#[derive(Debug, Args)]
pub(crate) struct Fork {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The directory of the new store.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
    /// The last event that is copied, instead of the last one that there is.
    #[arg(long, value_name = "SEQ", value_parser = seq_num)]
    pub(crate) at: Option<SeqNum>,
    /// The id of the new store, instead of the same.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// Push what is pending to a sync backend, and pull what is new.
///
/// The store's types need not be known: the app applies the new events when it opens the store. No app may
/// have it open meanwhile; one that does, syncs it itself.
#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The backend's address, such as `wss://sync.example.com`, or `https://…` for one without WebSockets.
    #[arg(long, env = "LIVESTORE_URL")]
    pub(crate) url: String,
    /// JSON for the backend, such as `{"authToken":"…"}`; what is in the environment is seen by fewer than
    /// what is typed.
    #[arg(long, env = "LIVESTORE_PAYLOAD", hide_env_values = true, value_name = "JSON")]
    pub(crate) payload: Option<String>,
    /// Create the store if it is missing, and get it from the backend.
    #[arg(long)]
    pub(crate) create: bool,
    /// Go on, until interrupted.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Give up after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, conflicts_with = "watch")]
    pub(crate) timeout: f64,
    #[command(flatten)]
    pub(crate) traces: Traces,
}

/// Accept, check or show changes of events and tables, which `livestore.lock` records.
#[derive(Debug, Subcommand)]
pub(crate) enum Schema {
    /// Write `livestore.lock` from what the package declares.
    Accept(Package),
    /// Fail if `livestore.lock` is not what the package declares, as in CI.
    Check(Package),
    /// Show what `accept` would change.
    Diff(Package),
}

/// A package of a workspace.
#[derive(Debug, Args)]
pub(crate) struct Package {
    /// The package, if the workspace has several.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// The `Cargo.toml` of the package or workspace.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest_path: Option<PathBuf>,
}

/// Start a new app.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The app's name, and that of its directory.
    #[arg(value_name = "NAME", required_unless_present = "list")]
    pub(crate) name: Option<String>,
    /// The template.
    #[arg(long, short, value_name = "TEMPLATE", default_value = "todo-tui")]
    pub(crate) template: String,
    /// The directory to create, instead of one with the app's name.
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// List the templates.
    #[arg(long)]
    pub(crate) list: bool,
}

/// Check the checksum and the place of every event, and the snapshot of the state.
///
/// A command that an app has linked with its schema also compares the snapshot with a replay.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Let agents look into the stores of a directory, by the Model Context Protocol on standard input and output.
#[derive(Debug, Args)]
pub(crate) struct Mcp {
    /// The folder of a store, or a directory with the folders of stores. Nothing else is shown.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
    /// Let agents commit and import events, too.
    #[arg(long)]
    pub(crate) allow_write: bool,
    #[command(flatten)]
    pub(crate) traces: Traces,
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
pub(crate) fn seq_num(text: &str) -> Result<SeqNum, String> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit());
    let text = if is_number { format!("e{text}") } else { text.to_owned() };
    text.parse().map_err(|error: livestore::event::ParseSeqNumError| error.to_string())
}
