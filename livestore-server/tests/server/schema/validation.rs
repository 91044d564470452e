use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use livestore::prelude::*;
use livestore::state::QuarantineReason;
use livestore::sync::NetworkStatus;
use livestore_server::auth::Jwt;
use livestore_server::schema::{Proposal, Rejection};
use livestore_testing::sample::notes::{App, Note, NoteEvent, written};
use serde_json::{Value, json};

use super::{SchemaTestServer, id, ids, memory, storages, synced, until};
use crate::auth::sign;
use crate::client::{Client, accepted};

const SECRET: &[u8] = b"a secret of the validation";

/// At most three notes, and none whose id begins with `odd`.
fn rules(commit: &Proposal<'_, App>) -> Result<(), Rejection> {
    for event in commit.decode::<NoteEvent>().map_err(|error| error.to_string())? {
        if let NoteEvent::Written { id, .. } = event
            && id.starts_with("odd")
        {
            return Err("no odd notes".into());
        }
    }
    match commit.query(Note::all().count())? {
        0..3 => Ok(()),
        _ => Err("there are three notes already".into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_commit_is_taken_back_and_those_behind_it_go_on() {
    for (events, _directory) in storages() {
        let server = SchemaTestServer::start(events, |b| b.schema::<App>().validate(rules)).await;
        let (a, b) = (server.open("notes", "a"), server.open("notes", "b"));
        a.pause_sync();
        a.commit(written("1")).unwrap();
        a.commit([written("odd"), written("with odd")]).unwrap();
        a.commit(NoteEvent::Seen { id: "1".into() }).unwrap();
        a.commit(written("2")).unwrap();
        a.resume_sync();
        until(|| ids(&b) == ["1", "2"]).await;
        synced(&a).await;
        assert_eq!(ids(&a), ["1", "2"]);
        assert_eq!(a.query(Note::get("1")).unwrap().unwrap().text, "seen");
        let refused = a.quarantined().unwrap();
        let reason = QuarantineReason::Refused("no odd notes".into());
        assert_eq!(refused.len(), 2);
        assert!(refused.iter().all(|event| event.reason == reason), "{refused:?}");
        let stored = server.states.query(&id("notes"), Note::all().count()).await;
        assert_eq!(stored, Ok(2));
        drop((a, b));
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_see_the_commits_before_it_in_the_same_push() {
    let server = SchemaTestServer::start(memory(), |b| b.schema::<App>().validate(rules)).await;
    let a = server.open("notes", "a");
    a.pause_sync();
    for n in 1..=5 {
        a.commit(written(n.to_string())).unwrap();
    }
    a.resume_sync();
    until(|| a.sync_status().unwrap().refused == 2).await;
    synced(&a).await;
    assert_eq!(ids(&a), ["1", "2", "3"]);
    assert_eq!(server.states.query(&id("notes"), Note::all().count()).await, Ok(3));
    drop(a);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_race_never_pass_a_limit_together() {
    for (events, _directory) in storages() {
        // Two servers over one storage, as over one engine.
        let servers = [
            SchemaTestServer::start(Arc::clone(&events), |b| b.schema().validate(rules)).await,
            SchemaTestServer::start(events, |b| b.schema().validate(rules)).await,
        ];
        let clients: Vec<_> =
            (0..6).map(|n| servers[n % 2].open("notes", &format!("c{n}"))).collect();
        for (n, client) in clients.iter().enumerate() {
            client.commit(written(format!("note {n}"))).unwrap();
        }
        until(|| clients.iter().map(|c| c.sync_status().unwrap().refused).sum::<usize>() == 3)
            .await;
        for server in &servers {
            assert_eq!(server.states.query(&id("notes"), Note::all().count()).await, Ok(3));
        }
        drop(clients);
        for server in servers {
            server.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_know_who_pushes() {
    let only_alice =
        |commit: &Proposal<'_, App>| match commit.identity().claim::<String>("sub").as_deref() {
            Some("alice") => Ok(()),
            who => Err(format!("{who:?} may not write notes").into()),
        };
    let auth = Arc::new(Jwt::hs256(SECRET));
    let configure =
        |b: livestore_server::Builder| b.auth(auth).schema::<App>().validate(only_alice);
    let server = SchemaTestServer::start(memory(), configure).await;
    let token = |sub: &str| {
        let claims = json!({"sub": sub, "stores": "*", "exp": 9_999_999_999_u64});
        json!({"authToken": sign(&json!({"alg": "HS256"}), &claims, SECRET)})
    };
    let alice = server.open_with("notes", "a", &token("alice"));
    let mallory = server.open_with("notes", "alice", &token("mallory"));
    alice.commit(written("hers")).unwrap();
    mallory.commit(written("his")).unwrap();
    until(|| mallory.sync_status().unwrap().refused == 1).await;
    until(|| ids(&mallory) == ["hers"]).await;
    let reason = &mallory.quarantined().unwrap()[0].reason;
    assert!(matches!(reason, QuarantineReason::Refused(text) if text.contains("mallory")));
    drop((alice, mallory));
    server.stop().await;
}

/// An author in the args is the owner of the token, or the event is refused; one without an author is not.
#[tokio::test(flavor = "multi_thread")]
async fn an_author_is_who_the_token_says() {
    let auth = Arc::new(Jwt::hs256(SECRET));
    let configure = |b: livestore_server::Builder| {
        b.auth(auth).schema::<App>().validate(|commit| commit.check_author("text"))
    };
    let server = SchemaTestServer::start(memory(), configure).await;
    let token = |sub: &str| {
        let claims = json!({"sub": sub, "stores": "*", "exp": 9_999_999_999_u64});
        json!({"authToken": sign(&json!({"alg": "HS256"}), &claims, SECRET)})
    };
    let alice = server.open_with("notes", "a", &token("alice"));
    let by = |id: &str, author: &str| NoteEvent::Written { id: id.into(), text: author.into() };
    alice.pause_sync();
    alice.commit(by("1", "alice")).unwrap();
    alice.commit([by("2", "alice"), by("3", "bob")]).unwrap();
    alice.commit(NoteEvent::Seen { id: "1".into() }).unwrap();
    alice.commit(by("4", "alice")).unwrap();
    alice.resume_sync();
    until(|| alice.sync_status().unwrap().refused == 2).await;
    synced(&alice).await;
    assert_eq!(ids(&alice), ["1", "4"]);
    let reason = alice.quarantined().unwrap()[0].reason.to_string();
    assert!(reason.contains("is \"bob\", but it was pushed by alice"), "{reason}");
    let activity = alice.activity::<Note>().row("4").read().unwrap();
    assert_eq!(activity[0].arg::<String>("text").as_deref(), Some("alice"));
    assert!(activity[0].accepted_at().is_some());
    drop((alice, activity));
    server.stop().await;
}

fn is_read_only(store: &Store<App>) -> bool {
    matches!(store.sync_status().unwrap().network, NetworkStatus::ReadOnly { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_panic_refuse_for_now_and_the_server_lives() {
    let panics = Arc::new(AtomicBool::new(true));
    let set = Arc::clone(&panics);
    let rules = move |_: &Proposal<'_, App>| {
        assert!(!panics.load(Ordering::Relaxed), "on purpose");
        Ok(())
    };
    let server = SchemaTestServer::start(memory(), |b| b.schema().validate(rules)).await;
    let a = server.open("notes", "a");
    a.commit(written("1")).unwrap();
    until(|| is_read_only(&a)).await;
    assert_eq!(a.sync_status().unwrap().pending, 1);
    set.store(false, Ordering::Relaxed);
    a.reconnect_now();
    synced(&a).await;
    assert_eq!(a.quarantined().unwrap(), []);
    drop(a);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_never_return_hold_up_their_store_alone() {
    let (release, wait) = channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let rules = move |commit: &Proposal<'_, App>| {
        if commit.store().as_str() == "slow" && counted.fetch_add(1, Ordering::Relaxed) == 0 {
            let _ = wait.lock().unwrap().recv();
        }
        Ok(())
    };
    let server = SchemaTestServer::start(memory(), |b| {
        b.schema().validate(rules).validation_time(Duration::from_millis(50))
    })
    .await;
    let (slow, other) = (server.open("slow", "a"), server.open("other", "a"));
    slow.commit(written("1")).unwrap();
    until(|| is_read_only(&slow)).await;
    other.commit(written("1")).unwrap();
    synced(&other).await;
    assert_eq!(slow.sync_status().unwrap().pending, 1);
    drop(release);
    slow.reconnect_now();
    synced(&slow).await;
    drop((slow, other));
    server.stop().await;
}

fn written_event(seq: u64, id: &str) -> Value {
    json!({"name": "v1.NoteWritten", "args": {"id": id, "text": ""}, "seqNum": seq,
        "parentSeqNum": seq - 1, "clientId": "client", "sessionId": "session"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_typescript_gets_a_defect_that_has_the_reason() {
    let server = SchemaTestServer::start(memory(), |b| b.schema().validate(rules)).await;
    let mut client = Client::connect(&server.address, "notes").await;
    let exit = client.push("1", &[written_event(1, "odd")]).await;
    let cause = json!({"_tag": "Die", "defect": "no odd notes"});
    assert_eq!(exit["_tag"], "Failure");
    assert!(exit["cause"] == cause || exit["cause"] == json!([cause]), "{exit}");
    assert_eq!(client.push("2", &[written_event(1, "1")]).await, accepted());
    // An answer that got lost: the same push again is not judged again.
    assert_eq!(client.push("3", &[written_event(1, "1")]).await, accepted());
    let behind = client.push("4", &[written_event(1, "2")]).await.to_string();
    assert!(behind.contains("ServerAheadError"), "{behind}");
    drop(client);
    server.stop().await;
}
