//! Backends that do not accept what they get, or return something else than they got.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore::state::QuarantineReason;
use livestore::sync::{
    ConnectRequest, Connection, Cursor, MessageSender, NetworkStatus, SyncBackend, SyncError,
    SyncEvent, SyncOptions,
};
use livestore_sync::InProcess;
use livestore_testing::sample::notes::{App, Note, NoteEvent, written};
use livestore_testing::{StoreDirectory, TIMEOUT, assert_converged, wait_until};

fn open(backend: impl SyncBackend, client: &str) -> Store<App> {
    Store::<App>::builder("notes").client_id(client).sync(SyncOptions::new(backend)).open().unwrap()
}

fn ids(store: &Store<App>) -> Vec<String> {
    store.query(Note::all().order_by(Note::ID.asc()).select(Note::ID)).unwrap()
}

/// A backend that refuses, for good, every note whose id begins with `odd`.
fn picky() -> InProcess {
    let backend = InProcess::new();
    backend.refuse(|event| {
        event.args.contains(r#""id":"odd"#).then(|| SyncError::Invalid("no odd notes".to_owned()))
    });
    backend
}

#[test]
fn what_is_refused_for_good_does_not_block_what_comes_after_it() {
    let backend = picky();
    let (a, b) = (open(backend.clone(), "a"), open(backend.clone(), "b"));
    a.pause_sync();
    a.commit(written("1")).unwrap();
    a.commit([written("odd"), written("with odd")]).unwrap();
    a.commit(NoteEvent::Seen { id: "1".into() }).unwrap();
    a.commit(written("2")).unwrap();
    assert_eq!(ids(&a).len(), 4);
    a.resume_sync();
    livestore_testing::sync(&[&a, &b]).unwrap();
    wait_until(|| ids(&b) == ["1", "2"]);
    assert_eq!(ids(&a), ["1", "2"], "the commit of the refused event is not applied either");
    assert_eq!(a.query(Note::get("1")).unwrap().unwrap().text, "seen");

    let refused = a.quarantined().unwrap();
    let reason = QuarantineReason::Refused("no odd notes".into());
    assert!(refused.iter().all(|event| event.reason == reason), "{refused:?}");
    assert_eq!(refused.len(), 2);
    assert!(refused[0].args.contains("odd") && refused[1].args.contains("with odd"));
    let status = a.sync_status().unwrap();
    assert_eq!((status.refused, status.pending), (2, 0));
    assert!(status.to_string().contains("2 refused"), "{status}");
    assert_eq!(b.sync_status().unwrap().refused, 0);
    assert!(backend.events("notes").iter().all(|event| !event.args.contains("odd")));

    // The app recovers it in a form that the backend accepts.
    a.commit(written("even")).unwrap();
    livestore_testing::sync(&[&a, &b]).unwrap();
    wait_until(|| ids(&b) == ["1", "2", "even"]);
}

#[test]
fn a_refused_commit_is_kept_over_a_restart_and_a_rebuild() {
    let (directory, backend) = (StoreDirectory::new("notes"), picky());
    let refused = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&refused);
    let builder = || directory.builder::<App>().client_id("a");
    let a = builder()
        .sync(backend.clone())
        .on_quarantined(move |event| noted.lock().unwrap().push(event.reason.to_string()))
        .open()
        .unwrap();
    a.commit(written("odd")).unwrap();
    a.commit(written("1")).unwrap();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    assert_eq!(*refused.lock().unwrap(), ["the sync backend refuses it for good: no odd notes"]);
    let before = a.quarantined().unwrap();
    a.reset_state().unwrap();
    assert_eq!(a.quarantined().unwrap(), before);
    a.close().unwrap();

    let a = builder().sync(backend.clone()).open().unwrap();
    assert_eq!((a.quarantined().unwrap(), a.sync_status().unwrap().refused), (before, 1));
    assert!(a.wait_synced(TIMEOUT).unwrap());
    assert_eq!(ids(&a), ["1"]);
    let in_log: Vec<_> = a.events().into_iter().map(Result::unwrap).collect();
    assert_eq!(in_log.len(), 2, "nothing is lost");
    assert_eq!(
        in_log.iter().filter_map(EncodedEvent::refusal).collect::<Vec<_>>(),
        ["no odd notes"]
    );
    let mut followed = a.events().follow();
    let names = std::iter::from_fn(|| followed.try_next()).map(|event| event.unwrap().args);
    assert_eq!(names.collect::<Vec<_>>().len(), 1, "it never had a place in the order");
    assert_eq!(backend.events("notes").len(), 1);
}

