//! Tables of merges, in `e{n}` notation: `e3r1:b` is event 3 in generation 1, with content `b`.

use super::*;

/// `e3.1:a`, the parent following from the event before it; `+e4:b` is of the same commit as that.
fn events(after: SeqNum, text: &str) -> Vec<EncodedEvent> {
    let mut before = after;
    let mut event = |word: &str| {
        let continues = word.starts_with('+');
        let (seq, content) = word.trim_start_matches('+').split_once(':').unwrap();
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
            continues,
            command: None,
        }
    };
    text.split_whitespace().map(&mut event).collect()
}

fn shown<'a>(events: impl IntoIterator<Item = &'a EncodedEvent>) -> String {
    let show = |event: &EncodedEvent| {
        let args: serde_json::Value = serde_json::from_str(&event.args).unwrap();
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

/// `outcome | confirmed | new | pending | upstream | local`, once it is published.
fn published(mut state: SyncState, merge: Result<Merge, OutOfOrder>) -> String {
    let before = state.clone();
    let (word, confirmed, new) = match merge {
        Ok(merge) => {
            let word = match &merge.rebase {
                Some(rebase) => format!("rebase from {}", rebase.from),
                None => "advance".to_owned(),
            };
            let is_confirmed =
                |event: &&EncodedEvent| merge.confirmed.iter().any(|one| one.seq == event.seq);
            let confirmed = shown(before.pending.iter().filter(is_confirmed));
            let new = shown(&merge.new);
            state.publish(merge);
            (word, confirmed, new)
        }
        Err(OutOfOrder { expected }) => {
            (format!("reject {expected}"), String::new(), String::new())
        }
    };
    let (upstream, local) = (state.upstream_head.to_string(), state.local_head.to_string());
    [word, confirmed, new, shown(&state.pending), upstream, local].join(" | ")
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
        // Those before it go with it, too, if they are of its commit, and wait for it.
        ("e2", "e2.1:n +e3:a", "e3:a", "advance | e2.1:n e3:a |  |  | e3 | e3"),
        ("e2", "e3:a e3.1:n +e4:b", "e3:a", "advance | e3:a |  | e3.1:n e4:b | e3 | e4"),
        ("e2", "e3:a e3.1:m e3.2:n +e4:b", "e3:a", "advance | e3:a e3.1:m |  | e3.2:n e4:b | e3 | e4"),
        ("e2", "e2.1:n +e3:a", "e3:x", "rebase from e2.1 |  | e3:x | e3.1r1:n e4r1:a | e3 | e4r1"),
        // Events that do not follow the head are rejected.
        ("e2", "e3:a", "e4:x", "reject e2 |  |  | e3:a | e2 | e3"),
        ("e2", "e3:a", "e2:x", "reject e2 |  |  | e3:a | e2 | e3"),
        ("e2", "", "e3:x e5:y", "reject e2 |  |  |  | e2 | e2"),
        ("e2", "", "e2.1:x", "reject e2 |  |  |  | e2 | e2"),
    ];
    for (upstream, pending, news, expected) in table {
        let state = state(upstream, pending);
        let first =
            news.split_whitespace().next().map_or("e0", |word| word.split_once(':').unwrap().0);
        let first: SeqNum = first.parse().unwrap();
        let news = events(SeqNum::new(first.global.saturating_sub(1)), news);
        let merge = state.plan(UpstreamChange::Advance(news));
        assert_eq!(published(state, merge), expected, "{upstream} {pending}");
    }
}

/// A pending event, as a backend sends it back that has changed a number in it.
fn rewritten(event: &EncodedEvent) -> EncodedEvent {
    let seq = SeqNum::new(event.seq.global);
    let parent = SeqNum::new(seq.global - 1);
    let args = event.args.replace("993", "992");
    EncodedEvent { seq, parent, args, sync_metadata: Some("{}".into()), ..event.clone() }
}

#[test]
fn what_the_backend_has_rewritten_is_adopted() {
    #[rustfmt::skip]
    let table = [
        // pending, the number that come back, what becomes of it
        ("e3:a", 1, "rebase from e3 |  | e3:a |  | e3 | e3"),
        ("e3:a e4:b", 1, "rebase from e3 |  | e3:a | e4r1:b | e3 | e4r1"),
        ("e3:a e4:b", 2, "rebase from e3 |  | e3:a e4:b |  | e4 | e4"),
        // Client-only events stay: they come behind it, and do not wait for anything then.
        ("e3:a e3.1:n", 1, "rebase from e3 |  | e3:a e3.1r1:n |  | e3 | e3.1r1"),
        ("e2.1:n +e3:a", 1, "rebase from e2.1 |  | e3:a e3.1r1:n |  | e3 | e3.1r1"),
        ("e3:a e3.1:n +e4:b", 1, "rebase from e3 |  | e3:a | e3.1r1:n e4r1:b | e3 | e4r1"),
    ];
    for (pending, count, expected) in table {
        let mut state = state("e2", pending);
        state.pending.iter_mut().for_each(|event| {
            event.args = event.args.replace('}', ",\"n\":9007199254740993}");
        });
        let synced = state.pending.iter().filter(|event| !event.is_client_only());
        let news: Vec<_> = synced.take(count).map(rewritten).collect();
        let merge = state.plan(UpstreamChange::Advance(news)).unwrap();
        assert!(merge.new.iter().take(count).all(|event| event.args.contains("992")), "{pending}");
        let adopted: Vec<_> = merge.new.iter().take(count).map(|event| event.seq).collect();
        assert_eq!(merge.rewritten, adopted, "{pending}");
        assert_eq!(published(state, Ok(merge)), expected, "{pending}");
    }
}

#[test]
fn an_event_that_comes_back_unchanged_behind_a_rewritten_one_counts_as_such() {
    let mut state = state("e2", "e3:a e4:b e5:c");
    state.pending.iter_mut().filter(|event| event.seq.global != 4).for_each(|event| {
        event.args = event.args.replace('}', ",\"n\":9007199254740993}");
    });
    let news: Vec<_> = state.pending.iter().map(rewritten).collect();
    let merge = state.plan(UpstreamChange::Advance(news)).unwrap();
    assert_eq!(merge.rewritten, [SeqNum::new(3), SeqNum::new(5)]);
}

#[test]
fn a_refused_commit_makes_room_for_those_behind_it() {
    #[rustfmt::skip]
    let table = [
        // confirmed head, pending, what becomes of it
        ("e2", "e3:a", "rebase from e3 |  | e2.1r1:a |  | e2 | e2.1r1"),
        ("e2", "e3:a e4:b", "rebase from e3 |  | e2.1r1:a | e3r1:b | e2 | e3r1"),
        ("e2", "e3:a +e4:b e5:c", "rebase from e3 |  | e2.1r1:a e2.2r1:b | e3r1:c | e2 | e3r1"),
        ("e2.1", "e2.2:n +e3:a e4:b", "rebase from e2.2 |  | e2.2r1:n e2.3r1:a | e3r1:b | e2 | e3r1"),
        // Nothing holds the client-only ones behind it back any more.
        ("e2", "e3:a e3.1:n", "rebase from e3 |  | e2.1r1:a e2.2r1:n |  | e2 | e2.2r1"),
        ("e2", "e3:a e3.1:m e3.2:n +e4:b", "rebase from e3 |  | e2.1r1:a e2.2r1:m | e2.3r1:n e3r1:b | e2 | e3r1"),
    ];
    for (confirmed, pending, expected) in table {
        let mut state = state("e2", "");
        state.confirmed_head = confirmed.parse().unwrap();
        state.pending = events(state.confirmed_head, pending).into();
        state.local_head = state.pending.back().unwrap().seq;
        let count = state.first_commit_len();
        let merge = state.plan_refusal(count, "\"no\"");
        let reasons: Vec<_> = merge.new.iter().map(EncodedEvent::refusal).collect();
        assert!(reasons.iter().take(count).all(|reason| reason.as_deref() == Some("\"no\"")));
        assert!(reasons.iter().skip(count).all(Option::is_none), "{pending}");
        assert_eq!(merge.heads.confirmed, merge.new.last().unwrap().seq);
        assert_eq!(published(state, Ok(merge)), expected, "{pending}");
    }
}

#[test]
fn commits() {
    #[rustfmt::skip]
    let table = [
        // upstream, pending, commit, pending then, confirmed head, local head
        ("e1", "", "e2:a e2.1:n", "e2:a e2.1:n", "e1", "e2.1"),
        ("e1", "e2:a", "e3:b", "e2:a e3:b", "e1", "e3"),
        ("e1", "", "e1.1:n", "", "e1.1", "e1.1"),
        // A client-only event waits for the synced ones of its commit.
        ("e1", "", "e1.1:n +e2:a", "e1.1:n e2:a", "e1", "e2"),
    ];
    for (upstream, pending, commit, expected, confirmed, local) in table {
        let mut state = state(upstream, pending);
        state.commit(events(state.local_head, commit));
        let heads = (state.confirmed_head.to_string(), state.local_head.to_string());
        assert_eq!(shown(&state.pending), expected);
        assert_eq!(heads, (confirmed.to_owned(), local.to_owned()), "{upstream} {pending}");
    }
}

#[test]
fn the_last_event_that_is_not_pending_is_known() {
    let mut state = state("e2", "e3:a e3.1:n e4:b");
    for (news, confirmed) in [("e3:a", "e3.1"), ("e4:x", "e4"), ("e5:b", "e5r1")] {
        let news = events(state.upstream_head, news);
        let merge = state.plan(UpstreamChange::Advance(news)).unwrap();
        state.publish(merge);
        assert_eq!(state.confirmed_head.to_string(), confirmed);
    }
    state.commit(events(state.local_head, "e5.1r1:n"));
    assert_eq!(state.confirmed_head.to_string(), "e5.1r1");
}

#[test]
fn the_order_above_changes_after_an_event() {
    #[rustfmt::skip]
    let table = [
        ("e3", "", "e1", "e2:x", "rebase from e1.1 |  | e2:x |  | e2 | e2"),
        ("e3", "e4:a", "e1", "e2:x", "rebase from e1.1 |  | e2:x | e3r1:a | e2 | e3r1"),
        // It leaves the log with the others, and comes back.
        ("e3", "e4:a", "e3", "e4:a", "rebase from e3.1 |  | e4:a |  | e4 | e4"),
        ("e3", "e4:a", "e2", "", "rebase from e2.1 |  |  | e3r1:a | e2 | e3r1"),
        ("e3", "e4:a", "e4", "e5:x", "reject e3 |  |  | e4:a | e3 | e4"),
    ];
    for (upstream, pending, keep, news, expected) in table {
        let state = state(upstream, pending);
        let keep: SeqNum = keep.parse().unwrap();
        let merge = state.plan(UpstreamChange::Replace { keep, events: events(keep, news) });
        assert_eq!(published(state, merge), expected, "{upstream} {pending}");
    }
}
