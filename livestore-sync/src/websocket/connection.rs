//! The socket: carrying text both ways until it ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use livestore::sync::{BackendMessage, ConnectRequest, MessageSender, SyncError};
use livestore_protocol::{Transport, transfer_time};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::WebSocket;
use super::session::Session;
use super::upgrade::{self, Stream};
use crate::net::{Address, Command, Commands, End, Traffic};

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
    let traffic = Arc::new(Traffic::default());
    let stream = upgrade::open(&backend.options, &address, Arc::clone(&traffic)).await?;
    messages.send(BackendMessage::Connected);
    let session = Session::new(connect_request, messages.clone());
    let life = Life::new(traffic, messages, backend.ping_every);
    Err(talk(stream, session, life, commands).await)
}

/// Sends and receives at the same time: on a slow link both take long, and neither may wait for the
/// other.
async fn talk(
    stream: Stream,
    mut session: Session,
    mut life: Life,
    commands: &mut Commands,
) -> End {
    let (mut sink, mut source) = stream.split();
    let mut outgoing = Outgoing::default();
    loop {
        if let Err(end) = outgoing.begin(&mut sink, &mut life).await {
            return end;
        }
        tokio::select! {
            flushed = sink.flush(), if outgoing.is_sending => match flushed {
                Ok(()) => outgoing.is_sending = false,
                Err(error) => return End::disconnected(error),
            },
            () = sleep_until(life.stuck_at), if outgoing.is_sending => {
                if let Err(end) = life.check_sending() {
                    return end;
                }
            }
            Some(command) = commands.next(), if !outgoing.is_sending => match command {
                Command::Check => life.pings.reset_immediately(),
                command => outgoing.push(session.request(command)),
            },
            frame = source.next() => {
                life.has_received = true;
                match receive(&mut session, frame) {
                    Ok(reply) => outgoing.frames.extend(reply),
                    Err(end) => return end,
                }
            }
            _ = life.pings.tick() => match life.ping(&mut session) {
                Ok(ping) => outgoing.frames.extend(ping),
                Err(end) => return end,
            },
        }
    }
}

/// The frames to send, one at a time.
#[derive(Default)]
struct Outgoing {
    frames: VecDeque<String>,
    /// A frame is on its way.
    is_sending: bool,
}

impl Outgoing {
    fn push(&mut self, frame: String) {
        self.frames.push_back(frame);
    }

    /// Begins to send the next frame, if none is on its way.
    async fn begin(
        &mut self,
        sink: &mut SplitSink<Stream, Message>,
        life: &mut Life,
    ) -> Result<(), End> {
        if !self.is_sending
            && let Some(frame) = self.frames.pop_front()
        {
            life.sending(frame.len());
            sink.feed(Message::text(frame)).await.map_err(End::disconnected)?;
            self.is_sending = true;
        }
        Ok(())
    }
}

/// The signs of life of a connection: answers to pings, and bytes of anything.
struct Life {
    traffic: Arc<Traffic>,
    messages: MessageSender,
    ping_every: Duration,
    pings: Interval,
    /// Bytes read at the last ping.
    read: u64,
    /// A whole frame has come since.
    has_received: bool,
    /// Until then, the answer to a ping may still wait behind what was sent before it.
    patient_until: Instant,
    /// Bytes written when they were last looked at.
    written: u64,
    /// If no more were written by then, the backend does not read any more.
    stuck_at: Instant,
}

impl Life {
    fn new(traffic: Arc<Traffic>, messages: MessageSender, ping_every: Duration) -> Self {
        let now = Instant::now();
        let mut pings = interval_at(now + ping_every, ping_every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (read, written) = (traffic.read(), traffic.written());
        Self {
            traffic,
            messages,
            ping_every,
            pings,
            read,
            has_received: false,
            patient_until: now,
            written,
            stuck_at: now,
        }
    }

    /// A frame of this size is on its way.
    fn sending(&mut self, bytes: usize) {
        let now = Instant::now();
        self.patient_until = self.patient_until.max(now) + transfer_time(bytes);
        self.written = self.traffic.written();
        self.stuck_at = now + self.ping_every;
    }

    /// Sending takes long: that is fine as long as bytes leave.
    fn check_sending(&mut self) -> Result<(), End> {
        let written = self.traffic.written();
        if written == self.written {
            return Err(End::disconnected("the backend does not read any more"));
        }
        self.written = written;
        self.stuck_at = Instant::now() + self.ping_every;
        Ok(())
    }

    /// Returns the next ping, unless the last one is still on its way.
    fn ping(&mut self, session: &mut Session) -> Result<Option<String>, End> {
        let read = self.traffic.read();
        if read != self.read {
            session.mark_alive();
            if !self.has_received {
                self.messages.send(BackendMessage::Receiving);
            }
        }
        (self.read, self.has_received) = (read, false);
        if session.awaits_pong() && Instant::now() < self.patient_until {
            return Ok(None);
        }
        session.ping().map(Some)
    }
}

fn receive(
    session: &mut Session,
    frame: Option<Result<Message, Error>>,
) -> Result<Option<String>, End> {
    match frame {
        Some(Ok(Message::Text(text))) => session.receive(&text),
        Some(Ok(Message::Binary(_))) => Err(End::disconnected("the backend sends a binary frame")),
        Some(Ok(Message::Close(Some(close)))) => Err(closed(session, &close)),
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

/// A message that is too large for the backend now is so the next time, too.
fn closed(session: &Session, close: &CloseFrame) -> End {
    let reason = format!("the backend closes the connection: {close}");
    match close.code {
        CloseCode::Size if session.is_pushing() => End::push_failed(SyncError::Invalid(reason)),
        _ => End::disconnected(reason),
    }
}
