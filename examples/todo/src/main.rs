//! TodoMVC in a terminal: a small app on LiveStore.
//!
//! The package `todo-schema` says what is stored and what can happen, `model` is what the screen shows,
//! and `screen` draws it and takes the keys. This file has the commands for scripts.

#![expect(unreachable_pub, reason = "`pub` is what a module offers the others; an app has no API")]
#![expect(clippy::disallowed_methods, reason = "an app may have threads; the core has none")]

mod model;
mod screen;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use livestore::prelude::*;
use livestore::store::Receipt;
use livestore::sync::{NetworkStatus, SyncOptions, SyncStatus};
use livestore_sync::{Http, WebSocket};
use serde_json::json;

use todo_schema::{App, Filter, Todo, TodoEvent};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// How long a command waits for the backend.
const PATIENCE: Duration = Duration::from_secs(5);

/// Todos in a terminal. Without a command, an interactive screen opens.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The directory for stores, one folder each; created if it does not exist
    #[arg(long, global = true, default_value = "./data")]
    dir: PathBuf,
    /// The store to use
    #[arg(long, global = true, value_name = "ID", default_value = "todos")]
    store: String,
    /// A sync backend, such as ws://127.0.0.1:8787; http:// asks it every few seconds
    #[arg(long, global = true, value_name = "URL")]
    sync: Option<String>,
    /// The token that the backend knows you by
    #[arg(long, global = true, requires = "sync", env = "TODO_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Serve the devtools and print their URL: beside the screen, or until Ctrl-C if there is no terminal
    #[cfg(feature = "devtools")]
    #[arg(long)]
    devtools: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Add a todo and print its id
    Add {
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Complete a todo
    Done {
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Undo the last change that was made here, in this run or in an earlier one
    Undo,
    /// Make the change again that was undone last
    Redo,
    /// List the todos, oldest first, as `[ ] text  id`
    List {
        /// Only those still to do
        #[arg(long, conflicts_with = "completed")]
        active: bool,
        /// Only those done
        #[arg(long)]
        completed: bool,
        /// One JSON object a line: id, text, completed, createdAt
        #[arg(long)]
        json: bool,
    },
    /// Print the eventlog: sequence number, name and args of each event
    Log {
        /// One JSON object a line: seqNum, name, args
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let Err(error) = run(Cli::parse()) else { return ExitCode::SUCCESS };
    // The reader of our output, such as `head`, may have seen enough.
    if error.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

fn run(cli: Cli) -> Result<()> {
    let in_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if cli.command.is_none() && !in_terminal && !cli.wants_devtools() {
        return Err("the screen needs a terminal; for scripts, see `todo --help`".into());
    }
    let wants_devtools = cli.wants_devtools();
    let mut store = Store::<App>::builder(cli.store).directory(cli.dir);
    if let Some(url) = &cli.sync {
        store = store.sync(sync(url, cli.token));
    }
    let store = store.open()?;
    let devtools = wants_devtools.then(|| serve_devtools(&store)).transpose()?;
    match cli.command {
        None if !in_terminal => wait_for_signal(),
        None => {
            let mut model = model::Model::new(store)?;
            model.devtools = devtools;
            screen::run(model)
        }
        Some(command) => {
            let is_current = catch_up(&store)?;
            execute(&store, command, is_current)
        }
    }
}

impl Cli {
    #[cfg(feature = "devtools")]
    fn wants_devtools(&self) -> bool {
        self.devtools
    }

    #[cfg(not(feature = "devtools"))]
    fn wants_devtools(&self) -> bool {
        false
    }
}

/// Serves the devtools, prints their URL, and returns it.
#[cfg(feature = "devtools")]
fn serve_devtools(store: &Store<App>) -> Result<String> {
    Ok(livestore_devtools::serve(store)?.url().to_owned())
}

#[cfg(not(feature = "devtools"))]
fn serve_devtools(_: &Store<App>) -> Result<String> {
    Err("this build has no devtools".into())
}

fn wait_for_signal() -> Result<()> {
    let (signal, came) = mpsc::channel();
    ctrlc::set_handler(move || _ = signal.send(()))?;
    Ok(came.recv()?)
}

fn execute(store: &Store<App>, command: Command, is_current: bool) -> Result<()> {
    match command {
        Command::Add { text } => add(store, &text).and_then(|()| push(store)),
        Command::Done { id } => done(store, id).and_then(|()| push(store)),
        Command::Undo => undone(store.undo(), "undo").and_then(|()| push(store)),
        Command::Redo => undone(store.redo(), "redo").and_then(|()| push(store)),
        Command::List { active, completed, json } => {
            warn_if_stale(store, is_current)?;
            let filter = match (active, completed) {
                (true, _) => Filter::Active,
                (_, true) => Filter::Completed,
                _ => Filter::All,
            };
            list(store, filter, json)
        }
        Command::Log { json } => {
            warn_if_stale(store, is_current)?;
            log(store, json)
        }
    }
}

fn sync(url: &str, token: Option<String>) -> SyncOptions {
    let options = match url.to_ascii_lowercase().starts_with("http") {
        true => SyncOptions::new(Http::new(url)),
        false => SyncOptions::new(WebSocket::new(url)),
    };
    match token {
        Some(token) => options.payload(json!({ "authToken": token }).to_string()),
        None => options,
    }
}

/// A command first pulls what others did; the screen shows it when it comes. Returns whether that
/// worked; it waits no longer than until the backend cannot be reached.
fn catch_up(store: &Store<App>) -> Result<bool> {
    let start = Instant::now();
    loop {
        let status = store.sync_status()?;
        match status.network {
            NetworkStatus::None => return Ok(true),
            _ if status.is_synced() => return Ok(true),
            NetworkStatus::Connecting | NetworkStatus::Pulling | NetworkStatus::Online
                if start.elapsed() < PATIENCE =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            _ => return Ok(false),
        }
    }
}

/// Says that others may have changed what follows.
fn warn_if_stale(store: &Store<App>, is_current: bool) -> Result<()> {
    if !is_current {
        let status = store.sync_status()?;
        eprintln!("this may be out of date, as of {}; {status}", status.upstream_head);
    }
    Ok(())
}

/// Waits for the backend, and says so if that is in vain: the events go out the next time.
fn push(store: &Store<App>) -> Result<()> {
    if !catch_up(store)? && store.sync_status()?.pending > 0 {
        let SyncStatus { pending, network, .. } = store.sync_status()?;
        eprintln!("{pending} events are not pushed yet: {network}");
    }
    Ok(())
}

fn add(store: &Store<App>, text: &str) -> Result<()> {
    let id = new_id();
    store.commit(TodoEvent::created(&id, text).ok_or("a todo needs a text")?)?;
    Ok(writeln!(io::stdout(), "{id}")?)
}

fn done(store: &Store<App>, id: String) -> Result<()> {
    let todo = store.query(Filter::All.todos().filter(Todo::ID.eq(&id)).optional())?;
    let todo = todo.ok_or_else(|| format!("there is no todo {id:?}; `todo list` shows the ids"))?;
    if !todo.completed {
        store.commit(TodoEvent::Completed { id })?;
    }
    Ok(())
}

fn undone(done: Result<Receipt, UndoError>, what: &str) -> Result<()> {
    match done {
        Ok(_) => Ok(()),
        Err(UndoError::Nothing) => Err(format!("there is nothing to {what}").into()),
        Err(error) => Err(error.into()),
    }
}

fn list(store: &Store<App>, filter: Filter, json: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    for todo in store.query(filter.todos())? {
        let row = if json { serde_json::to_string(&todo)? } else { format!("{todo}  {}", todo.id) };
        writeln!(out, "{row}")?;
    }
    Ok(())
}

fn log(store: &Store<App>, json: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    for event in store.events() {
        let EncodedEvent { seq, name, args, .. } = event?;
        if json {
            // The args are JSON already, and stay as they were written.
            writeln!(out, r#"{{"seqNum":"{seq}","name":{},"args":{args}}}"#, json!(name))?;
        } else {
            writeln!(out, "{seq} {name} {args}")?;
        }
    }
    Ok(())
}