#[test]
fn others_go_on_between_the_refusals() {
    let backend = picky();
    let (a, b) = (open(backend.clone(), "a"), open(backend.clone(), "b"));
    for n in 0..40 {
        a.commit(written(format!("{}{n}", if n % 7 == 3 { "odd" } else { "a" }))).unwrap();
        b.commit(written(format!("b{n}"))).unwrap();
    }
    livestore_testing::sync(&[&a, &b]).unwrap();
    assert_converged(&[&a, &b]);
    assert_eq!(a.sync_status().unwrap().refused, 6);
    assert_eq!(ids(&b).len(), 74);
}

#[test]
fn what_is_refused_for_now_is_pushed_once_it_may_be() {
    let backend = InProcess::new();
    backend.refuse(|_| Some(SyncError::Refused("the store is full".to_owned())));
    let a = open(backend.clone(), "a");
    a.commit(written("1")).unwrap();
    wait_until(|| matches!(a.network_status().unwrap(), NetworkStatus::ReadOnly { .. }));
    let status = a.sync_status().unwrap();
    assert!(status.next_attempt.is_some_and(|at| at > now()), "{status}");
    assert_eq!((status.refused, a.quarantined().unwrap().len()), (0, 0));
    assert_eq!(ids(&a), ["1"], "it is still there");
    backend.refuse(|_| None);
    a.reconnect_now();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    assert_eq!(a.sync_status().unwrap().next_attempt, None);
}

#[test]
fn who_is_offline_says_when_the_next_attempt_is() {
    let backend = InProcess::new();
    backend.set_online(false);
    let a = open(backend.clone(), "a");
    // Between two attempts, there is one under way.
    wait_until(|| a.sync_status().unwrap().to_string().contains("(next attempt at 2"));
    backend.set_online(true);
    a.reconnect_now();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    // A hint does not end a pause.
    a.pause_sync();
    a.reconnect_now();
    wait_until(|| a.network_status().unwrap() == NetworkStatus::Paused);
}

#[test]
fn a_payload_that_is_not_json_is_an_error_at_once() {
    for payload in ["secret", "", "{'authToken':1}"] {
        let options = SyncOptions::new(InProcess::new()).payload(payload);
        let error = Store::<App>::builder("notes").sync(options).open().unwrap_err();
        assert!(error.to_string().contains("the sync payload is not JSON"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let a = open(InProcess::new(), "a");
    assert!(a.set_sync_payload("secret").is_err());
}

/// A backend that reads and writes JSON as JavaScript does.
#[derive(Debug, Clone)]
struct JavaScript(InProcess);

struct Rewriting(Box<dyn Connection>);

impl SyncBackend for JavaScript {
    fn connect(&self, request: ConnectRequest, messages: MessageSender) -> Box<dyn Connection> {
        Box::new(Rewriting(self.0.connect(request, messages)))
    }
}

impl Connection for Rewriting {
    fn pull(&mut self, cursor: Option<Cursor>) {
        self.0.pull(cursor);
    }

    fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>) {
        let rewrite = |event: SyncEvent| SyncEvent { args: rewritten(&event.args), ..event };
        self.0.push(events.into_iter().map(rewrite).collect(), backend_id);
    }
}

fn rewritten(args: &str) -> String {
    args.replace("9007199254740993", "9007199254740992").replace("2.0", "2").replace("-0.0", "0")
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    #[column(primary_key)]
    pub id: String,
    pub count: i64,
    pub text: String,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.Measured")]
pub struct Measurement {
    pub id: String,
    pub count: i64,
    pub share: f64,
}

impl Materialize for Measurement {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let text = format!("{:?}", self.share);
        state.upsert(&Measured { id: self.id.clone(), count: self.count, text })
    }
}

livestore::schema! { pub Lab { tables: [Measured], events: [Measurement] } }

#[test]
fn what_the_backend_has_rewritten_is_what_everybody_has() {
    let backend = JavaScript(InProcess::new());
    let open = |client: &str| {
        Store::<Lab>::builder("lab").client_id(client).sync(backend.clone()).open().unwrap()
    };
    let (a, b) = (open("a"), open("b"));
    let measured = |id: &str, count, share| Measurement { id: id.to_owned(), count, share };
    a.pause_sync();
    a.commit(measured("same", 1, 0.5)).unwrap();
    a.commit([measured("large", 9_007_199_254_740_993, 0.5), measured("with it", 1, 0.5)]).unwrap();
    a.commit(measured("whole", 1, 2.0)).unwrap();
    a.resume_sync();
    b.commit(measured("negative", 1, -0.0)).unwrap();
    livestore_testing::sync(&[&a, &b]).unwrap();
    assert_converged(&[&a, &b]);
    let large = a.query(Measured::get("large")).unwrap().unwrap();
    assert_eq!(large.count, 9_007_199_254_740_992);
    assert_eq!(a.query(Measured::all().count()).unwrap(), 5);
    assert!(a.quarantined().unwrap().is_empty());
}
