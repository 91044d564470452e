use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::thread;

use livestore::sync::{BackendMessage, Connection, Cursor, MessageSender, SyncEvent};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};

use super::End;

/// What a store asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Pull(Option<Cursor>),
    Push(Vec<SyncEvent>, Option<String>),
}

pub(crate) type Commands = mpsc::UnboundedReceiver<Command>;

/// Runs a connection until it ends by itself, or its link is dropped.
///
/// It runs on `runtime`, or on a thread of its own: that one ends with the link, one store's
/// decoding does not wait for another's, and nothing outlives what it is for.
pub(crate) fn connect<F>(
    runtime: Option<&Handle>,
    inbox: MessageSender,
    connection: impl FnOnce(Commands) -> F,
) -> Box<dyn Connection>
where
    F: Future<Output = End> + Send + 'static,
{
    let (commands, receiver) = mpsc::unbounded_channel();
    let (link, dropped) = oneshot::channel();
    let task = until_dropped(connection(receiver), dropped, inbox.clone());
    match runtime {
        Some(runtime) => drop(runtime.spawn(task)),
        None => {
            if let Err(error) = spawn_thread(task) {
                inbox.send(BackendMessage::Disconnected {
                    reason: format!("no thread for sync: {error}"),
                });
            }
        }
    }
    Box::new(NetLink { commands, _alive: link })
}

async fn until_dropped(
    connection: impl Future<Output = End>,
    dropped: oneshot::Receiver<Infallible>,
    inbox: MessageSender,
) {
    let end = tokio::select! {
        _ = dropped => return,
        end = connection => end,
    };
    if let Some(last) = end.last {
        inbox.send(last);
    }
    inbox.send(BackendMessage::Disconnected { reason: end.reason });
}

fn spawn_thread(task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let run = move || {
        runtime.block_on(task);
        // A name that is still being looked up is not waited for.
        runtime.shutdown_background();
    };
    thread::Builder::new().name("livestore-sync".to_owned()).spawn(run).map(drop)
}

/// The store's end. Dropping it drops the connection.
struct NetLink {
    commands: mpsc::UnboundedSender<Command>,
    _alive: oneshot::Sender<Infallible>,
}

impl Connection for NetLink {
    fn pull(&mut self, cursor: Option<Cursor>) {
        self.ask(Command::Pull(cursor));
    }

    fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>) {
        self.ask(Command::Push(events, backend_id));
    }
}

impl NetLink {
    fn ask(&self, command: Command) {
        // A connection that has ended has told so.
        let _ = self.commands.send(command);
    }
}
