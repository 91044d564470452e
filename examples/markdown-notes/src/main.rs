//! Syncs a folder of Markdown notes until Ctrl-C.
//!
//! ```sh
//! cargo run -p livestore-server                       # on one machine
//! cargo run -p markdown-notes -- ~/notes --sync ws://that-machine:8787
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::Parser;
use livestore::{ErrorChain, Store};
use livestore_files::Folder;
use livestore_sync::WebSocket;
use markdown_notes::files::MarkdownNotes;
use markdown_notes::model::App;

/// A folder of Markdown notes, synced between machines
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// The folder; created if it does not exist
    folder: PathBuf,
    /// The directory of the events, outside of the folder
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// The store to sync with
    #[arg(long, value_name = "ID", default_value = "notes")]
    store: String,
    /// A sync backend, such as ws://127.0.0.1:8787
    #[arg(long, value_name = "URL")]
    sync: Option<String>,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", ErrorChain::new(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    let mut builder = Store::<App>::builder(cli.store).directory(cli.data);
    if let Some(url) = cli.sync {
        builder = builder.sync(WebSocket::new(url));
    }
    let store = builder.open()?;
    let folder = Folder::open(cli.folder, &store, MarkdownNotes)?;
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Nobody receives it if the process ends already.
        let _ = stop.send(());
    })?;
    writeln!(io::stdout(), "{} is synced until Ctrl-C", folder.path().display())?;
    let mut shown = Vec::new();
    while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_secs(1)) {
        let problems = folder.problems();
        problems
            .iter()
            .filter(|it| !shown.contains(*it))
            .for_each(|problem| eprintln!("{problem}"));
        shown = problems;
    }
    drop(folder);
    Ok(store.close()?)
}
