//! Messages of a leader to its sessions that are about to be sent.

use std::fmt;
use std::sync::{Mutex, PoisonError, Weak};

use super::Hub;
use crate::edge::Background;

/// Messages that are sent once the log has what they say. In a browser they gather while messages that
/// have arrived are handled: the commits among them are written together.
pub(super) struct Outgoing {
    messages: Mutex<Vec<Vec<u8>>>,
    send: Background,
}

impl Outgoing {
    /// Whether messages gather.
    pub(super) const GATHERS: bool = cfg!(target_family = "wasm");

    pub(super) fn new(hub: Weak<Hub>) -> Self {
        let send = move || {
            if let Some(hub) = hub.upgrade() {
                hub.send_gathered();
            }
        };
        Self { messages: Mutex::default(), send: Background::new("livestore-send", send) }
    }

    pub(super) fn add(&self, message: Vec<u8>) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push(message);
        if Self::GATHERS && messages.len() == 1 {
            self.send.wake();
        }
    }

    pub(super) fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.messages.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}
