//! Replays a repository's history as events, and reports what changed most and who changed it.
//!
//! ```sh
//! repo-history --git .                 # the history of a git repository
//! repo-history history.jsonl.gz        # a history from a file, one commit a line
//! ```
//!
//! Run it again on the same directory, and it adds only what is new. With `--watch` it goes on, and
//! shows the report again whenever the file or the repository has got more commits.

#![expect(
    clippy::disallowed_methods,
    reason = "an app may have threads and files, unlike the core"
)]

mod history;
mod model;
mod report;

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use livestore::live::Computed;
use livestore::prelude::*;

use crate::history::History;
use crate::model::{Commit, CommitRecorded, RepoHistory};
use crate::report::Report;

/// How many events become one commit of the store: all of them are committed, or none.
const BATCH: usize = 500;

/// How long to wait for more commits where there are none.
const PAUSE: Duration = Duration::from_millis(300);

/// Replays the history of a repository as events, and reports what changed most.
#[derive(Parser)]
struct Cli {
    /// A history to replay: .jsonl or .jsonl.gz, one commit a line, oldest first
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A git repository to replay instead: what its HEAD has come from
    #[arg(long, value_name = "PATH", conflicts_with = "file")]
    git: Option<PathBuf>,
    /// The directory of the store
    #[arg(long, default_value = "./data")]
    dir: PathBuf,
    /// The store's id
    #[arg(long, value_name = "ID", default_value = "repo-history")]
    store: String,
    /// Print the report as one line of JSON
    #[arg(long)]
    json: bool,
    /// Go on until interrupted: replay what is added to FILE (a line counts once its end is
    /// written) or committed to the repository, and show the report whenever it changes
    #[arg(long)]
    watch: bool,
}

fn main() -> ExitCode {
    let Err(error) = run(&Cli::parse()) else { return ExitCode::SUCCESS };
    // The reader of our output, such as `head`, may have seen enough.
    if error.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

fn run(cli: &Cli) -> Result<()> {
    let history = match (&cli.git, &cli.file) {
        (Some(repository), _) => history::git::open(repository, cli.watch)?,
        (None, Some(file)) => history::file::open(file, cli.watch)?,
        (None, None) => bail!("give a FILE, or a repository with --git PATH"),
    };
    let store = Store::<RepoHistory>::builder(&cli.store).directory(&cli.dir).open()?;
    let report = Report::live(&store)?;
    let mut commits = only_new(history, &store)?;
    if cli.watch {
        return watch(&report, commits, &store, cli.json);
    }
    replay(&mut commits, &store)?;
    drop(commits); // And the progress bar with them.
    store.close()?;
    Ok(report.get().print(cli.json)?)
}

/// Replays forever, and shows the report again whenever a live query changes.
fn watch(
    report: &Computed<Report>,
    mut commits: History,
    store: &Store<RepoHistory>,
    json: bool,
) -> Result<()> {
    // A terminal forgets the last report.
    let clear = if !json && io::stdout().is_terminal() { "\x1b[H\x1b[J" } else { "" };
    let show = move |report: &Report| {
        write!(io::stdout(), "{clear}")?;
        report.print(json)
    };
    show(&report.get())?;
    let (failed, failure) = mpsc::channel();
    let _guard = report.subscribe(move |report| _ = show(report).map_err(|e| failed.send(e)));
    loop {
        replay(&mut commits, store)?;
        if let Ok(error) = failure.recv_timeout(PAUSE) {
            return Err(error.into());
        }
    }
}

/// The commits that the store does not have yet.
fn only_new(history: History, store: &Store<RepoHistory>) -> Result<History> {
    let known = store.query(Commit::all().select(Commit::HASH))?;
    let mut known: HashSet<String> = known.into_iter().collect();
    let mut is_new = move |commit: &CommitRecorded| known.insert(commit.hash.clone());
    // Errors stay in: `collect` finds them.
    Ok(Box::new(history.filter(move |commit| commit.as_ref().map_or(true, &mut is_new))))
}

/// Commits to the store what there is to replay.
///
/// An error loses the batch that it is in; the batches before it are in the store, and the next run
/// goes on from there.
fn replay(commits: &mut History, store: &Store<RepoHistory>) -> Result<()> {
    loop {
        let batch: Vec<_> = commits.take(BATCH).collect::<Result<_, _>>()?;
        if batch.is_empty() {
            return Ok(());
        }
        store.commit(batch)?;
    }
}
