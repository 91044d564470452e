use std::time::{Duration, Instant};

/// A token bucket: a number of requests a second, and as many at once after a pause.
#[derive(Debug)]
pub(super) struct Rate {
    /// `None` is no limit.
    per_request: Option<Duration>,
    /// When the bucket would be full, if nothing were taken from it.
    full_at: Instant,
}

impl Rate {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        let per_request = Duration::from_secs(1).checked_div(per_second);
        Self { per_request, full_at: now }
    }

    /// Counts one request. Returns the time at which the next may be read, unless that is now.
    pub(super) fn take(&mut self, now: Instant) -> Option<Instant> {
        self.full_at = self.full_at.max(now) + self.per_request?;
        let next = self.full_at.checked_sub(Duration::from_secs(1))?;
        (next > now).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_requests_may_come_at_once() {
        #[expect(clippy::disallowed_methods, reason = "some instant is needed to begin with")]
        let start = Instant::now() + Duration::from_secs(10);
        let mut rate = Rate::new(4, start);
        let waits: Vec<_> = (0..6).map(|_| rate.take(start).map(|next| next - start)).collect();
        let quarter = |n: u64| Some(Duration::from_millis(250 * n));
        assert_eq!(waits, [None, None, None, None, quarter(1), quarter(2)]);
        assert_eq!(rate.take(start + Duration::from_secs(2)), None);
    }

    #[test]
    fn no_rate_waits_for_nothing() {
        #[expect(clippy::disallowed_methods, reason = "some instant is needed to begin with")]
        let now = Instant::now();
        let mut rate = Rate::new(0, now);
        assert!((0..10_000).all(|_| rate.take(now).is_none()));
    }
}
