//! Payloads that the backend does not accept, or that the app does not have.
//!
//! Tokens end, so the first refusal says little: the store asks the app for a payload and connects again.
//! If the backend refuses that one, too, the user has to log in. The store goes on trying, slowly: the
//! next server of several may have another clock, and a right may be granted.

use std::time::Duration;

use super::{Effect, Engine, NetworkStatus, Phase};
use crate::sync::payload::PayloadError;

impl Engine {
    /// The backend does not accept the payload.
    pub(super) fn denied(&mut self, reason: String, now: Duration, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.is_denied, true) {
            return self.require_login(reason, now, effects);
        }
        let until = self.retry.next(now);
        let status = match &self.login_required {
            Some(reason) => NetworkStatus::LoginRequired { reason: reason.clone() },
            None => NetworkStatus::Connecting,
        };
        self.wait(until, status, effects);
    }

    /// The app has no payload for the connection that was to be made.
    pub(super) fn no_payload(
        &mut self,
        error: PayloadError,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        match error {
            _ if !matches!(self.phase, Phase::Connecting { .. }) => {}
            PayloadError::LoginRequired(reason) => self.require_login(reason, now, effects),
            PayloadError::Failed(reason) => {
                let until = self.retry.next(now);
                self.wait(until, NetworkStatus::PayloadFailed { reason }, effects);
            }
        }
    }

    /// The backend has accepted the payload.
    pub(super) fn admitted(&mut self) {
        self.is_denied = false;
        self.login_required = None;
        self.retry.forget_denials();
    }

    fn require_login(&mut self, reason: String, now: Duration, effects: &mut Vec<Effect>) {
        self.login_required = Some(reason.clone());
        let until = self.retry.denied(now);
        self.wait(until, NetworkStatus::LoginRequired { reason }, effects);
    }
}
