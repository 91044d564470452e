use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use livestore_server::Server;
use livestore_server::schema::{Delivery, DeliveryError, RetryError, SideEffects};
use livestore_server::store::{
    Durability, EventStore, MemoryStore, OpenStoreError, Reply, SqliteStore, StoreError, StoreId,
    StoreInfo, StoreLimits, StoredEvent, Watcher,
};
use livestore_testing::sample::notes::{App, NoteEvent, written};

use super::{SchemaTestServer, id, memory, storages, synced, until};
use crate::client::Client;

const WRITTEN: &str = "v1.NoteWritten";

/// What has happened: the note, the attempt, the key.
#[derive(Clone, Default)]
struct Happened(Arc<Mutex<Vec<(String, u32, String)>>>);

impl Happened {
    fn note(&self, delivery: &Delivery) -> String {
        let NoteEvent::Written { id, .. } = delivery.decode().unwrap() else {
            panic!("{delivery:?}")
        };
        self.0.lock().unwrap().push((id.clone(), delivery.attempt, delivery.key.clone()));
        id
    }

    fn notes(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(id, ..)| id.clone()).collect()
    }

    fn attempts(&self) -> Vec<(String, u32)> {
        self.0.lock().unwrap().iter().map(|(id, attempt, _)| (id.clone(), *attempt)).collect()
    }

    fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(.., key)| key.clone()).collect()
    }
}

fn quick(name: &str) -> SideEffects {
    let millis = Duration::from_millis;
    SideEffects::new(name).delays(millis(1), millis(2))
}

/// Handles written notes by noting them; then `outcome` decides.
fn noting<F>(
    effects: SideEffects,
    happened: &Happened,
    outcome: impl Fn(String, u32) -> F + Send + Sync + 'static,
) -> SideEffects
where
    F: Future<Output = Result<(), DeliveryError>> + Send + 'static,
{
    let happened = happened.clone();
    effects.on(WRITTEN, move |delivery| outcome(happened.note(&delivery), delivery.attempt))
}

async fn start(events: &Arc<dyn EventStore>, effects: SideEffects) -> SchemaTestServer {
    let configure = |b: livestore_server::Builder| b.schema::<App>().side_effects(effects);
    SchemaTestServer::start(Arc::clone(events), configure).await
}

