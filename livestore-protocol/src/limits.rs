//! What a backend accepts.

use std::time::Duration;

use crate::SyncEvent;
use crate::wire::deeper_than;

/// The most events in one push, or on one page of a pull.
pub const MAX_EVENTS: usize = 100;

/// The most bytes of one push, or of one page of a pull, as JSON.
pub const MAX_BYTES: usize = 900_000;

/// The bytes of [`MAX_BYTES`] that are reserved for everything around the events of a page: whether
/// more follow, the backend's id.
pub const ENVELOPE_BYTES: usize = 1_024;

/// The most bytes of the events of one push together, as [`SyncEvent::wire_size`] counts them.
///
/// A client must not commit a larger event: LiveStore's backend accepts it, but cannot send it to
/// anybody, because its pages have at most [`MAX_BYTES`].
pub const MAX_BATCH_BYTES: usize = MAX_BYTES - ENVELOPE_BYTES;

/// The most bytes of one event that a backend accepts, as [`SyncEvent::wire_size`] counts them.
///
/// It is as much as LiveStore's client ever pushes: a message of [`MAX_BYTES`] that is one event, which
/// [`SyncEvent::wire_size`] counts with the metadata of a pulled one. That client would push a
/// refused event again and again, and everything behind it would wait.
pub const MAX_EVENT_BYTES: usize = MAX_BYTES + ENVELOPE_BYTES;

/// The most levels of arrays and objects in the args of an event.
pub const MAX_DEPTH: usize = 100;

/// The bytes that a link is expected to carry in a second, at least. Slower ones get smaller pushes.
const SLOWEST_LINK: usize = 16_000;

/// Returns the time that a slow link takes to carry this many bytes. Whoever waits for an answer, or for
/// the end of a message, waits this much longer.
///
/// ```
/// use std::time::Duration;
/// use livestore_protocol::{MAX_BYTES, transfer_time};
///
/// assert_eq!(transfer_time(1_000), Duration::ZERO);
/// assert_eq!(transfer_time(MAX_BYTES), Duration::from_secs(56));
/// ```
pub fn transfer_time(bytes: usize) -> Duration {
    Duration::from_secs((bytes / SLOWEST_LINK) as u64)
}

/// Whether args nest deeper than [`MAX_DEPTH`]: a client must not commit them.
///
/// `args` is valid JSON. Takes no time if they are too short for that, and otherwise one pass.
pub fn is_too_deep(args: &str) -> bool {
    args.len() > 2 * MAX_DEPTH && deeper_than(MAX_DEPTH, args)
}

/// The reason why no backend accepts a push.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPush {
    /// It has more than [`MAX_EVENTS`] events.
    #[error("a push has at most {MAX_EVENTS} events, and this one {count}")]
    TooManyEvents {
        /// The number of events.
        count: usize,
    },
    /// An event does not follow the one before it.
    #[error("e{seq} ← e{parent} does not follow e{previous}: events are numbered without gaps")]
    NotAChain {
        /// The event.
        seq: u64,
        /// Its parent.
        parent: u64,
        /// The event before it; for the first event, its parent.
        previous: u64,
    },
    /// An event has no name, or no client id.
    #[error("the {field} of e{seq} is empty")]
    Empty {
        /// The event.
        seq: u64,
        /// The field, in words.
        field: &'static str,
    },
    /// The args of an event nest deeper than [`MAX_DEPTH`].
    #[error("the args of e{seq} nest deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// The event.
        seq: u64,
    },
    /// An event has more than [`MAX_EVENT_BYTES`].
    #[error(
        "e{seq} takes {size} bytes, and may take {MAX_EVENT_BYTES}: split `{name}` into smaller events"
    )]
    TooLarge {
        /// The event.
        seq: u64,
        /// Its wire name.
        name: String,
        /// Its size in bytes, by [`SyncEvent::wire_size`].
        size: usize,
    },
}

/// Checks everything about a push that does not depend on the backend's order.
///
/// # Errors
/// If no backend would accept the push.
pub fn check_push(batch: &[SyncEvent]) -> Result<(), InvalidPush> {
    if batch.len() > MAX_EVENTS {
        return Err(InvalidPush::TooManyEvents { count: batch.len() });
    }
    check_chain(batch)?;
    batch.iter().try_for_each(check_event)
}

/// Checks that the events follow one another.
///
/// # Errors
/// If one of them does not.
pub fn check_chain(batch: &[SyncEvent]) -> Result<(), InvalidPush> {
    let mut previous = batch.first().map_or(0, |first| first.parent);
    for &SyncEvent { seq, parent, .. } in batch {
        if parent != previous || Some(seq) != parent.checked_add(1) {
            return Err(InvalidPush::NotAChain { seq, parent, previous });
        }
        previous = seq;
    }
    Ok(())
}

