//! The socket: opening it, and carrying text both ways until it ends.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use livestore::sync::{BackendMessage, ConnectRequest, MessageSender};
use livestore_protocol::Transport;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::WebSocket;
use super::session::Session;
use crate::net::{Address, Commands, End, MAX_MESSAGE_BYTES, Socket, dial};

type Stream<'a> = WebSocketStream<&'a mut Socket>;

/// Connects and talks until the connection ends.
pub(super) async fn run(
    backend: WebSocket,
    connect_request: ConnectRequest,
    messages: MessageSender,
    mut commands: Commands,
) -> End {
    match try_run(&backend, connect_request, messages, &mut commands).await {
        Ok(end) | Err(end) => end,
    }
}

async fn try_run(
    backend: &WebSocket,
    connect_request: ConnectRequest,
    messages: MessageSender,
    commands: &mut Commands,
) -> Result<End, End> {
    let address = Address::new(&backend.options.url, &connect_request, Transport::WebSocket)
        .map_err(End::disconnected)?;
    let request = upgrade_request(backend, &address)?;
    let limit = backend.options.connect_timeout;
    let mut socket = timely(limit, dial(&address)).await?.map_err(End::disconnected)?;
    let upgraded = timely(limit, upgrade(request, &mut socket)).await?;
    let mut stream = match upgraded {
        Ok(stream) => stream,
        Err(Error::Http(response)) => return Err(refusal(*response, &mut socket).await),
        Err(error) => return Err(End::disconnected(error)),
    };
    messages.send(BackendMessage::Connected);
    let session = Session::new(connect_request, messages);
    Err(talk(&mut stream, session, commands, backend.ping_every).await)
}

async fn timely<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, End> {
    timeout(limit, work).await.map_err(|_| End::disconnected("connecting takes too long"))
}

fn upgrade_request(backend: &WebSocket, address: &Address) -> Result<Request, End> {
    let scheme = if address.tls { "wss" } else { "ws" };
    let url = format!("{scheme}://{}{}", address.authority, address.target.as_str());
    let mut request = url.into_client_request().map_err(End::disconnected)?;
    for (name, value) in &backend.options.headers {
        let header = HeaderName::try_from(name).map_err(End::disconnected)?;
        request
            .headers_mut()
            .append(header, HeaderValue::try_from(value.as_str()).map_err(End::disconnected)?);
    }
    Ok(request)
}

async fn upgrade(request: Request, socket: &mut Socket) -> Result<Stream<'_>, Error> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let (stream, _) = client_async_with_config(request, socket, Some(config)).await?;
    Ok(stream)
}

/// In bytes. The buffer is zeroed for each read, and most reads are short; frames may be larger.
const READ_BUFFER: usize = 4 << 10;

/// Reads the answer of a backend that refuses to upgrade. Some of it may not have arrived yet.
async fn refusal(response: Response, socket: &mut Socket) -> End {
    let length = response.headers().get("content-length");
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0_usize);
    let status = response.status().as_u16();
    let mut body = response.into_body().unwrap_or_default();
    let missing = length.min(MAX_REFUSAL_BYTES).saturating_sub(body.len());
    let mut rest = vec![0; missing];
    if timeout(REFUSAL_TIMEOUT, socket.read_exact(&mut rest)).await.is_ok_and(|read| read.is_ok()) {
        body.extend(rest);
    }
    End::status(status, &String::from_utf8_lossy(&body))
}

const MAX_REFUSAL_BYTES: usize = 4096;
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

async fn talk(
    stream: &mut Stream<'_>,
    mut session: Session,
    commands: &mut Commands,
    ping_every: Duration,
) -> End {
    let mut pings = interval_at(Instant::now() + ping_every, ping_every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let reply = tokio::select! {
            Some(command) = commands.recv() => Ok(Some(session.request(command))),
            frame = stream.next() => receive(&mut session, frame),
            _ = pings.tick() => session.ping().map(Some),
        };
        let text = match reply {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(end) => return end,
        };
        match timeout(ping_every, stream.send(Message::text(text))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::disconnected(error),
            Err(_) => return End::disconnected("the backend does not read any more"),
        }
    }
}

fn receive(
    session: &mut Session,
    frame: Option<Result<Message, Error>>,
) -> Result<Option<String>, End> {
    match frame {
        Some(Ok(Message::Text(text))) => session.receive(&text),
        Some(Ok(Message::Binary(_))) => Err(End::disconnected("the backend sends a binary frame")),
        Some(Ok(Message::Close(Some(close)))) => {
            Err(End::disconnected(format!("the backend closes the connection: {close}")))
        }
        Some(Ok(Message::Close(None))) | None => {
            Err(End::disconnected("the backend closes the connection"))
        }
        Some(Ok(_)) => {
            session.mark_alive();
            Ok(None)
        }
        Some(Err(error)) => Err(End::disconnected(error)),
    }
}
