use std::time::{Duration, Instant};

/// How long a client has said nothing, counted in quarters of what it may.
///
/// A quarter that takes longer, because this process was stopped or starved, is still one: what the
/// client has sent meanwhile is read before the next is over, and no client pays for our pause.
#[derive(Debug)]
pub(super) struct Silence {
    quarter: Duration,
    since: Instant,
    quarters: u32,
}

/// What a silence calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// Half of it is over: ask for a sign of life.
    Ask,
    /// All of it is over: the client is gone.
    Gone,
}

impl Silence {
    pub(super) fn new(longest: Duration, now: Instant) -> Self {
        Self { quarter: longest / 4, since: now, quarters: 0 }
    }

    /// The client has said something.
    pub(super) fn end(&mut self, now: Instant) {
        (self.since, self.quarters) = (now, 0);
    }

    /// When to ask again what this silence calls for.
    pub(super) fn next(&self) -> Instant {
        self.since + self.quarter
    }

    /// What this silence calls for now. It says so once.
    pub(super) fn at(&mut self, now: Instant) -> Option<Quiet> {
        if now < self.next() {
            return None;
        }
        (self.since, self.quarters) = (now, self.quarters + 1);
        match self.quarters {
            2 => Some(Quiet::Ask),
            4.. => Some(Quiet::Gone),
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
        let told = (0..=60).filter_map(|s| Some((s, silence.at(start + SECOND * s)?)));
        assert_eq!(told.collect::<Vec<_>>(), [(30, Quiet::Ask), (60, Quiet::Gone)]);
    }

    #[test]
    fn a_word_begins_it_anew() {
        let start = start();
        let mut silence = Silence::new(LONGEST, start);
        for second in 0..200 {
            let now = start + SECOND * second;
            assert_ne!(silence.at(now), Some(Quiet::Gone));
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
        assert_eq!(silence.at(start + SECOND * 3600), Some(Quiet::Ask));
        assert_eq!(silence.at(start + SECOND * 7200), None);
        assert_eq!(silence.at(start + SECOND * 7214), None);
        assert_eq!(silence.at(start + SECOND * 7215), Some(Quiet::Gone));
    }
}
