//! Replays a repository's history as events, and tells what changed most and who changed it.
//!
//! ```sh
//! repo-history --git .                 # the history of a git repository
//! repo-history history.jsonl.gz        # a history from a file, one commit a line
//! ```
//!
//! Run it again on the same directory, and it adds only what is new.

mod history;
mod model;
mod report;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use livestore::prelude::*;

use crate::history::History;
use crate::model::{Commit, CommitRecorded, RepoHistory};
use crate::report::Report;

/// How many events become one commit of the store: all of them are kept, or none.
const BATCH: usize = 500;

/// Replays the history of a repository as events, and tells what changed most.
#[derive(Parser)]
struct Cli {
    /// A history to replay: .jsonl or .jsonl.gz, one commit a line, oldest first
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A git repository to replay instead: what its HEAD has come from
    #[arg(long, value_name = "PATH", conflicts_with = "file")]
    git: Option<PathBuf>,
    /// Where the store is kept
    #[arg(long, default_value = "./data")]
    dir: PathBuf,
    /// The store's id
    #[arg(long, value_name = "ID", default_value = "repo-history")]
    store: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let history = match (&cli.git, &cli.file) {
        (Some(repository), _) => history::git::open(repository)?,
        (None, Some(file)) => history::file::open(file)?,
        (None, None) => anyhow::bail!("give a FILE, or a repository with --git PATH"),
    };
    let store = Store::<RepoHistory>::builder(&cli.store).directory(&cli.dir).open()?;
    let new = replay(history, &store)?;
    let report = Report::read(&store, new)?;
    store.close()?;
    report.print(cli.json)?;
    Ok(())
}

/// Commits what the store does not have yet, and says how many commits that were.
///
/// An error loses the batch that it is in; those before are kept, and the next run goes on there.
fn replay(history: History, store: &Store<RepoHistory>) -> anyhow::Result<u64> {
    let known = store.query(Commit::all().select(Commit::HASH))?;
    let mut known: HashSet<String> = known.into_iter().collect();
    let mut is_new = |commit: &CommitRecorded| known.insert(commit.hash.clone());
    // Errors stay in: `collect` finds them.
    let mut commits = history.filter(|commit| commit.as_ref().map_or(true, &mut is_new));
    let mut new = 0;
    loop {
        let batch: Vec<_> = commits.by_ref().take(BATCH).collect::<Result<_, _>>()?;
        if batch.is_empty() {
            return Ok(new);
        }
        new += batch.len() as u64;
        store.commit(batch)?;
    }
}