async fn write(server: &SchemaTestServer, notes: &[&str]) {
    let store = server.open("notes", "writer");
    until(|| store.sync_status().unwrap().is_synced()).await;
    for note in notes {
        store.commit(written(*note)).unwrap();
    }
    synced(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_handled_in_order_and_once_also_across_restarts() {
    for (events, _directory) in storages() {
        let happened = Happened::default();
        let effects = || noting(quick("mail"), &happened, async |_, _| Ok(()));
        let server = start(&events, effects()).await;
        write(&server, &["a", "b", "c"]).await;
        until(|| happened.notes().len() == 3).await;
        server.stop().await;
        let server = start(&events, effects()).await;
        write(&server, &["d"]).await;
        until(|| happened.notes().len() == 4).await;
        assert_eq!(happened.notes(), ["a", "b", "c", "d"]);
        let mut keys = happened.keys();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 4);
        assert_eq!(server.dead_letters.list(&id("notes")).await.unwrap(), []);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_is_opened_again_knows_what_was_handled() {
    let directory = tempfile::tempdir().unwrap();
    let happened = Happened::default();
    for (n, note) in ["a", "b", "c"].into_iter().enumerate() {
        let mut opened = None;
        // Whoever had it last may still be closing it.
        until(|| {
            match SqliteStore::open(directory.path(), Durability::Synced, StoreLimits::NONE) {
                Err(OpenStoreError::InUse(_)) => {}
                other => opened = Some(other.unwrap()),
            }
            opened.is_some()
        })
        .await;
        let events: Arc<dyn EventStore> = Arc::new(opened.unwrap());
        let server = start(&events, noting(quick("mail"), &happened, async |_, _| Ok(()))).await;
        write(&server, &[note]).await;
        until(|| happened.notes().len() == n + 1).await;
        server.stop().await;
    }
    assert_eq!(happened.notes(), ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_with_the_same_key_and_those_behind_it_wait() {
    let happened = Happened::default();
    let fails = async |note: String, attempt| match (&*note, attempt) {
        ("a", 1..3) => Err(io::Error::other("the mail server is away").into()),
        _ => Ok(()),
    };
    let server = start(&memory(), noting(quick("mail"), &happened, fails)).await;
    write(&server, &["a", "b"]).await;
    until(|| happened.notes().len() == 4).await;
    let attempts = [("a", 1), ("a", 2), ("a", 3), ("b", 1)];
    assert_eq!(happened.attempts(), attempts.map(|(note, n)| (note.to_owned(), n)));
    let keys = happened.keys();
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3], "{keys:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_listed_and_can_be_tried_again() {
    let (happened, works) = (Happened::default(), Arc::new(AtomicBool::new(false)));
    let again = Arc::clone(&works);
    let fails = move |note: String, _| {
        let works = Arc::clone(&works);
        async move {
            match &*note {
                _ if works.load(Ordering::Relaxed) => Ok(()),
                "a" => Err(DeliveryError::Retry("the address is wrong".into())),
                "b" => Err(DeliveryError::GiveUp("nobody wants it".into())),
                _ => Ok(()),
            }
        }
    };
    let server = start(&memory(), noting(quick("mail").attempts(3), &happened, fails)).await;
    write(&server, &["a", "b", "c"]).await;
    until(|| happened.notes().last().is_some_and(|last| last == "c")).await;
    assert_eq!(happened.notes(), ["a", "a", "a", "b", "c"]);
    let dead = server.dead_letters.list(&id("notes")).await.unwrap();
    let [a, b] = &*dead else { panic!("{dead:?}") };
    assert_eq!((a.seq, a.attempts, &*a.error, &*a.event), (1, 3, "the address is wrong", WRITTEN));
    assert_eq!((b.seq, b.attempts, &*b.error), (2, 1, "nobody wants it"));

    let failed = server.dead_letters.retry(a).await;
    assert_eq!(failed, Err(RetryError::Failed("the address is wrong".into())));
    assert_eq!(server.dead_letters.list(&id("notes")).await.unwrap()[0].attempts, 4);
    again.store(true, Ordering::Relaxed);
    server.dead_letters.retry(a).await.unwrap();
    assert_eq!(server.dead_letters.list(&id("notes")).await.unwrap(), std::slice::from_ref(b));
    assert_eq!(server.dead_letters.retry(a).await, Err(RetryError::NotDead { seq: 1 }));
    assert_eq!(happened.keys()[0], *happened.keys().last().unwrap());
    // The events that come now are handled as before.
    write(&server, &["d"]).await;
    until(|| happened.notes().last().is_some_and(|last| last == "d")).await;
    let unknown = server.dead_letters.list(&id("typo")).await;
    assert_eq!(unknown, Err(StoreError::Unknown));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_never_answers_holds_up_nobody_for_long() {
    let happened = Happened::default();
    let hangs = async |note: String, _| match &*note {
        "hangs" => std::future::pending().await,
        _ => Ok(()),
    };
    let effects = quick("hook").time(Duration::from_millis(30)).attempts(2).concurrent(1);
    let server = start(&memory(), noting(effects, &happened, hangs)).await;
    write(&server, &["hangs", "fine"]).await;
    until(|| happened.notes().last().is_some_and(|last| last == "fine")).await;
    // On a slow machine, even the other one may take longer than its time at first.
    assert_eq!(happened.notes()[..3], ["hangs", "hangs", "fine"]);
    let dead = server.dead_letters.list(&id("notes")).await.unwrap();
    assert!(dead[0].error.contains("no answer within 30ms"), "{dead:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_holds_up_nobody() {
    let happened = Happened::default();
    let panics = async |note: String, _| match &*note {
        "panics" => panic!("on purpose"),
        _ => Ok(()),
    };
    let effects = quick("hook").attempts(2).concurrent(1);
    let server = start(&memory(), noting(effects, &happened, panics)).await;
    write(&server, &["panics", "fine"]).await;
    until(|| happened.notes().last().is_some_and(|last| last == "fine")).await;
    assert_eq!(happened.notes(), ["panics", "panics", "fine"]);
    let dead = server.dead_letters.list(&id("notes")).await.unwrap();
    assert_eq!(dead[0].error, "the handler panicked");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_handled_only_if_that_is_wanted() {
    let events = memory();
    let none = start(&events, SideEffects::new("none")).await;
    write(&none, &["old"]).await;
    none.stop().await;
    let (new, all) = (Happened::default(), Happened::default());
    let configure = |b: livestore_server::Builder| {
        b.schema::<App>()
            .side_effects(noting(quick("new"), &new, async |_, _| Ok(())))
            .side_effects(noting(quick("all").from_the_beginning(), &all, async |_, _| Ok(())))
    };
    let server = SchemaTestServer::start(events, configure).await;
    until(|| all.notes() == ["old"]).await;
    write(&server, &["new"]).await;
    until(|| all.notes() == ["old", "new"] && new.notes() == ["new"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_accepted_at_once_after_the_first_start_is_handled() {
    let events = memory();
    let happened = Happened::default();
    let effects = noting(quick("mail"), &happened, async |_, _| Ok(()));
    let server = Server::builder(Arc::clone(&events)).schema::<App>().side_effects(effects);
    let server = server.bind("127.0.0.1:0").await.unwrap();
    // As by a connection that is faster than all else that the server begins.
    let other = start(&events, SideEffects::new("none")).await;
    write(&other, &["first"]).await;
    other.stop().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async move { drop(stopped.await) }));
    until(|| happened.notes() == ["first"]).await;
    drop(stop);
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_said_at_the_start() {
    let bind = async |effects: [SideEffects; 2]| {
        let builder = effects
            .into_iter()
            .fold(Server::builder(memory()).schema::<App>(), |builder, effects| {
                builder.side_effects(effects)
            });
        let error = builder.bind("127.0.0.1:0").await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        error.to_string()
    };
    let fine = || SideEffects::new("fine");
    assert!(bind([fine(), fine()]).await.contains("two side effects called `fine`"));
    let typo = SideEffects::new("typo").on("v1.NoteWriten", async |_| Ok(()));
    assert!(bind([fine(), typo]).await.contains("v1.NoteWriten"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_have_no_access_to_the_notes_of_the_server() {
    let events = memory();
    let happened = Happened::default();
    let server = start(&events, noting(quick("mail"), &happened, async |_, _| Ok(()))).await;
    write(&server, &["a"]).await;
    until(|| happened.notes().len() == 1).await;
    let own = events.list().unwrap().into_iter().map(|(id, _)| id);
    let own: Vec<_> = own.filter(|id| id.as_str().starts_with("livestore:")).collect();
    assert!(!own.is_empty());
    for store in own {
        let query = format!("storeId={store}&transport=ws");
        assert!(Client::try_connect(&server.address, &query, store.as_str()).await.is_err());
    }
    server.stop().await;
}

/// A storage that several servers share, or one that accepts no notes for a while.
struct Shared {
    events: MemoryStore,
    is_shared: bool,
    accepts_notes: AtomicBool,
}

impl Shared {
    fn new(is_shared: bool) -> Arc<Self> {
        let events = MemoryStore::new(StoreLimits::NONE);
        Arc::new(Self { events, is_shared, accepts_notes: AtomicBool::new(true) })
    }
}

impl EventStore for Shared {
    fn open(&self, store: &StoreId, reply: Reply<StoreInfo>) {
        self.events.open(store, reply);
    }

    fn open_as(&self, store: &StoreId, backend_id: &str, reply: Reply<StoreInfo>) {
        self.events.open_as(store, backend_id, reply);
    }

    fn append(&self, store: &StoreId, events: Arc<[StoredEvent]>, reply: Reply<()>) {
        let is_note = store.as_str().starts_with("livestore:");
        if is_note && !self.accepts_notes.load(Ordering::SeqCst) {
            return reply(Err(StoreError::Unavailable("on purpose".into())));
        }
        self.events.append(store, events, reply);
    }

    fn check(&self, reply: Reply<()>) {
        self.events.check(reply);
    }

    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.events.read(store, after, visit)
    }

    fn watch(&self, _: &StoreId, _: Weak<dyn Watcher>) -> bool {
        self.is_shared
    }

    fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        self.events.list()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_note_repeats_the_effect_with_the_same_key() {
    let shared = Shared::new(false);
    let events: Arc<dyn EventStore> = shared.clone();
    let happened = Happened::default();
    let effects = || noting(quick("mail"), &happened, async |_, _| Ok(()));
    let server = start(&events, effects()).await;
    write(&server, &["a"]).await;
    // Once that is noted.
    until(|| {
        events
            .list()
            .unwrap()
            .iter()
            .any(|(id, info)| id.as_str().matches('/').count() == 2 && info.head == 1)
    })
    .await;
    shared.accepts_notes.store(false, Ordering::SeqCst);
    write(&server, &["b"]).await;
    until(|| happened.notes() == ["a", "b"]).await;
    server.crash().await;
    shared.accepts_notes.store(true, Ordering::SeqCst);
    let server = start(&events, effects()).await;
    until(|| happened.notes() == ["a", "b", "b"]).await;
    let keys = happened.keys();
    assert!(keys[1] == keys[2] && keys[0] != keys[1], "{keys:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_servers_one_handles_an_event_and_another_takes_over() {
    let events: Arc<dyn EventStore> = Shared::new(true);
    let happened = Happened::default();
    let hangs = Arc::new(AtomicBool::new(false));
    let effects = |hangs: Arc<AtomicBool>| {
        noting(quick("mail").time(Duration::from_secs(5)), &happened, move |_, _| {
            let hangs = hangs.load(Ordering::SeqCst);
            async move { if hangs { std::future::pending().await } else { Ok(()) } }
        })
    };
    let first = start(&events, effects(Arc::clone(&hangs))).await;
    let second = start(&events, effects(Arc::default())).await;
    for n in 0..10 {
        let server = if n % 2 == 0 { &first } else { &second };
        write(server, &[&format!("{n}")]).await;
    }
    until(|| happened.notes().len() == 10).await;
    let mut notes = happened.notes();
    assert!(notes.is_sorted(), "{notes:?}");
    notes.dedup();
    assert_eq!(notes.len(), 10);
    // One that is gone in the midst of an attempt.
    hangs.store(true, Ordering::SeqCst);
    write(&first, &["last"]).await;
    until(|| happened.notes().len() == 11).await;
    first.crash().await;
    write(&second, &["more"]).await;
    until(|| happened.notes().ends_with(&["last".into(), "last".into(), "more".into()])).await;
    second.stop().await;
}
