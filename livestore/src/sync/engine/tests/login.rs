//! Payloads that are refused, or that the app does not have; and every refusal that a backend can give.

use super::*;
use crate::sync::PayloadError;
use crate::sync::engine::retry::MAX_REFUSAL_DELAY;

fn denied() -> BackendMessage {
    BackendMessage::PullFailed(SyncError::Refused("the token has expired".into()))
}

fn login_required() -> NetworkStatus {
    NetworkStatus::LoginRequired { reason: "the token has expired".into() }
}

/// Waits for the next attempt, which is made.
fn attempt(engine: &mut Engine) -> Duration {
    let next = engine.next_attempt().unwrap();
    assert_eq!(engine.deadline(), Some(next));
    assert_eq!(handle(engine, Input::Tick, next), [Effect::Connect]);
    next
}

#[test]
fn a_token_that_ends_is_replaced_without_a_word() {
    let mut engine = live(0);
    commit(&mut engine, "c", 1);
    handle(&mut engine, Input::Committed, NOW);
    for _ in 0..20 {
        assert_eq!(receive(&mut engine, denied()), [Effect::Disconnect]);
        assert_eq!(engine.network(), NetworkStatus::Connecting);
        let next = attempt(&mut engine);
        assert!(next <= NOW + FIRST_DELAY, "at once, whatever happened before");
        receive(&mut engine, BackendMessage::Connected);
        receive(&mut engine, pulled(vec![], More::No));
        assert_eq!(engine.network(), NetworkStatus::Online);
    }
    assert_eq!(engine.state().pending.len(), 1);
}

#[test]
fn a_second_refusal_wants_a_login_and_is_tried_slowly() {
    let mut engine = live(0);
    receive(&mut engine, denied());
    let (mut now, mut waits) = (attempt(&mut engine), Vec::new());
    for _ in 0..8 {
        handle(&mut engine, Input::Backend(denied()), now);
        assert_eq!(engine.network(), login_required());
        waits.push(engine.next_attempt().unwrap() - now);
        now = attempt(&mut engine);
        // A UI that shows a login goes on showing it, until a payload is accepted.
        assert_eq!(engine.network(), login_required());
        handle(&mut engine, Input::Backend(BackendMessage::Connected), now);
        assert_eq!(engine.network(), login_required());
    }
    assert!(waits[0] < waits[2] && waits.iter().all(|wait| *wait <= MAX_REFUSAL_DELAY));
    handle(&mut engine, Input::Backend(pulled(vec![], More::No)), now);
    assert_eq!(engine.network(), NetworkStatus::Online);
    receive(&mut engine, denied());
    assert_eq!(engine.network(), NetworkStatus::Connecting, "it was forgotten");
}

#[test]
fn who_has_logged_in_need_not_wait() {
    let mut engine = client(0, None);
    handle(&mut engine, Input::Start, NOW);
    receive(&mut engine, denied());
    attempt(&mut engine);
    receive(&mut engine, denied());
    assert_eq!(handle(&mut engine, Input::Reconnect, NOW), [Effect::Connect]);
    receive(&mut engine, BackendMessage::Connected);
    receive(&mut engine, pulled(vec![], More::No));
    assert_eq!(engine.network(), NetworkStatus::Online);
}

#[test]
fn an_app_without_a_payload_is_asked_again() {
    let mut engine = client(0, None);
    handle(&mut engine, Input::Start, NOW);
    let failed = Input::NoPayload(PayloadError::Failed("no network".into()));
    assert_eq!(handle(&mut engine, failed.clone(), NOW), [Effect::Disconnect]);
    let status = NetworkStatus::PayloadFailed { reason: "no network".into() };
    assert_eq!(engine.network(), status);
    let now = attempt(&mut engine);
    assert!(now <= NOW + FIRST_DELAY);
    let ended = Input::NoPayload(PayloadError::LoginRequired("the token has expired".into()));
    assert_eq!(handle(&mut engine, ended, now), [Effect::Disconnect]);
    assert_eq!(engine.network(), login_required(), "the app knows: there is no second question");
    // An answer that comes too late changes nothing.
    let next = engine.next_attempt();
    assert_eq!(handle(&mut engine, failed, now), []);
    assert_eq!((engine.network(), engine.next_attempt()), (login_required(), next));
}

#[test]
fn a_connection_has_its_whole_time_once_the_app_has_answered() {
    let mut engine = client(0, None);
    handle(&mut engine, Input::Start, NOW);
    let later = NOW + RESPONSE_TIMEOUT - Duration::from_secs(1);
    assert_eq!(handle(&mut engine, Input::Dialing, later), []);
    assert_eq!(engine.deadline(), Some(later + RESPONSE_TIMEOUT));
}

/// What a client does about each refusal. None loses a commit, and none is the last attempt, but where
/// the backend is not the one of the log.
#[test]
fn each_refusal_has_its_reaction() {
    use SyncError::{BackendIdMismatch, Failed, Invalid, Refused, ServerAhead};
    let other = || BackendIdMismatch { expected: "x".into(), received: "b".into() };
    let (pull, push) = (BackendMessage::PullFailed, BackendMessage::PushFailed);
    for (message, status, tries_again) in [
        (pull(Refused("r".into())), "connecting", true),
        (pull(Invalid("r".into())), "offline", true),
        (pull(Failed("r".into())), "offline", true),
        (pull(ServerAhead { head: 0, parent: 1 }), "offline", true),
        (pull(other()), "stopped", false),
        (push(Refused("r".into())), "read only", true),
        (push(Invalid("r".into())), "online", true),
        (push(Failed("r".into())), "offline", true),
        (push(ServerAhead { head: 1, parent: 0 }), "online", true),
        (push(other()), "stopped", false),
        (BackendMessage::Disconnected { reason: "r".into() }, "offline", true),
    ] {
        let mut engine = live(0);
        (1..=2).for_each(|n| commit(&mut engine, "c", n));
        handle(&mut engine, Input::Committed, NOW);
        receive(&mut engine, message.clone());
        assert!(engine.network().to_string().starts_with(status), "{message:?}");
        assert_eq!(engine.deadline().is_some(), tries_again, "{message:?}");
        assert_eq!(engine.state().pending.len(), 2, "{message:?}");
    }
}
