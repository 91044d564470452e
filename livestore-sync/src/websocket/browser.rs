//! The browser's socket: carrying text both ways until it ends.

use std::convert::Infallible;
use std::time::Duration;

use futures_channel::mpsc;
use futures_util::StreamExt as _;
use futures_util::stream::select;
use livestore::sync::{BackendMessage, ConnectRequest, MessageSender, SyncError};
use livestore_protocol::{Transport, transfer_time};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{CloseEvent, MessageEvent};

use super::WebSocket;
use super::session::Session;
use crate::net::{Address, Command, Commands, End, Instant, MAX_MESSAGE_BYTES, describe, timeout};

/// Connects and talks until the connection ends.
pub(super) async fn run(
    backend: WebSocket,
    connect_request: ConnectRequest,
    messages: MessageSender,
    commands: Commands,
) -> End {
    match try_run(&backend, connect_request, messages, commands).await {
        Ok(never) => match never {},
        Err(end) => end,
    }
}

async fn try_run(
    backend: &WebSocket,
    connect_request: ConnectRequest,
    messages: MessageSender,
    commands: Commands,
) -> Result<Infallible, End> {
    let address = Address::new(&backend.options.url, &connect_request, Transport::WebSocket)
        .map_err(End::disconnected)?;
    let (socket, mut events) = Socket::open(&address.url(Transport::WebSocket))?;
    match timeout(backend.options.connect_timeout, events.next()).await {
        Some(Some(Event::Opened)) => messages.send(BackendMessage::Connected),
        None => return Err(End::disconnected("connecting takes too long")),
        Some(_) => {
            return Err(End::disconnected(
                "no WebSocket could be opened; the browser says why in its console only",
            ));
        }
    }
    let session = Session::new(connect_request, messages);
    let mut talk = Talk::new(socket, session, backend.ping_every);
    let mut turns = select(events.map(Turn::Event), commands.map(Turn::Command));
    loop {
        match timeout(talk.until_ping(), turns.next()).await {
            None => talk.ping()?,
            Some(Some(Turn::Event(event))) => talk.receive(event)?,
            Some(Some(Turn::Command(Command::Check))) => talk.check()?,
            Some(Some(Turn::Command(command))) => talk.request(command)?,
            Some(None) => return Err(End::disconnected("the store has dropped the connection")),
        }
    }
}

enum Turn {
    Event(Event),
    Command(Command),
}

/// A conversation on an open socket.
struct Talk {
    socket: Socket,
    session: Session,
    ping_every: Duration,
    last_ping: Instant,
    /// When something was sent last, and how long a slow link takes for it: until then, the answer to a
    /// ping may still wait behind it.
    sent: Instant,
    patience: Duration,
}

impl Talk {
    fn new(socket: Socket, session: Session, ping_every: Duration) -> Self {
        let now = Instant::now();
        let patience = Duration::ZERO;
        Self { socket, session, ping_every, last_ping: now, sent: now, patience }
    }

    fn until_ping(&self) -> Duration {
        self.ping_every.saturating_sub(self.last_ping.elapsed())
    }

    fn request(&mut self, command: Command) -> Result<(), End> {
        let frame = self.session.request(command);
        self.patience =
            self.patience.saturating_sub(self.sent.elapsed()) + transfer_time(frame.len());
        self.sent = Instant::now();
        self.socket.send(&frame)
    }

    /// Pings now, unless an answer is due anyway.
    fn check(&mut self) -> Result<(), End> {
        if self.session.awaits_pong() { Ok(()) } else { self.ping() }
    }

    fn ping(&mut self) -> Result<(), End> {
        self.last_ping = Instant::now();
        if self.session.awaits_pong() && self.sent.elapsed() < self.patience {
            return Ok(());
        }
        let frame = self.session.ping()?;
        self.socket.send(&frame)
    }

    fn receive(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Opened => Ok(()),
            Event::Text(text) if text.len() > MAX_MESSAGE_BYTES => {
                Err(End::disconnected("the backend sends a message that is too large"))
            }
            Event::Text(text) => match self.session.receive(&text)? {
                Some(reply) => self.socket.send(&reply),
                None => Ok(()),
            },
            Event::Binary => Err(End::disconnected("the backend sends a binary frame")),
            Event::Closed { code, reason } => Err(self.closed(code, &reason)),
        }
    }

    /// A message that is too large for the backend now is so the next time, too.
    fn closed(&self, code: u16, reason: &str) -> End {
        let reason = format!("the backend closes the connection: {reason} ({code})");
        match code {
            TOO_LARGE if self.session.is_pushing() => End::push_failed(SyncError::Invalid(reason)),
            ABNORMAL => End::disconnected("the connection broke"),
            _ => End::disconnected(reason),
        }
    }
}

/// The codes of closing (RFC 6455, section 7.4.1).
const ABNORMAL: u16 = 1006;
const TOO_LARGE: u16 = 1009;

/// What happens to a socket.
enum Event {
    Opened,
    Text(String),
    Binary,
    Closed { code: u16, reason: String },
}

/// A socket, which is closed when it is dropped.
struct Socket {
    socket: web_sys::WebSocket,
    on_open: Closure<dyn FnMut()>,
    on_message: Closure<dyn FnMut(MessageEvent)>,
    on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Begins to connect.
    fn open(url: &str) -> Result<(Self, mpsc::UnboundedReceiver<Event>), End> {
        let socket = web_sys::WebSocket::new(url)
            .map_err(|exception| End::disconnected(describe(&exception)))?;
        let (sender, events) = mpsc::unbounded();
        let (opened, received, closed) = (sender.clone(), sender.clone(), sender);
        // Whoever receives the events drops the socket first.
        let on_open = Closure::new(move || drop(opened.unbounded_send(Event::Opened)));
        let on_message = Closure::new(move |message: MessageEvent| {
            let event = message.data().as_string().map_or(Event::Binary, Event::Text);
            drop(received.unbounded_send(event));
        });
        let on_close = Closure::new(move |close: CloseEvent| {
            let (code, reason) = (close.code(), close.reason());
            drop(closed.unbounded_send(Event::Closed { code, reason }));
        });
        let socket = Self { socket, on_open, on_message, on_close };
        socket.listen();
        Ok((socket, events))
    }

    fn listen(&self) {
        self.socket.set_onopen(Some(self.on_open.as_ref().unchecked_ref()));
        self.socket.set_onmessage(Some(self.on_message.as_ref().unchecked_ref()));
        self.socket.set_onclose(Some(self.on_close.as_ref().unchecked_ref()));
    }

    fn send(&self, frame: &str) -> Result<(), End> {
        let sent = self.socket.send_with_str(frame);
        sent.map_err(|exception| End::disconnected(describe(&exception)))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // It may be closed already.
        let _ = self.socket.close();
    }
}
