//! Tables of merges, in `e{n}` notation: `e3r1:b` is event 3 in generation 1, with content `b`.

use serde_json::Value;

use super::*;

/// `e3.1:a`, the parent following from the event before it.
fn events(after: SeqNum, text: &str) -> Vec<EncodedEvent> {
    let mut before = after;
    let mut event = |word: &str| {
        let (seq, content) = word.split_once(':').unwrap();
        let seq: SeqNum = seq.parse().unwrap();
        let parent = before.next(seq.client != 0).1;
        before = seq;
        EncodedEvent {
            seq,
            parent,
            name: "v1.E".into(),
            args: format!("{{\"id\":\"{content}\"}}"),
            client_id: "c".into(),
            session_id: "s".into(),
            schema_hash: 0,
            sync_metadata: None,
        }
    };
    text.split_whitespace().map(&mut event).collect()
}

fn shown<'a>(events: impl IntoIterator<Item = &'a EncodedEvent>) -> String {
    let show = |event: &EncodedEvent| {
        let args: Value = serde_json::from_str(&event.args).unwrap();
        format!("{}:{}", event.seq, args["id"].as_str().unwrap())
    };
    events.into_iter().map(show).collect::<Vec<_>>().join(" ")
}

fn state(upstream: &str, pending: &str) -> SyncState {
    let upstream_head: SeqNum = upstream.parse().unwrap();
    let pending: VecDeque<_> = events(upstream_head, pending).into();
    let local_head = pending.back().map_or(upstream_head, |event| event.seq);
    SyncState { pending, upstream_head, confirmed_head: upstream_head, local_head }
}

/// `outcome | confirmed | new | pending | upstream | local`.
fn told(state: &SyncState, outcome: &Outcome) -> String {
    let (word, advance) = match outcome {
        Outcome::Advance(advance) => ("advance".to_owned(), advance.clone()),
        Outcome::Rebase(rebase) => (format!("rebase from {}", rebase.from), rebase.advance.clone()),
        Outcome::Reject { expected } => (format!("reject {expected}"), Advance::default()),
    };
    let parts = [
        word,
        shown(&advance.confirmed),
        shown(&advance.new),
        shown(&state.pending),
        state.upstream_head.to_string(),
        state.local_head.to_string(),
    ];
    parts.join(" | ")
}

#[test]
fn upstream_advances() {
    #[rustfmt::skip]
    let table = [
        // upstream, pending, news, what becomes of it
        ("e0", "", "", "advance |  |  |  | e0 | e0"),
        ("e0", "", "e1:a e2:b", "advance |  | e1:a e2:b |  | e2 | e2"),
        ("e1", "e2:b", "", "advance |  |  | e2:b | e1 | e2"),
        ("e0", "e1:a", "e1:a", "advance | e1:a |  |  | e1 | e1"),
        ("e0", "e1:a e2:b e3:c", "e1:a e2:b", "advance | e1:a e2:b |  | e3:c | e2 | e3"),
        ("e0", "e1:a", "e1:a e2:x", "advance | e1:a | e2:x |  | e2 | e2"),
        ("e0", "e1:a", "e1:x", "rebase from e1 |  | e1:x | e2r1:a | e1 | e2r1"),
        ("e0", "e1:a e2:b", "e1:a e2:x e3:y", "rebase from e2 | e1:a | e2:x e3:y | e4r1:b | e3 | e4r1"),
        ("e2", "e3r1:a", "e3:x", "rebase from e3r1 |  | e3:x | e4r2:a | e3 | e4r2"),
        // A generation plays no part in what an event is, and stays raised.
        ("e2", "e3r1:a", "e3:a", "advance | e3r1:a |  |  | e3 | e3r1"),
        ("e2", "e3r1:a", "e3:a e4:x", "advance | e3r1:a | e4:x |  | e4 | e4r1"),
        // Client-only events go with the event that they stand behind.
        ("e2", "e3:a e3.1:n e4:b", "e3:a", "advance | e3:a e3.1:n |  | e4:b | e3 | e4"),
        ("e2", "e3:a e3.1:n", "e3:a e4:x", "advance | e3:a e3.1:n | e4:x |  | e4 | e4"),
        ("e2", "e3:a e3.1:n e4:b", "e3:x", "rebase from e3 |  | e3:x | e4r1:a e4.1r1:n e5r1:b | e3 | e5r1"),
        // What does not follow the head is not taken.
        ("e2", "e3:a", "e4:x", "reject e2 |  |  | e3:a | e2 | e3"),
        ("e2", "e3:a", "e2:x", "reject e2 |  |  | e3:a | e2 | e3"),
        ("e2", "", "e3:x e5:y", "reject e2 |  |  |  | e2 | e2"),
        ("e2", "", "e2.1:x", "reject e2 |  |  |  | e2 | e2"),
    ];
    for (upstream, pending, news, expected) in table {
        let mut state = state(upstream, pending);
        let first =
            news.split_whitespace().next().map_or("e0", |word| word.split_once(':').unwrap().0);
        let first: SeqNum = first.parse().unwrap();
        let news = events(SeqNum::new(first.global.saturating_sub(1)), news);
        let outcome = state.merge(Payload::UpstreamAdvance(news));
        assert_eq!(told(&state, &outcome), expected, "{upstream} {pending}");
    }
}

