//! When to try again: waits that grow, and differ between clients.

use std::time::Duration;

/// The first wait after a failure, at most; it doubles with each further one.
pub(super) const FIRST_DELAY: Duration = Duration::from_millis(500);

/// The longest wait.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(30);

/// After the second rejection in a row, a push waits for up to four times this, and up to twice as
/// long after each further one, until it is 32 times this: then few of many clients that write at
/// once reject one another's pushes.
pub(super) const BACKOFF_UNIT: Duration = Duration::from_millis(1);

/// The first wait after a push that was refused for now, or a payload; it doubles with each further
/// one.
const FIRST_REFUSAL_DELAY: Duration = Duration::from_secs(4);

/// The longest of these waits: a right that is granted is used within a minute.
pub(super) const MAX_REFUSAL_DELAY: Duration = Duration::from_secs(60);

/// The longest wait that a backend may ask for.
const MAX_REQUESTED: Duration = Duration::from_secs(600);

/// Failures, rejections and refusals in a row.
#[derive(Debug)]
pub(super) struct Retry {
    failures: u32,
    rejections: u32,
    refusals: u32,
    /// Payloads that were refused.
    denials: u32,
    /// The backend has asked for no attempt before.
    not_before: Duration,
    /// The seed of the next jitter.
    seed: u64,
}

impl Retry {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            failures: 0,
            rejections: 0,
            refusals: 0,
            denials: 0,
            not_before: Duration::ZERO,
            seed,
        }
    }

    /// Forgets all failures and rejections: the connection works.
    pub(super) fn forget(&mut self) {
        (self.failures, self.rejections) = (0, 0);
    }

    pub(super) fn forget_failures(&mut self) {
        self.failures = 0;
    }

    pub(super) fn forget_rejections(&mut self) {
        self.rejections = 0;
    }

    pub(super) fn forget_refusals(&mut self) {
        self.refusals = 0;
    }

    pub(super) fn forget_denials(&mut self) {
        self.denials = 0;
    }

    /// Notes that the backend wants no attempt before this time has passed.
    pub(super) fn not_before(&mut self, now: Duration, wait: Duration) {
        self.not_before = now + wait.min(MAX_REQUESTED);
    }

    /// Counts a push that was refused for now. Returns the time to the next one.
    pub(super) fn refusal_delay(&mut self) -> Duration {
        self.refusals = self.refusals.saturating_add(1);
        self.nth_refusal_delay(self.refusals)
    }

    /// Counts a payload that was refused. Returns the time of the next attempt, not before the backend
    /// wants one.
    pub(super) fn denied(&mut self, now: Duration) -> Duration {
        self.denials = self.denials.saturating_add(1);
        (now + self.nth_refusal_delay(self.denials)).max(self.not_before)
    }

    fn nth_refusal_delay(&mut self, nth: u32) -> Duration {
        let doubled = FIRST_REFUSAL_DELAY.saturating_mul(1 << nth.saturating_sub(1).min(10));
        self.some_of(doubled.min(MAX_REFUSAL_DELAY))
    }

    /// Makes further attempts as rare as they get.
    pub(super) fn slow_down(&mut self) {
        self.failures = u32::MAX;
    }

    pub(super) fn rejected(&mut self) {
        self.rejections = self.rejections.saturating_add(1);
    }

    /// Returns how long a push waits after the rejections so far; `None` if it does not.
    pub(super) fn backoff(&mut self) -> Option<Duration> {
        match self.rejections {
            0 | 1 => None,
            several => Some((BACKOFF_UNIT * (1 << several.min(5))).mul_f64(self.jitter())),
        }
    }

    /// Counts a failure. Returns the time of the next attempt: after half of the current delay, or all
    /// of it, and not before the backend wants one.
    pub(super) fn next(&mut self, now: Duration) -> Duration {
        let doubled = FIRST_DELAY.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let delay = self.some_of(doubled.min(MAX_DELAY));
        match self.not_before.checked_sub(now) {
            // Clients that were sent away together do not come back together.
            Some(wait) => now + wait + delay,
            None => now + delay,
        }
    }

    /// Between half of a delay and all of it.
    fn some_of(&mut self, delay: Duration) -> Duration {
        let half = delay / 2;
        half + half.mul_f64(self.jitter())
    }

    /// A number between 0 and 1, a different one each time.
    fn jitter(&mut self) -> f64 {
        // SplitMix64.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = u32::try_from(mixed >> 32).unwrap_or(u32::MAX);
        f64::from(part) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_spread() {
        let mut retry = Retry::new(7);
        let drawn: Vec<f64> = (0..1_000).map(|_| retry.jitter()).collect();
        assert!(drawn.iter().all(|part| (0.0..=1.0).contains(part)));
        for tenth in 0..10 {
            let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            let there = drawn.iter().filter(|part| (from..to).contains(*part)).count();
            assert!((50..200).contains(&there), "{there} of 1,000 from {from} to {to}");
        }
    }
}
