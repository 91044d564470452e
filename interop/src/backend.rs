//! The backends: ours, and LiveStore's own on workerd.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use crate::Result;
use crate::client::Transport;
use crate::engine::{Engine, Storage};
use crate::peer::Peer;
use crate::process::Process;

/// The token that a client must send, as `{"authToken": …}`.
pub(crate) const TOKEN: &str = "open-sesame";

/// Whose backend it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// `livestore-server`, over this storage.
    Ours(Storage),
    /// LiveStore's.
    LiveStore,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(Storage::Sqlite) => f.write_str("our server"),
            Self::Ours(storage) => write!(f, "our server over {storage}"),
            Self::LiveStore => f.write_str("LiveStore's backend"),
        }
    }
}

/// A backend that runs.
pub(crate) struct Backend {
    kind: Kind,
    peer: Peer,
    dir: TempDir,
    lives: u32,
    address: Address,
    process: Option<Process>,
    /// Of our server, if it has one; and the storage in it that is used now.
    engine: Option<(Engine, String)>,
}

/// Where the backend listens, now: another port after a restart.
pub(crate) type Address = Arc<Mutex<SocketAddr>>;

impl Backend {
    /// Starts one without any data.
    pub(crate) fn start(kind: Kind, peer: &Peer) -> Result<Self> {
        let mut backend = Self {
            kind,
            peer: peer.clone(),
            dir: TempDir::new()?,
            lives: 0,
            address: Arc::new(Mutex::new(SocketAddr::from(([127, 0, 0, 1], 0)))),
            process: None,
            engine: None,
        };
        if let Kind::Ours(storage) = kind {
            backend.engine = Engine::start(storage).map(|mut engine| {
                let url = engine.empty(0);
                (engine, url)
            });
        }
        backend.restart()?;
        Ok(backend)
    }

    /// Whether a pull has an event without args as it was pushed. LiveStore's backend stores `null` and
    /// pulls that: LiveStore's own client then takes its event for another one, and pushes it again for
    /// ever. So it is over HTTP, where nothing is broadcast, and in the first page of a pull.
    pub(crate) fn keeps_missing_args(&self, transport: Transport) -> bool {
        (self.kind, transport) != (Kind::LiveStore, Transport::Http)
    }

    /// Where it listens, also after it was restarted.
    pub(crate) fn address(&self) -> Address {
        Arc::clone(&self.address)
    }

    /// Kills it, and starts it again with its data.
    pub(crate) fn restart(&mut self) -> Result {
        self.process = None;
        let errors = self.dir.path().join("stderr");
        let process = Process::start(&self.kind.to_string(), self.command()?, errors)?;
        let line = process.read_line("where it listens")?;
        // Both end it with `HOST:PORT`.
        let address = line.rsplit(' ').next().unwrap_or_default();
        let address = address.parse().map_err(|error| format!("{error}: {line}"))?;
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it, and starts another one without any data in its place.
    pub(crate) fn reset(&mut self) -> Result {
        self.lives += 1;
        self.process = None;
        if let Some((engine, url)) = &mut self.engine {
            *url = engine.empty(self.lives);
        }
        self.restart()
    }

    fn command(&self) -> Result<Command> {
        let data = self.dir.path().join(format!("data-{}", self.lives));
        std::fs::create_dir_all(&data)?;
        match self.kind {
            Kind::Ours(_) => self.our_server(data),
            Kind::LiveStore => Ok(self.livestores(data)),
        }
    }

    fn livestores(&self, data: PathBuf) -> Command {
        let mut command = self.peer.node("backend.mjs");
        command.arg(data).arg(TOKEN);
        command
    }

    fn our_server(&self, data: PathBuf) -> Result<Command> {
        let tokens = self.dir.path().join("tokens");
        std::fs::write(&tokens, format!("{TOKEN} * read,write\n"))?;
        let mut command = Command::new(std::env::current_exe()?.with_file_name("livestore-server"));
        command.args(["--listen", "127.0.0.1:0"]);
        match &self.engine {
            Some((_, url)) => command.arg("--storage").arg(url),
            None => command.arg("--data").arg(data),
        };
        command.arg("--tokens").arg(tokens);
        Ok(command)
    }
}
