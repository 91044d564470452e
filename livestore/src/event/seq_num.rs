//! Sequence numbers: `e{global}[.{client}][r{generation}]`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An event's place in the eventlog.
///
/// A synced event takes the next `global` number and `client` 0; a client-only event keeps the
/// `global` of the event before it and takes the next `client` number. The `generation` grows when
/// a pending event is rebased; it does not take part in the order.
///
/// ```
/// use livestore::SeqNum;
///
/// let synced = SeqNum::new(3);
/// assert_eq!(synced.to_string(), "e3");
/// let client_only: SeqNum = "e3.1r2".parse()?;
/// assert!(synced < client_only && client_only < SeqNum::new(4));
/// # Ok::<(), livestore::event::ParseSeqNumError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SeqNum {
    /// The number in the order that all clients share.
    pub global: u64,
    /// The number among the client-only events behind `global`.
    pub client: u64,
    /// The number of times the event was rebased.
    pub generation: u64,
}

/// A text that is not a sequence number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a sequence number such as e3, e3.1 or e3.1r2")]
pub struct ParseSeqNumError(String);

impl SeqNum {
    /// The number before the first event: `e0`.
    pub const ROOT: Self = Self::new(0);

    /// The synced event `e{global}`.
    pub const fn new(global: u64) -> Self {
        Self { global, client: 0, generation: 0 }
    }

    /// The number of the event that follows, and its parent.
    ///
    /// A synced event's parent always has client number 0.
    #[must_use]
    pub const fn next(self, client_only: bool) -> (Self, Self) {
        if client_only {
            (Self { client: self.client.saturating_add(1), ..self }, self)
        } else {
            (
                Self { global: self.global.saturating_add(1), client: 0, ..self },
                Self { client: 0, ..self },
            )
        }
    }
}

impl Ord for SeqNum {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.global, self.client, self.generation).cmp(&(
            other.global,
            other.client,
            other.generation,
        ))
    }
}

impl PartialOrd for SeqNum {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.global)?;
        if self.client != 0 {
            write!(f, ".{}", self.client)?;
        }
        if self.generation != 0 {
            write!(f, "r{}", self.generation)?;
        }
        Ok(())
    }
}

impl FromStr for SeqNum {
    type Err = ParseSeqNumError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseSeqNumError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<SeqNum> {
    let rest = text.strip_prefix('e')?;
    let (rest, generation) = match rest.split_once('r') {
        Some((rest, generation)) => (rest, number(generation)?),
        None => (rest, 0),
    };
    let (global, client) = match rest.split_once('.') {
        Some((global, client)) => (number(global)?, number(client)?),
        None => (number(rest)?, 0),
    };
    Some(SeqNum { global, client, generation })
}

/// Digits only: `u64::from_str` would also accept a `+`.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbering_follows_the_protocol() {
        let e2 = SeqNum::new(2);
        assert_eq!(e2.next(false), (SeqNum::new(3), e2));
        let (noted, parent) = SeqNum { generation: 1, ..SeqNum::new(3) }.next(true);
        assert_eq!((noted.to_string(), parent.to_string()), ("e3.1r1".into(), "e3r1".into()));
        let (created, parent) = noted.next(false);
        assert_eq!((created.to_string(), parent.to_string()), ("e4r1".into(), "e3r1".into()));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "3", "e", "e-1", "e+1", "e1.", "e1r", "e1r1.2", "e99999999999999999999"] {
            assert!(text.parse::<SeqNum>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_comes_back(global: u64, client: u64, generation: u64) {
            let seq = SeqNum { global, client, generation };
            prop_assert_eq!(seq.to_string().parse(), Ok(seq));
        }
    }
}
