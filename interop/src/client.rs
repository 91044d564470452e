//! A client, driven over its stdin and stdout: a JSON object a line, an answer a line.
//!
//! | command | answer |
//! |---|---|
//! | `open {url, transport, storeId, clientId, payload, dir, version}` | |
//! | `commit {events: [{name, args}]}`: one commit; args as text, as they are on the wire | |
//! | `status` | [`Status`] |
//! | `log` | every [`Entry`] of the eventlog, in order |
//! | `state` | [`State`] |
//! | `close` | |
//!
//! An answer is `{"ok": …}` or `{"error": "…"}`. `peer/client.mjs` is the one in TypeScript, and
//! `client` the one in Rust, which is a process or a page.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Result;
use crate::browser::Browser;
use crate::peer::Peer;
use crate::process::Process;

/// What clients are started with.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) peer: Peer,
    /// `None` if there is no browser here.
    pub(crate) browser: Option<Browser>,
}

/// A client's process. It opens one store at a time.
pub(crate) struct Client {
    platform: Platform,
    process: Process,
}

/// In which language a client is, and where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Platform {
    TypeScript,
    Rust,
    /// The one in Rust, in a page.
    Page,
}

/// The store to open, and how to open it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Open<'a> {
    /// `host:port`.
    pub(crate) url: String,
    pub(crate) transport: Transport,
    pub(crate) store_id: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) payload: Value,
    pub(crate) dir: &'a Path,
    pub(crate) version: Version,
}

/// How a client talks with the backend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    Ws,
    Http,
}

/// Which version of the app a client runs. Only the newer one knows `v2.TodoTagged`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Version {
    Older,
    Newer,
}

/// An event to commit. One named `Screen` sets the client document of that name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Event {
    pub(crate) name: String,
    /// JSON, or an empty text for no args.
    pub(crate) args: String,
}

/// Where a client's sync is.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "sync", rename_all = "camelCase")]
pub(crate) enum Status {
    /// It goes on. The heads are global numbers, `pending` counts synced events.
    On { local: u64, upstream: u64, pending: u64 },
    /// It has ended by itself.
    Stopped {
        #[expect(dead_code, reason = "shown when a scenario fails")]
        why: String,
    },
}

/// A row of an eventlog.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) global: u64,
    pub(crate) client: u64,
    pub(crate) generation: u64,
    /// The global number of the event before it.
    pub(crate) parent: u64,
    pub(crate) name: String,
    /// JSON, as the client keeps it.
    pub(crate) args: String,
    pub(crate) client_id: String,
    pub(crate) session_id: String,
}

/// All rows, table by table, each in the order of its ids: as SQLite has them, but with floats as
/// their bits and JSON columns parsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) todos: Vec<Value>,
    pub(crate) samples: Vec<Value>,
    /// Made by client-only events.
    pub(crate) notes: Vec<Value>,
    /// The last args of each kind of event, as JSON that each client writes in its way.
    pub(crate) kinds: Vec<Kind>,
    /// Made by an event that only the newer app knows; empty in the older one.
    pub(crate) tags: Vec<Value>,
}

/// A row of the table `kinds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kind {
    pub(crate) id: String,
    pub(crate) args: String,
}

impl Client {
    /// Starts one; what it complains about goes to the file `errors`.
    pub(crate) fn start(platform: Platform, programs: &Programs, errors: PathBuf) -> Result<Self> {
        let command = match platform {
            Platform::TypeScript => programs.peer.node("client.mjs"),
            Platform::Rust => {
                Command::new(std::env::current_exe()?.with_file_name("livestore-interop-client"))
            }
            Platform::Page => programs.browser.as_ref().ok_or("there is no browser")?.client()?,
        };
        let process = Process::start(&format!("{platform:?} client"), command, errors)?;
        Ok(Self { platform, process })
    }

    /// Whether it goes on by itself after an outage. Over HTTP, LiveStore's own client does not: it
    /// retries a pull only after an error of the WebSocket's kind, and until it is opened again it
    /// pulls no more.
    pub(crate) fn outlives_outage(&self, transport: Transport) -> bool {
        (self.platform, transport) != (Platform::TypeScript, Transport::Http)
    }

    /// Whether it can commit a text with half a surrogate pair. Ours receives such args, but has no
    /// text for them.
    pub(crate) fn commits_half_pairs(&self) -> bool {
        self.platform == Platform::TypeScript
    }

    /// Opens a store, whether there is a network or not.
    pub(crate) fn open(&mut self, open: &Open<'_>) -> Result {
        let args = serde_json::to_value(open)?;
        self.ask("open", args)
    }

    /// Commits `events` as one.
    pub(crate) fn commit(&mut self, events: &[Event]) -> Result {
        self.ask("commit", json!({ "events": events }))
    }

    pub(crate) fn status(&mut self) -> Result<Status> {
        self.ask("status", json!({}))
    }

    pub(crate) fn log(&mut self) -> Result<Vec<Entry>> {
        self.ask("log", json!({}))
    }

    pub(crate) fn state(&mut self) -> Result<State> {
        self.ask("state", json!({}))
    }

    /// Closes the store; one that has stopped by itself too.
    pub(crate) fn close(&mut self) -> Result {
        self.ask("close", json!({}))
    }

    fn ask<T: for<'de> Deserialize<'de>>(&mut self, command: &str, mut args: Value) -> Result<T> {
        if let Some(args) = args.as_object_mut() {
            args.insert("do".to_owned(), command.into());
        }
        self.process.say(&args.to_string())?;
        let answer = self.process.read_line(command)?;
        match serde_json::from_str(&answer).map_err(|error| format!("{error}: {answer}"))? {
            Answer::Ok(value) => Ok(serde_json::from_value(value)?),
            Answer::Error(error) => Err(format!("{command}: {error}").into()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Ok(Value),
    Error(String),
}
