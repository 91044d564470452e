//! The conversation with a page over its socket.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::host::{Conversation, Host};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// How often a page is notified of what is new.
const TICK: Duration = Duration::from_millis(100);

/// The most answers that wait to be sent.
const MAX_ANSWERS: usize = 16;

/// The code with which a socket is closed whose token is wrong.
const WRONG_TOKEN: u16 = 4401;

pub(super) async fn converse(socket: Socket, host: &Arc<Host>) {
    let conversation = Arc::new(host.converse());
    exchange(socket, &conversation).await;
    conversation.close();
}

/// Answers calls, and sends what is new, until the page is gone.
async fn exchange(mut socket: Socket, conversation: &Arc<Conversation>) {
    let (answers, mut answered) = mpsc::channel::<String>(MAX_ANSWERS);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let sent = tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let (conversation, answers) = (Arc::clone(conversation), answers.clone());
                    tokio::spawn(async move {
                        let answer = move || conversation.answer(&text);
                        if let Ok(answer) = tokio::task::spawn_blocking(answer).await {
                            let _ = answers.send(answer).await;
                        }
                    });
                    Ok(())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => Ok(()),
            },
            Some(answer) = answered.recv() => socket.send(Message::text(answer)).await,
            _ = tick.tick() => {
                let conversation = Arc::clone(conversation);
                let news = tokio::task::spawn_blocking(move || conversation.notifications()).await;
                send_all(&mut socket, news.unwrap_or_default()).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

pub(super) async fn refuse(mut socket: Socket) {
    let reason = "the token is wrong: open the URL that the app has printed";
    let frame = CloseFrame { code: CloseCode::from(WRONG_TOKEN), reason: reason.into() };
    let _ = socket.close(Some(frame)).await;
    // The page answers, and the frame arrives.
    let _ = tokio::time::timeout(Duration::from_secs(2), socket.next()).await;
}

async fn send_all(
    socket: &mut Socket,
    messages: Vec<String>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    for message in messages {
        socket.feed(Message::text(message)).await?;
    }
    socket.flush().await
}
