use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::thread;

use livestore::sync::{BackendMessage, Connection, Cursor, MessageSender, SyncEvent};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};

use super::End;

/// A request of the store.
#[derive(Debug)]
pub(crate) enum Command {
    Pull(Option<Cursor>),
    Push(Vec<SyncEvent>, Option<String>),
    Check,
}

pub(crate) type Commands = mpsc::UnboundedReceiver<Command>;

/// Runs a connection until it ends by itself, or the store drops it.
///
/// It runs on `runtime`, or on a thread of its own. That thread ends with the connection, and no
/// store waits while the messages of another are decoded.
pub(crate) fn connect<F>(
    runtime: Option<&Handle>,
    messages: MessageSender,
    connection: impl FnOnce(Commands) -> F,
) -> Box<dyn Connection>
where
    F: Future<Output = End> + Send + 'static,
{
    let (commands, receiver) = mpsc::unbounded_channel();
    let (alive, dropped) = oneshot::channel();
    let task = until_dropped(connection(receiver), dropped, messages.clone());
    match runtime {
        Some(runtime) => drop(runtime.spawn(task)),
        None => {
            if let Err(error) = spawn_thread(task) {
                messages.send(BackendMessage::Disconnected {
                    reason: format!("no thread for sync: {error}"),
                });
            }
        }
    }
    Box::new(NetConnection { commands, _alive: alive })
}

async fn until_dropped(
    connection: impl Future<Output = End>,
    dropped: oneshot::Receiver<Infallible>,
    messages: MessageSender,
) {
    let end = tokio::select! {
        _ = dropped => return,
        end = connection => end,
    };
    if let Some(last) = end.last {
        messages.send(last);
    }
    if let Some(wait) = end.retry_after {
        messages.send(BackendMessage::RetryAfter(wait));
    }
    messages.send(BackendMessage::Disconnected { reason: end.reason });
}

fn spawn_thread(task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let run = move || {
        runtime.block_on(task);
        // Do not wait for a name that is still being looked up.
        runtime.shutdown_background();
    };
    thread::Builder::new().name("livestore-sync".to_owned()).spawn(run).map(drop)
}

/// The store's end of a connection. Dropping it ends the connection.
struct NetConnection {
    commands: mpsc::UnboundedSender<Command>,
    _alive: oneshot::Sender<Infallible>,
}

impl Connection for NetConnection {
    fn pull(&mut self, cursor: Option<Cursor>) {
        self.request(Command::Pull(cursor));
    }

    fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>) {
        self.request(Command::Push(events, backend_id));
    }

    fn check(&mut self) {
        self.request(Command::Check);
    }
}

impl NetConnection {
    fn request(&self, command: Command) {
        // A connection that has ended has sent `Disconnected`.
        let _ = self.commands.send(command);
    }
}
