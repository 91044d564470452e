//! A client on a WebSocket.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use livestore::Timestamp;
use livestore::sync::SyncError;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::driver::{Driver, Step};
use super::limits::Limits;
use super::rate::Rate;
use super::silence::{Quiet, Silence};
use super::upgrade::Socket;

/// A client, and what the server has in mind for it.
pub(super) struct Client<'a> {
    pub(super) socket: Socket,
    pub(super) driver: Driver,
    pub(super) limits: &'a Limits,
    /// When its rights end.
    pub(super) until: Option<Timestamp>,
    /// True once the server is stopping.
    pub(super) drain: watch::Receiver<bool>,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The client has left.
    Left,
    /// The server cut it off: the code and reason of the close frame.
    Cut(CloseCode, String),
}

impl Client<'_> {
    /// Serves the client until it leaves or is cut off.
    pub(super) async fn serve(mut self) -> End {
        let end = self.run().await;
        if let End::Cut(code, reason) = &end {
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
                return End::Cut(CloseCode::Away, "the server is stopping".to_owned());
            }
            let wake = [self.expiry(), resume].into_iter().flatten().fold(silence.next(), Ord::min);
            tokio::select! {
                message = self.socket.next(), if resume.is_none() && !draining => {
                    let now = Instant::now();
                    silence.end(now);
                    match self.take(message) {
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
            if self.until.is_some_and(|until| until <= livestore::now()) {
                self.until = None;
                self.driver.end(SyncError::Refused("the token has expired".to_owned()));
            }
            match silence.at(now) {
                None => {}
                Some(Quiet::Ask) if self.send(Message::Ping(Bytes::new())).await.is_ok() => {}
                Some(Quiet::Ask) => return End::Left,
                Some(Quiet::Gone) => {
                    return End::Cut(CloseCode::Policy, "no sign of life".to_owned());
                }
            }
        }
    }

    /// Sends what there is to send. One frame at a time: the next is made when this one is gone.
    async fn send_all(&mut self) -> Option<End> {
        while let Some(step) = self.driver.step() {
            match step {
                Step::Send(frame) => {
                    if let Err(end) = self.send(Message::Text(frame.into())).await {
                        return Some(end);
                    }
                }
                Step::Close(reason) => return Some(End::Cut(CloseCode::Policy, reason)),
            }
        }
        None
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.limits.send, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Left),
            Err(_) => Err(End::Cut(CloseCode::Away, "too slow: pull what you missed".to_owned())),
        }
    }

    /// Takes a message; whether it counts as a request.
    fn take(&mut self, message: Option<Result<Message, Error>>) -> Result<bool, End> {
        match message {
            Some(Ok(Message::Text(text))) => self.driver.receive(&text),
            Some(Ok(Message::Binary(bytes))) => match std::str::from_utf8(&bytes) {
                Ok(text) => self.driver.receive(text),
                Err(_) => return Err(End::Cut(CloseCode::Invalid, "not UTF-8".to_owned())),
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
                End::Cut(CloseCode::Size, format!("a message may have {limit} bytes"))
            }
            Error::Utf8(_) => End::Cut(CloseCode::Invalid, "not UTF-8".to_owned()),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Left,
            Error::Protocol(problem) => End::Cut(CloseCode::Protocol, problem.to_string()),
            _ => End::Left,
        }
    }

    fn expiry(&self) -> Option<Instant> {
        let left = self.until?.as_millis() - livestore::now().as_millis();
        Some(Instant::now() + Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }

    /// Says goodbye, and waits a little for the client to say it too.
    async fn close(&mut self, code: CloseCode, reason: &str) {
        // A reason has 123 bytes at most.
        let reason = reason.chars().take(100).collect::<String>().into();
        let goodbye = Message::Close(Some(CloseFrame { code, reason }));
        let _ = timeout(Duration::from_secs(1), async {
            if self.socket.send(goodbye).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        })
        .await;
    }
}
