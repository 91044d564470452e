//! Pushes that the backend refuses, for now or for good, and links that are slow.

use super::*;
use crate::sync::engine::retry::MAX_REFUSAL_DELAY;

fn refused() -> BackendMessage {
    BackendMessage::PushFailed(SyncError::Refused("no right".into()))
}

fn invalid() -> BackendMessage {
    BackendMessage::PushFailed(SyncError::Invalid("odd".into()))
}

/// An own event as the pull brings it.
fn own(seq: u64, n: u64) -> SyncEvent {
    SyncEvent { args: format!("{{\"n\":{n}}}"), client_id: "c".into(), ..upstream(seq) }
}

/// An engine with commits `1` to `count`, of which the first ones are being pushed.
fn pushing(count: u64) -> Engine {
    let mut engine = live(0);
    (1..=count).for_each(|n| commit(&mut engine, "c", n));
    assert!(!pushes(&handle(&mut engine, Input::Committed, NOW)).is_empty());
    engine
}

#[test]
fn who_may_not_push_still_pulls() {
    let mut engine = pushing(1);
    assert_eq!(receive(&mut engine, refused()), []);
    assert!(matches!(engine.network(), NetworkStatus::ReadOnly { .. }));
    let transition = planned(&mut engine, pulled(vec![upstream(1)], More::No));
    assert!(transition.merge.rebase.is_some());
    assert_eq!(engine.publish(transition, NOW), []);
    assert_eq!(handle(&mut engine, Input::Start, NOW), [Effect::Disconnect, Effect::Connect]);
}

#[test]
fn a_right_that_is_granted_is_used() {
    let mut engine = pushing(1);
    let (mut now, mut waits) = (NOW, Vec::new());
    for _ in 0..8 {
        handle(&mut engine, Input::Backend(refused()), now);
        let next = engine.next_attempt().unwrap();
        assert_eq!(engine.deadline(), Some(next));
        waits.push(next - now);
        now = next;
        let effects = handle(&mut engine, Input::Tick, now);
        assert_eq!(effects, [Effect::Disconnect, Effect::Connect]);
        assert_eq!(engine.next_attempt(), None);
        handle(&mut engine, Input::Backend(BackendMessage::Connected), now);
        // On its way to the next attempt, the client is still one that may not push.
        assert!(matches!(engine.network(), NetworkStatus::ReadOnly { .. }));
        let effects = handle(&mut engine, Input::Backend(pulled(vec![], More::No)), now);
        assert_eq!(pushes(&effects), [1]);
    }
    assert!(waits[0] < waits[2] && waits.iter().all(|wait| *wait <= MAX_REFUSAL_DELAY));
    handle(&mut engine, Input::Backend(BackendMessage::Pushed), now);
    assert_eq!(engine.network(), NetworkStatus::Online);
}

#[test]
fn the_commit_that_is_refused_for_good_is_found_and_makes_room() {
    let mut engine = pushing(8);
    // The sixth is refused.
    assert_eq!(pushes(&receive(&mut engine, invalid())), [1, 2, 3, 4]);
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::Pushed)), (5..=8).collect::<Vec<_>>());
    assert_eq!(pushes(&receive(&mut engine, invalid())), [5, 6]);
    assert_eq!(pushes(&receive(&mut engine, invalid())), [5]);
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::Pushed)), [6, 7]);
    assert_eq!(pushes(&receive(&mut engine, invalid())), [6]);
    // What comes before it is accepted, and has to be confirmed first.
    assert_eq!(receive(&mut engine, invalid()), []);
    let confirmed = pulled((1..=5).map(|seq| own(seq, seq)).collect(), More::No);
    assert_eq!(pushes(&receive(&mut engine, confirmed)), [6]);
    let transition = planned(&mut engine, invalid());
    let refused = &transition.merge.new[..];
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].args.as_str(), refused[0].is_client_only()), ("{\"n\":6}", true));
    assert_eq!(refused[0].refusal().as_deref(), Some("odd"));
    let effects = engine.publish(transition, NOW);
    assert_eq!(pushes(&effects), [6, 7], "the two behind it go out");
    assert_eq!(engine.network(), NetworkStatus::Online);
}

#[test]
fn a_refused_commit_is_refused_whole() {
    let mut engine = live(0);
    commit_kinds(&mut engine, "csc");
    commit_kinds(&mut engine, "s");
    handle(&mut engine, Input::Committed, NOW);
    assert_eq!(pushes(&receive(&mut engine, invalid())), [1]);
    let transition = planned(&mut engine, invalid());
    assert_eq!(transition.merge.new.len(), 3);
    assert!(transition.merge.new.iter().all(|event| event.refusal().is_some()));
    assert_eq!(pushes(&engine.publish(transition, NOW)), [1]);
}

