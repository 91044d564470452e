//! A channel that everything in the same browser profile and of the same origin can join by its name.

use std::io;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use super::catch_panic;

/// A message on a channel.
pub(super) enum Message {
    Frames(Vec<Vec<u8>>),
    Word(String),
}

/// One end of a channel: what it sends is received by every other one. Dropping it leaves the channel.
pub(super) struct Channel {
    channel: BroadcastChannel,
    /// JavaScript calls it for as long as it is here.
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// Joins the channel, and calls `receive` with what others send on it.
    ///
    /// # Errors
    /// When there are no such channels here.
    pub(super) fn join(name: &str, mut receive: impl FnMut(Message) + 'static) -> io::Result<Self> {
        let channel = BroadcastChannel::new(name).map_err(|_| {
            io::Error::new(io::ErrorKind::Unsupported, "there is no `BroadcastChannel` here")
        })?;
        let on_message = Closure::new(move |event: MessageEvent| {
            let Some(message) = Message::of(&event.data()) else { return };
            if catch_panic(|| receive(message)).is_err() {
                tracing::error!("handling a message of another session panicked");
            }
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Ok(Self { channel, _on_message: on_message })
    }

    pub(super) fn send_frames(&self, frames: &[Vec<u8>]) {
        let frames: Array = frames.iter().map(|frame| Uint8Array::from(&**frame)).collect();
        self.post(&frames.into());
    }

    pub(super) fn send_word(&self, word: &str) {
        self.post(&word.into());
    }

    fn post(&self, message: &JsValue) {
        if let Err(error) = self.channel.post_message(message) {
            tracing::error!(?error, "a message to another session could not be sent");
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

impl Message {
    fn of(data: &JsValue) -> Option<Self> {
        let Some(frames) = data.dyn_ref::<Array>() else { return data.as_string().map(Self::Word) };
        let frames = frames.iter().map(|frame| Some(frame.dyn_ref::<Uint8Array>()?.to_vec()));
        frames.collect::<Option<_>>().map(Self::Frames)
    }
}
