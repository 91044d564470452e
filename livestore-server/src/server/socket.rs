//! A client on a WebSocket.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use livestore_protocol::{SyncError, transfer_time};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::arrivals::Arrivals;
use super::credentials::Credentials;
use super::driver::{Driver, Step};
use super::limits::Limits;
use super::rate::Rate;
use super::silence::{Silence, Silent};
use super::upgrade::Socket;
use crate::auth::{Authenticate, Grant};

/// The most bytes of the reason in a close frame.
const MAX_REASON_BYTES: usize = 123;

/// A client and its connection.
pub(super) struct Client<'a> {
    pub(super) socket: Socket,
    pub(super) arrivals: Arrivals,
    pub(super) driver: Driver,
    pub(super) limits: &'a Limits,
    pub(super) auth: &'a dyn Authenticate,
    pub(super) credentials: Credentials,
    pub(super) grant: Grant,
    /// True once the server is stopping.
    pub(super) drain: watch::Receiver<bool>,
}

/// The reason why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The client has left.
    Left,
    /// The server has closed the connection: code and reason of the close frame.
    Closed(CloseCode, String),
}

impl Client<'_> {
    /// Serves the client until it leaves or is disconnected.
    pub(super) async fn serve(mut self) -> End {
        let end = self.run().await;
        if let End::Closed(code, reason) = &end {
            self.close(*code, reason).await;
        }
        end
    }

    async fn run(&mut self) -> End {
        let now = Instant::now();
        let mut silence = Silence::new(self.limits.idle, now);
        let mut rate = Rate::new(self.limits.messages_per_second, now);
        let mut resume = None;
        loop {
            if let Some(end) = self.send_all().await {
                return end;
            }
            let draining = *self.drain.borrow();
            if draining && !self.driver.is_pushing() {
                return End::Closed(CloseCode::Away, "the server is stopping".to_owned());
            }
            let wake = [self.expiry(), resume, Some(self.credentials.next())];
            let wake = wake.into_iter().flatten().fold(silence.next(), Ord::min);
            tokio::select! {
                message = self.socket.next(), if resume.is_none() && !draining => {
                    let now = Instant::now();
                    silence.end(now);
                    match self.receive(message) {
                        Ok(true) => resume = rate.take(now),
                        Ok(false) => {}
                        Err(end) => return end,
                    }
                }
                () = self.driver.wait() => {}
                () = sleep_until(wake.into()) => {}
                _ = self.drain.changed() => {}
            }
            let now = Instant::now();
            resume = resume.filter(|resume| *resume > now);
            if self.grant.until.is_some_and(|until| until <= crate::edge::now()) {
                self.grant.until = None;
                self.driver.end(SyncError::Refused("the token has expired".to_owned()));
            }
            match self.credentials.check(self.auth, now).await {
                None => {}
                Some(Err(denied)) => self.driver.end(SyncError::Refused(denied.to_string())),
                // It ends no request for good: the client connects again, with its new rights.
                Some(Ok(grant)) if grant.rights != self.grant.rights => {
                    let reason = "the rights of the token have changed: connect again";
                    self.driver.end(SyncError::Failed(reason.to_owned()));
                }
                Some(Ok(grant)) => self.grant = grant,
            }
            // A large frame may be on its way for long.
            if self.arrivals.look() {
                silence.end(now);
            }
            match silence.at(now) {
                None => {}
                Some(Silent::Ping) if self.send(Message::Ping(Bytes::new())).await.is_ok() => {}
                Some(Silent::Ping) => return End::Left,
                Some(Silent::Gone) => {
                    return End::Closed(
                        CloseCode::Policy,
                        "the client does not answer pings".to_owned(),
                    );
                }
            }
        }
    }

    /// Sends all frames, one at a time: the next one is made when the last one has been sent.
    async fn send_all(&mut self) -> Option<End> {
        while let Some(step) = self.driver.step() {
            match step {
                Step::Send(frame) => {
                    if let Err(end) = self.send(Message::Text(frame.into())).await {
                        return Some(end);
                    }
                }
                Step::Close(reason) => return Some(End::Closed(CloseCode::Policy, reason)),
            }
        }
        None
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        let limit = self.limits.send + transfer_time(message.len());
        match timeout(limit, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Left),
            Err(_) => Err(End::Closed(
                CloseCode::Away,
                "too slow: reconnect and pull what you missed".to_owned(),
            )),
        }
    }

    /// Receives a message. Returns whether it counts towards the rate limit.
    fn receive(&mut self, message: Option<Result<Message, Error>>) -> Result<bool, End> {
        match message {
            Some(Ok(Message::Text(text))) => self.driver.receive(&text),
            Some(Ok(Message::Binary(bytes))) => match std::str::from_utf8(&bytes) {
                Ok(text) => self.driver.receive(text),
                Err(_) => return Err(End::Closed(CloseCode::Invalid, "not UTF-8".to_owned())),
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(false),
            Some(Ok(Message::Close(_))) | None => return Err(End::Left),
            Some(Ok(Message::Frame(_))) => return Ok(false),
            Some(Err(error)) => return Err(self.broken(&error)),
        }
        Ok(true)
    }

    fn broken(&self, error: &Error) -> End {
        match error {
            Error::Capacity(_) => {
                let limit = self.limits.message_bytes;
                End::Closed(CloseCode::Size, format!("a message may have at most {limit} bytes"))
            }
            Error::Utf8(_) => End::Closed(CloseCode::Invalid, "not UTF-8".to_owned()),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Left,
            Error::Protocol(problem) => End::Closed(CloseCode::Protocol, problem.to_string()),
            _ => End::Left,
        }
    }

    fn expiry(&self) -> Option<Instant> {
        let left = self.grant.until?.as_millis() - crate::edge::now().as_millis();
        Some(Instant::now() + Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }

    /// Sends a close frame, and waits a little for that of the client.
    async fn close(&mut self, code: CloseCode, reason: &str) {
        let reason = reason.get(..reason.floor_char_boundary(MAX_REASON_BYTES)).unwrap_or_default();
        let reason = reason.into();
        let close = Message::Close(Some(CloseFrame { code, reason }));
        let _ = timeout(Duration::from_secs(1), async {
            if self.socket.send(close).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        })
        .await;
    }
}
