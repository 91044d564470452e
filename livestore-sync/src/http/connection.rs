//! Polls for new events, and pushes in between, one request at a time.

use std::convert::Infallible;

use futures_util::StreamExt as _;
use livestore::sync::{
    BackendMessage, ConnectRequest, Cursor, MessageSender, Page, Secret, SyncError, SyncEvent,
};
use livestore_protocol::{Call, Exit, Ping, Pull, Push, Request, RequestId, ServerMessage};

use super::Http;
use super::request::Client;
use crate::net::{Command, Commands, End, timeout};

/// Pings the backend, then carries out the commands of the store until something fails.
pub(super) async fn run(
    http: Http,
    connect_request: ConnectRequest,
    messages: MessageSender,
    mut commands: Commands,
) -> End {
    match try_run(&http, connect_request, messages, &mut commands).await {
        Ok(never) => match never {},
        Err(end) => end,
    }
}

async fn try_run(
    http: &Http,
    connect_request: ConnectRequest,
    messages: MessageSender,
    commands: &mut Commands,
) -> Result<Infallible, End> {
    let client = Client::new(http, &connect_request, messages.clone())?;
    let mut connection = Polling { client, connect_request, messages, requests: 0, cursor: None };
    connection.ping().await?;
    connection.messages.send(BackendMessage::Connected);
    let mut is_pulling = false;
    loop {
        let command = match is_pulling {
            true => timeout(http.poll_every, commands.next()).await,
            false => Some(commands.next().await),
        };
        let command = match command {
            Some(Some(command)) => command,
            // The store has dropped the connection.
            Some(None) => std::future::pending().await,
            None => Command::Pull(connection.cursor.clone()),
        };
        is_pulling |= matches!(command, Command::Pull(_));
        connection.obey(command, is_pulling).await?;
    }
}

struct Polling {
    client: Client,
    connect_request: ConnectRequest,
    messages: MessageSender,
    requests: u64,
    cursor: Option<Cursor>,
}

impl Polling {
    /// Does what the store wants, and pulls: a refused push follows something new, and an accepted one
    /// comes back by the pull.
    async fn obey(&mut self, command: Command, is_pulling: bool) -> Result<(), End> {
        match command {
            Command::Pull(cursor) => self.cursor = cursor,
            Command::Check => {}
            Command::Push(events, backend_id) => self.push(events, backend_id).await?,
        }
        if is_pulling { self.pull().await } else { Ok(()) }
    }

    async fn ping(&mut self) -> Result<(), End> {
        let (store_id, payload) = self.who();
        let request = self.request(Call::Ping(Ping { store_id, payload }));
        match self.exit_of(&request).await? {
            Exit::Failure(failure) => Err(End::pull_failed(failure)),
            _ => Ok(()),
        }
    }

    /// Asks for what is new, and goes on from there the next time.
    async fn pull(&mut self) -> Result<(), End> {
        let (store_id, payload) = self.who();
        let cursor = self.cursor.clone();
        let request = self.request(Call::Pull(Pull { store_id, payload, live: false, cursor }));
        let Self { client, messages, cursor, .. } = self;
        let mut exit = None;
        let take = |message| match message {
            ServerMessage::Chunk { pages, .. } => {
                pages.into_iter().for_each(|page| send_page(page, cursor, messages));
                Ok(())
            }
            other => take_exit(other, &mut exit),
        };
        client.send(&request, take).await?;
        match exit {
            Some(Exit::Failure(failure)) => Err(End::pull_failed(failure)),
            Some(_) => Ok(()),
            None => Err(End::disconnected("the backend's answer is cut off")),
        }
    }

    async fn push(&mut self, batch: Vec<SyncEvent>, backend: Option<String>) -> Result<(), End> {
        let (store_id, payload) = self.who();
        let push = Push { store_id, payload, batch, backend_id: backend };
        let request = self.request(Call::Push(push));
        let result = match self.exit_of(&request).await {
            Ok(Exit::Failure(failure)) => BackendMessage::PushFailed(failure),
            Ok(Exit::Interrupted) => {
                BackendMessage::PushFailed(SyncError::Failed("the push was interrupted".to_owned()))
            }
            Ok(_) => BackendMessage::Pushed,
            Err(end) if end.is_too_large => {
                BackendMessage::PushFailed(SyncError::Invalid(end.reason))
            }
            Err(end) => return Err(end),
        };
        self.messages.send(result);
        Ok(())
    }

    async fn exit_of(&mut self, request: &Request) -> Result<Exit, End> {
        let mut exit = None;
        self.client.send(request, |message| take_exit(message, &mut exit)).await?;
        exit.ok_or_else(|| End::disconnected("the backend's answer is cut off"))
    }

    fn request(&mut self, call: Call) -> Request {
        let id = RequestId::nth(self.requests);
        self.requests += 1;
        Request { id, call }
    }

    fn who(&self) -> (String, Option<Secret>) {
        (self.connect_request.store_id.clone(), self.connect_request.payload.clone())
    }
}

fn send_page(page: Page, cursor: &mut Option<Cursor>, messages: &MessageSender) {
    if let Some(last) = page.events.last() {
        *cursor = Some(Cursor { backend_id: page.backend_id.clone(), head: last.seq });
    }
    messages.send(BackendMessage::Pulled(page));
}

fn take_exit(message: ServerMessage, exit: &mut Option<Exit>) -> Result<(), End> {
    match message {
        ServerMessage::Exit { exit: this, .. } => *exit = Some(this),
        ServerMessage::Defect(text) => return Err(End::pull_failed(SyncError::Invalid(text))),
        ServerMessage::Pong | ServerMessage::Chunk { .. } => {}
    }
    Ok(())
}
