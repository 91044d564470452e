use std::time::{Duration, Instant};

/// The time that a client has been silent, in quarters of the time that it may be.
///
/// A quarter that lasts longer, because this process was stopped or starved, still counts as one: the
/// frames that the client has sent meanwhile are read before the next quarter is over, so that no
/// client is disconnected because the server paused.
#[derive(Debug)]
pub(super) struct Silence {
    quarter: Duration,
    since: Instant,
    quarters: u32,
}

/// The consequence of a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silent {
    /// Half of the time is over: ping the client.
    Ping,
    /// All of the time is over: the client is gone.
    Gone,
}

impl Silence {
    pub(super) fn new(longest: Duration, now: Instant) -> Self {
        Self { quarter: longest / 4, since: now, quarters: 0 }
    }

    /// The client has sent something.
    pub(super) fn end(&mut self, now: Instant) {
        (self.since, self.quarters) = (now, 0);
    }

    /// Returns the time at which to call [`at`](Self::at) again.
    pub(super) fn next(&self) -> Instant {
        self.since + self.quarter
    }

    /// Returns the consequence of the silence at `now`, once.
    pub(super) fn at(&mut self, now: Instant) -> Option<Silent> {
        if now < self.next() {
            return None;
        }
        (self.since, self.quarters) = (now, self.quarters + 1);
        match self.quarters {
            2 => Some(Silent::Ping),
            4.. => Some(Silent::Gone),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(60);
    const SECOND: Duration = Duration::from_secs(1);

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "some instant is needed to begin with")]
        Instant::now()
    }

    #[test]
    fn after_half_of_it_a_client_is_asked_and_after_all_of_it_gone() {
        let start = start();
        let mut silence = Silence::new(LONGEST, start);
        let consequences = (0..=60).filter_map(|s| Some((s, silence.at(start + SECOND * s)?)));
        assert_eq!(consequences.collect::<Vec<_>>(), [(30, Silent::Ping), (60, Silent::Gone)]);
    }

    #[test]
    fn a_word_begins_it_anew() {
        let start = start();
        let mut silence = Silence::new(LONGEST, start);
        for second in 0..200 {
            let now = start + SECOND * second;
            assert_ne!(silence.at(now), Some(Silent::Gone));
            if second % 50 == 0 {
                silence.end(now);
            }
        }
    }

    #[test]
    fn a_pause_of_the_server_is_not_the_clients() {
        let start = start();
        let mut silence = Silence::new(LONGEST, start);
        assert_eq!(silence.at(start + SECOND * 15), None);
        // Two hours go by in no time: each is a quarter, and the client has still one to answer.
        assert_eq!(silence.at(start + SECOND * 3600), Some(Silent::Ping));
        assert_eq!(silence.at(start + SECOND * 7200), None);
        assert_eq!(silence.at(start + SECOND * 7214), None);
        assert_eq!(silence.at(start + SECOND * 7215), Some(Silent::Gone));
    }
}