#[test]
fn an_answer_to_a_push_from_before_a_rebase_refuses_nothing() {
    let mut engine = pushing(1);
    receive(&mut engine, pulled(vec![upstream(1)], More::No));
    assert_eq!(pushes(&receive(&mut engine, invalid())), [2]);
    assert_eq!(engine.state().pending.len(), 1);
}

#[test]
fn a_push_that_the_network_does_not_carry_gets_smaller_and_then_larger_again() {
    let mut engine = pushing(100);
    let mut sizes = Vec::new();
    for _ in 0..8 {
        let deadline = engine.deadline().unwrap();
        assert_eq!(handle(&mut engine, Input::Tick, deadline), [Effect::Disconnect]);
        handle(&mut engine, Input::Start, NOW);
        receive(&mut engine, BackendMessage::Connected);
        sizes.push(pushes(&receive(&mut engine, pulled(vec![], More::No))).len());
    }
    assert_eq!(sizes, [50, 25, 12, 6, 3, 1, 1, 1]);
    let mut next = || pushes(&receive(&mut engine, BackendMessage::Pushed)).len();
    assert_eq!([next(), next(), next()], [2, 4, 8]);
}

#[test]
fn pushes_fit_the_link() {
    let mut engine = pushing(400);
    let (mut now, mut sizes) = (NOW, Vec::new());
    // The seconds that a push takes.
    for seconds in [20, 10, 5, 5, 1, 1] {
        now += Duration::from_secs(seconds);
        sizes.push(pushes(&handle(&mut engine, Input::Backend(BackendMessage::Pushed), now)).len());
    }
    assert_eq!(sizes, [50, 25, 25, 25, 50, 100]);
}

#[test]
fn a_long_push_may_take_longer() {
    let mut engine = live(0);
    let args = format!("\"{}\"", "x".repeat(800_000));
    commit_args(&mut engine, "c", args);
    handle(&mut engine, Input::Committed, NOW);
    let deadline = engine.deadline().unwrap();
    assert!(deadline > NOW + RESPONSE_TIMEOUT + Duration::from_secs(40));
}

#[test]
fn bytes_that_arrive_are_signs_of_life() {
    let mut engine = client(0, Some("b"));
    handle(&mut engine, Input::Start, NOW);
    receive(&mut engine, BackendMessage::Connected);
    let later = NOW + RESPONSE_TIMEOUT - Duration::from_secs(1);
    handle(&mut engine, Input::Backend(BackendMessage::Receiving), later);
    assert_eq!(engine.deadline(), Some(later + RESPONSE_TIMEOUT));
    // They do not end a wait that has another reason.
    let mut offline = client(0, Some("b"));
    handle(&mut offline, Input::Start, NOW);
    receive(&mut offline, BackendMessage::Disconnected { reason: "no route".into() });
    let deadline = offline.deadline();
    handle(&mut offline, Input::Backend(BackendMessage::Receiving), later);
    assert_eq!(offline.deadline(), deadline);
}

#[test]
fn a_backend_that_wants_rest_gets_it() {
    let mut engine = live(0);
    let wait = Duration::from_secs(90);
    receive(&mut engine, BackendMessage::RetryAfter(wait));
    receive(&mut engine, BackendMessage::Disconnected { reason: "429".into() });
    let next = engine.next_attempt().unwrap();
    assert!(next > NOW + wait && next <= NOW + wait + FIRST_DELAY);
    // Not for ever.
    handle(&mut engine, Input::Tick, next);
    handle(&mut engine, Input::Backend(BackendMessage::RetryAfter(Duration::MAX)), next);
    let lost = BackendMessage::Disconnected { reason: "429".into() };
    handle(&mut engine, Input::Backend(lost), next);
    assert!(engine.next_attempt().unwrap() - next < Duration::from_secs(700));
}

#[test]
fn a_hint_connects_at_once_or_has_the_connection_checked() {
    let mut engine = client(0, Some("b"));
    assert_eq!(handle(&mut engine, Input::Reconnect, NOW), [], "the app wants to be offline");
    handle(&mut engine, Input::Start, NOW);
    assert_eq!(handle(&mut engine, Input::Reconnect, NOW), [Effect::Check]);
    for _ in 0..8 {
        receive(&mut engine, BackendMessage::Disconnected { reason: "no route".into() });
        assert_eq!(handle(&mut engine, Input::Reconnect, NOW), [Effect::Connect]);
    }
    receive(&mut engine, BackendMessage::Disconnected { reason: "no route".into() });
    let next = engine.next_attempt().unwrap();
    assert!(next <= NOW + FIRST_DELAY, "later attempts are not as rare as before");

    let mut engine = live(0);
    assert_eq!(handle(&mut engine, Input::Reconnect, NOW), [Effect::Check]);
    let mut engine = pushing(1);
    receive(&mut engine, refused());
    assert_eq!(handle(&mut engine, Input::Reconnect, NOW), [Effect::Disconnect, Effect::Connect]);
}
