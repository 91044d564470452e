//! TodoMVC in a terminal: a small app on LiveStore.
//!
//! `schema` says what is stored and what can happen, `model` is what the screen shows, and `screen`
//! draws it and takes the keys. This file has the commands for scripts.

#![expect(unreachable_pub, reason = "`pub` is what a module offers the others; an app has no API")]
#![expect(clippy::disallowed_methods, reason = "an app may have threads; the core has none")]

mod model;
mod schema;
mod screen;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use livestore::prelude::*;
use livestore::sync::{InitialSync, SyncOptions, SyncStatus};
use livestore_sync::{Http, WebSocket};
use serde_json::json;

use schema::{App, Filter, Todo, TodoEvent};

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
    if cli.command.is_none() && !in_terminal {
        return Err("the screen needs a terminal; for scripts, see `todo --help`".into());
    }
    let mut store = Store::<App>::builder(cli.store).directory(cli.dir);
    if let Some(url) = &cli.sync {
        store = store.sync(sync(url, cli.token, cli.command.is_some()));
    }
    let store = store.open()?;
    match cli.command {
        None => screen::run(model::Model::new(store)?),
        Some(Command::Add { text }) => add(&store, &text).and_then(|()| push(&store)),
        Some(Command::Done { id }) => done(&store, id).and_then(|()| push(&store)),
        Some(Command::List { active: true, json, .. }) => list(&store, Filter::Active, json),
        Some(Command::List { completed: true, json, .. }) => list(&store, Filter::Completed, json),
        Some(Command::List { json, .. }) => list(&store, Filter::All, json),
        Some(Command::Log { json }) => log(&store, json),
    }
}

/// A command first pulls what others did; the screen shows it when it comes.
fn sync(url: &str, token: Option<String>, is_command: bool) -> SyncOptions {
    let options = match url.starts_with("http") {
        true => SyncOptions::new(Http::new(url)),
        false => SyncOptions::new(WebSocket::new(url)),
    };
    let options = if is_command { options.initial(InitialSync::Wait(PATIENCE)) } else { options };
    match token {
        Some(token) => options.payload(json!({ "authToken": token }).to_string()),
        None => options,
    }
}

/// Waits for the backend, and says so if that is in vain: the events go out the next time.
fn push(store: &Store<App>) -> Result<()> {
    if !store.wait_synced(PATIENCE)? && store.sync_status()?.pending > 0 {
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