fn check_event(event: &SyncEvent) -> Result<(), InvalidPush> {
    let seq = event.seq;
    let fields = [("name", event.name.as_str()), ("client id", &event.client_id)];
    if let Some((field, _)) = fields.into_iter().find(|(_, text)| text.is_empty()) {
        return Err(InvalidPush::Empty { seq, field });
    }
    if is_too_deep(&event.args) {
        return Err(InvalidPush::TooDeep { seq });
    }
    match event.wire_size() {
        size if size > MAX_EVENT_BYTES => {
            Err(InvalidPush::TooLarge { seq, name: event.name.clone(), size })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Call, ClientMessage, More, Page, Push, Request, RequestId, Timestamp, Transport,
        write_page, write_pulled_event,
    };

    fn event(seq: u64, args: String) -> SyncEvent {
        SyncEvent {
            seq,
            parent: seq.wrapping_sub(1),
            name: "n".to_owned(),
            args,
            client_id: "c".into(),
            session_id: "s".into(),
            metadata: None,
        }
    }

    /// A client commits what it measures as small enough, so both ends must measure alike.
    #[test]
    fn the_largest_event_of_a_client_is_accepted_and_fits_into_a_message() {
        let text = |length: usize| format!(r#"{{"t":"{}"}}"#, "x".repeat(length));
        let around = event(1, text(0)).identity().wire_size();
        let largest = event(1, text(MAX_BATCH_BYTES - around));
        assert_eq!(largest.identity().wire_size(), MAX_BATCH_BYTES);
        assert_eq!(check_push(std::slice::from_ref(&largest)), Ok(()));
        let push = Push {
            store_id: "st".to_owned(),
            payload: None,
            batch: vec![largest.clone()],
            backend_id: Some("b".repeat(21)),
        };
        let request = Request { id: RequestId::nth(0), call: Call::Push(push) };
        let mut frame = String::new();
        ClientMessage::Request(request).encode(Transport::WebSocket, &mut frame);
        assert!(frame.len() <= MAX_BYTES, "{}", frame.len());

        let page = Page {
            events: vec![largest.accepted_at(Timestamp::MAX)],
            more: More::Known(u64::MAX),
            backend_id: "b".repeat(21),
        };
        let mut json = String::new();
        write_page(&page, &mut json);
        assert!(json.len() <= MAX_BYTES, "{}", json.len());
    }

    /// What LiveStore's client measures is the payload of a push as JSON, without whitespace.
    #[test]
    fn the_largest_push_of_livestores_client_is_accepted() {
        let of_one = |text: usize| {
            let event = event(1, format!(r#"{{"t":"{}"}}"#, "x".repeat(text)));
            let around = r#"{"storeId":"s","batch":[],"backendId":{"_tag":"None"}}"#.len();
            let mut pulled = String::new();
            write_pulled_event(&event, &mut pulled);
            let beside = r#"{"eventEncoded":,"metadata":{"_tag":"None"}}"#.len();
            (around + pulled.len() - beside, event)
        };
        let (bytes, largest) = of_one(MAX_BYTES - of_one(0).0);
        assert_eq!(bytes, MAX_BYTES);
        assert_eq!(check_push(&[largest]), Ok(()));
    }

    #[test]
    fn a_larger_event_is_refused() {
        let text = |length: usize| event(1, format!(r#""{}""#, "x".repeat(length)));
        let around = text(0).wire_size();
        assert_eq!(check_push(&[text(MAX_EVENT_BYTES - around)]), Ok(()));
        let size = MAX_EVENT_BYTES + 1;
        let refused = check_push(&[text(size - around)]);
        assert_eq!(refused, Err(InvalidPush::TooLarge { seq: 1, name: "n".to_owned(), size }));
    }

    #[test]
    fn a_push_is_a_chain_of_whole_events() {
        let chain = |seqs: std::ops::RangeInclusive<u64>| {
            seqs.map(|seq| event(seq, "{}".to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(check_push(&[]), Ok(()));
        assert_eq!(check_push(&chain(8..=107)), Ok(()));
        assert_eq!(check_push(&chain(1..=101)), Err(InvalidPush::TooManyEvents { count: 101 }));
        let gap = [chain(1..=1), chain(3..=3)].concat();
        let problem = InvalidPush::NotAChain { seq: 3, parent: 2, previous: 1 };
        assert_eq!(check_push(&gap), Err(problem));
        assert!(check_push(&chain(0..=0)).is_err(), "nothing comes before e1");
        for args in ["", "null", "true", "7", r#""text""#, "[1]", "{}"] {
            assert_eq!(check_push(&[event(1, args.to_owned())]), Ok(()), "{args}");
        }
        let nested =
            |depth: usize| format!("{}{}{}", r#"{"a":"#.repeat(depth), 0, "}".repeat(depth));
        assert_eq!(check_push(&[event(1, nested(MAX_DEPTH))]), Ok(()));
        let deeper = check_push(&[event(1, nested(MAX_DEPTH + 1))]);
        assert_eq!(deeper, Err(InvalidPush::TooDeep { seq: 1 }));
        let text = event(1, format!(r#"{{"t":"{}"}}"#, "[".repeat(1_000)));
        assert_eq!(check_push(&[text]), Ok(()), "brackets in a text nest nothing");
        let unnamed = SyncEvent { name: String::new(), ..event(1, "null".to_owned()) };
        assert_eq!(check_push(&[unnamed]), Err(InvalidPush::Empty { seq: 1, field: "name" }));
    }
}