#[test]
fn local_pushes() {
    #[rustfmt::skip]
    let table = [
        ("e1", "", "e2:a e2.1:n", "advance |  |  | e2:a e2.1:n | e1 | e2.1"),
        ("e1", "e2:a", "e3:b", "advance |  |  | e2:a e3:b | e1 | e3"),
        ("e1", "", "e1.1:n", "advance | e1.1:n |  |  | e1 | e1.1"),
        ("e1", "", "e1.1:n e2:a", "advance | e1.1:n |  | e2:a | e1 | e2"),
        ("e1", "e2:a", "e2:b", "reject e2 |  |  | e2:a | e1 | e2"),
    ];
    for (upstream, pending, news, expected) in table {
        let mut state = state(upstream, pending);
        let news = events(state.local_head, news);
        let outcome = state.merge(Payload::LocalPush(news));
        assert_eq!(told(&state, &outcome), expected, "{upstream} {pending}");
    }
}

#[test]
fn the_last_event_that_is_not_pending_is_known() {
    let mut state = state("e2", "e3:a e3.1:n e4:b");
    let news = |text| Payload::UpstreamAdvance(events(SeqNum::new(2), text));
    state.merge(news("e3:a"));
    assert_eq!(state.confirmed_head.to_string(), "e3.1");
    state.merge(Payload::UpstreamAdvance(events(SeqNum::new(3), "e4:x")));
    assert_eq!(state.confirmed_head.to_string(), "e4");
    state.merge(Payload::UpstreamAdvance(events(SeqNum::new(4), "e5:b")));
    state.merge(Payload::LocalPush(events(state.local_head, "e5.1r1:n")));
    assert_eq!(state.confirmed_head.to_string(), "e5.1r1");
}

#[test]
fn upstream_is_another_after_an_event() {
    #[rustfmt::skip]
    let table = [
        ("e3", "", "e1", "e2:x", "rebase from e1.1 |  | e2:x |  | e2 | e2"),
        ("e3", "e4:a", "e1", "e2:x", "rebase from e1.1 |  | e2:x | e3r1:a | e2 | e3r1"),
        ("e3", "e4:a", "e3", "e4:a", "rebase from e3.1 | e4:a |  |  | e4 | e4"),
        ("e3", "e4:a", "e2", "", "rebase from e2.1 |  |  | e3r1:a | e2 | e3r1"),
        ("e3", "e4:a", "e4", "e5:x", "reject e3 |  |  | e4:a | e3 | e4"),
    ];
    for (upstream, pending, keep, news, expected) in table {
        let mut state = state(upstream, pending);
        let keep: SeqNum = keep.parse().unwrap();
        let news = events(keep, news);
        let outcome = state.merge(Payload::UpstreamRebase { keep, events: news });
        assert_eq!(told(&state, &outcome), expected, "{upstream} {pending}");
    }
}
