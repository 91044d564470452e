use std::convert::Infallible;
use std::pin::pin;

use futures_channel::{mpsc, oneshot};
use futures_util::future::{Either, select};
use livestore::sync::{BackendMessage, Connection, Cursor, MessageSender, SyncEvent};

use super::End;
use super::platform::{MaySend, Place, spawn};

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
/// On a thread of its own, no store waits while the messages of another are decoded; that thread
/// ends with the connection.
pub(crate) fn connect<F>(
    place: &Place,
    messages: MessageSender,
    connection: impl FnOnce(Commands) -> F,
) -> Box<dyn Connection>
where
    F: Future<Output = End> + MaySend + 'static,
{
    let (commands, receiver) = mpsc::unbounded();
    let (alive, dropped) = oneshot::channel();
    let task = until_dropped(connection(receiver), dropped, messages.clone());
    if let Err(error) = spawn(place, task) {
        messages
            .send(BackendMessage::Disconnected { reason: format!("no thread for sync: {error}") });
    }
    Box::new(NetConnection { commands, _alive: alive })
}

async fn until_dropped(
    connection: impl Future<Output = End>,
    dropped: oneshot::Receiver<Infallible>,
    messages: MessageSender,
) {
    let end = match select(dropped, pin!(connection)).await {
        Either::Left(_) => return,
        Either::Right((end, _)) => end,
    };
    if let Some(last) = end.last {
        messages.send(last);
    }
    if let Some(wait) = end.retry_after {
        messages.send(BackendMessage::RetryAfter(wait));
    }
    messages.send(BackendMessage::Disconnected { reason: end.reason });
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
        let _ = self.commands.unbounded_send(command);
    }
}
