//! New clients that open from an image of the state.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use livestore::__private::web::{History, Journal, without_files};
use livestore::eventlog::EventlogError;
use livestore::prelude::*;
use livestore::store::LoadHistoryError;
use livestore::sync::{
    ConnectRequest, Connection, ImageReply, ImageRequest, InitialSync, MessageSender, SyncBackend,
    SyncOptions,
};
use livestore_server::schema::ImageLimits;
use livestore_server::{Builder, schema::SchemaBuilder};
use livestore_sync::{Http, WebSocket};
use livestore_testing::sample::notes::{App, Note, NoteEvent, added, written};
use livestore_testing::sample::todos;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{SchemaTestServer, id, ids, memory, synced, until};
use crate::client::PATIENCE;

/// A server that sends images.
async fn serving() -> SchemaTestServer {
    SchemaTestServer::start(memory(), with_images).await
}

fn with_images(builder: Builder) -> SchemaBuilder<App> {
    builder.schema::<App>().images(ImageLimits::default())
}

/// Has a store with as many events, of which some cannot be applied.
async fn filled(server: &SchemaTestServer, store: &str, events: usize) -> Store<App> {
    let writer = server.open(store, "writer");
    for n in 0..events {
        writer
            .commit(if n % 3 == 0 { written("same") } else { added(format!("n{n:04}")) })
            .unwrap();
    }
    synced(&writer).await;
    writer
}

fn options(backend: impl SyncBackend) -> SyncOptions {
    SyncOptions::new(backend).initial(InitialSync::Image(PATIENCE))
}

fn socket(server: &SchemaTestServer) -> WebSocket {
    WebSocket::new(format!("ws://{}", server.address))
}

/// Opens a store, which blocks, beside the server of the test.
async fn open(
    builder: impl FnOnce() -> livestore::store::Builder<App> + Send + 'static,
) -> Store<App> {
    tokio::task::spawn_blocking(move || builder().open().unwrap()).await.unwrap()
}

/// Opens a store in memory with an image that it gets in this way.
async fn open_by(backend: impl SyncBackend) -> Store<App> {
    open(move || Store::builder("notes").sync(options(backend))).await
}

async fn load_history(store: &Store<App>) -> Result<(), LoadHistoryError> {
    let store = store.clone();
    tokio::task::spawn_blocking(move || store.load_history(PATIENCE)).await.unwrap()
}

fn no_image(store: &Store<App>) -> Option<String> {
    store.sync_status().unwrap().no_image
}

/// The events' places, names and args: the generation is each client's own.
fn events(store: &Store<App>) -> Vec<(u64, String, String)> {
    let events = store.events().into_iter().map(Result::unwrap);
    events.map(|event| (event.seq.global, event.name.to_string(), event.args)).collect()
}

fn quarantined(store: &Store<App>) -> Vec<(u64, String)> {
    let quarantined = store.quarantined().unwrap().into_iter();
    quarantined.map(|event| (event.seq.global, format!("{:?}", event.reason))).collect()
}

/// Waits until both have the same state, and nothing is pending.
async fn agree(a: &Store<App>, b: &Store<App>) {
    until(|| {
        let is_synced = |store: &Store<App>| store.sync_status().unwrap().is_synced();
        let head = |store: &Store<App>| store.head().unwrap().global;
        is_synced(a) && is_synced(b) && head(a) == head(b)
    })
    .await;
    assert_eq!(a.state_hash().unwrap(), b.state_hash().unwrap());
    assert_eq!(ids(a), ids(b));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_an_image_is_like_one_that_has_replayed() {
    let server = serving().await;
    let writer = filled(&server, "notes", 300).await;
    let http =
        Http::new(format!("http://{}", server.address)).poll_every(Duration::from_millis(10));
    let clients = [open_by(socket(&server)).await, open_by(http).await];
    for (n, client) in clients.into_iter().enumerate() {
        assert_eq!(no_image(&client), None);
        let first = client.events().into_iter().next().unwrap().map(|event| event.seq);
        assert_eq!(first, Err(EventlogError::NotReceived { after: SeqNum::new(299) }));
        agree(&client, &writer).await;

        // Live queries, own commits, others', and a rebase in which one cannot be applied.
        let count = client.live(Note::all().count()).unwrap();
        let before = count.get();
        client.commit(added(format!("of client {n}"))).unwrap();
        client.pause_sync();
        client.commit([written("same"), added(format!("of both {n}"))]).unwrap();
        writer.commit(added(format!("of both {n}"))).unwrap();
        synced(&writer).await;
        client.resume_sync();
        agree(&client, &writer).await;
        assert_eq!(quarantined(&client), quarantined(&writer));
        assert_eq!(quarantined(&client).len(), 2 * (n + 1));
        assert_eq!(**count.get(), client.query(Note::all().count()).unwrap());
        assert_eq!(**count.get(), **before + 2);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_an_image_opens_again_from_its_snapshot_or_pulls_all_events() {
    let server = serving().await;
    let writer = filled(&server, "notes", 50).await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().to_owned();
    let backend = socket(&server);
    let builder =
        move || Store::<App>::builder("notes").directory(&path).sync(options(backend.clone()));
    let client = open(builder.clone()).await;
    agree(&client, &writer).await;
    client.commit(added("own")).unwrap();
    agree(&client, &writer).await;
    client.pause_sync();
    client.commit([added("pending"), NoteEvent::Seen { id: "own".into() }]).unwrap();
    let (hash, head) = (client.state_hash().unwrap(), client.head().unwrap());
    client.close().unwrap();

    // Again, without the backend.
    let (path, backend) = (directory.path().to_owned(), socket(&server));
    let offline = move || {
        let paused = SyncOptions::new(backend.clone()).start_paused();
        Store::<App>::builder("notes").directory(&path).sync(paused)
    };
    let client = open(offline.clone()).await;
    assert_eq!((client.state_hash().unwrap(), client.head().unwrap()), (hash, head));
    assert_eq!(client.sync_status().unwrap().pending, 1);
    client.close().unwrap();

    // Without the snapshot, what is not synced is left, until all is pulled.
    let snapshot = directory.path().join("notes/state.snapshot");
    std::fs::remove_file(&snapshot).unwrap();
    let client = open(offline).await;
    assert_eq!(ids(&client), ["pending"]);
    assert_eq!(client.sync_status().unwrap().pending, 1);
    client.close().unwrap();
    let client = open(builder).await;
    until(|| client.sync_status().unwrap().is_synced()).await;
    until(|| writer.head().unwrap().global == client.head().unwrap().global).await;
    assert_eq!(ids(&client), ids(&writer));
    let seen = client.query(Note::filter(Note::ID.eq("own"))).unwrap();
    assert_eq!(seen[0].text, "seen", "the client-only event is not lost");
    assert_eq!(events(&client)[0].0, 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_there_once_it_was_loaded() {
    let server = serving().await;
    let writer = filled(&server, "notes", 2_500).await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().to_owned();
    let backend = socket(&server);
    let builder =
        move || Store::<App>::builder("notes").directory(&path).sync(options(backend.clone()));
    let client = open(builder.clone()).await;
    let early = client.state_at(SeqNum::new(3)).map(|_| ()).unwrap_err().to_string();
    assert!(early.contains("load_history"), "{early}");
    client.commit(written("own")).unwrap();
    agree(&client, &writer).await;

    // A session of it reads the same, and is not the one that writes the log.
    let session = open(builder.clone()).await;
    assert_ne!(session.session_id(), client.session_id());
    assert_eq!(session.state_hash().unwrap(), client.state_hash().unwrap());
    assert_eq!(load_history(&session).await, Err(LoadHistoryError::OtherSession));
    session.commit(written("of the session")).unwrap();
    // The leader has it, then.
    session.flush().unwrap();
    agree(&client, &writer).await;

    load_history(&client).await.unwrap();
    load_history(&client).await.unwrap();
    load_history(&session).await.unwrap();
    for store in [&client, &session] {
        assert_eq!(events(store), events(&writer));
        store.verify_replay().unwrap();
        assert_eq!(store.state_at(SeqNum::new(3)).unwrap().query(Note::all().count()), Ok(3));
    }
    drop(session);
    client.close().unwrap();
    std::fs::remove_file(directory.path().join("notes/state.snapshot")).unwrap();
    let client = open(builder).await;
    agree(&client, &writer).await;
    assert_eq!(events(&client), events(&writer));

    // In memory, too; and not from a backend that cannot be reached.
    let client = open_by(socket(&server)).await;
    load_history(&client).await.unwrap();
    assert_eq!(events(&client), events(&writer));
    let (client, address) = (open_by(socket(&server)).await, server.address.clone());
    server.crash().await;
    let lost = load_history(&client).await.unwrap_err();
    assert!(matches!(lost, LoadHistoryError::Backend { .. }), "{lost} at {address}");
}

/// A session that has none of its leader's files, as a browser's page.
async fn page(directory: &TempDir) -> Store<App> {
    let path = directory.path().to_owned();
    open(move || {
        let builder = Store::builder("notes").directory(path);
        without_files(builder, "window".to_owned(), NoJournal)
    })
    .await
}

struct NoJournal;

impl Journal for NoJournal {
    fn add(&self, _: u64, _: Vec<u8>) {}
    fn remove(&self, _: u64) {}
}

async fn history_of(store: &Store<App>) -> Result<(), LoadHistoryError> {
    timeout(PATIENCE, History::of(store)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_files_has_its_leader_fetch_the_history() {
    let server = serving().await;
    let writer = filled(&server, "notes", 2_500).await;
    let directory = TempDir::new().unwrap();
    let (path, backend) = (directory.path().to_owned(), socket(&server));
    let builder =
        move || Store::<App>::builder("notes").directory(&path).sync(options(backend.clone()));
    let leader = open(builder.clone()).await;
    let pages = [page(&directory).await, page(&directory).await];
    pages[0].commit(added("of a page")).unwrap();
    // The leader has it, then.
    pages[0].flush().unwrap();
    agree(&leader, &writer).await;
    let (one, two) = tokio::join!(history_of(&pages[0]), history_of(&pages[1]));
    assert_eq!((one, two), (Ok(()), Ok(())));
    for store in [&leader, &pages[0], &pages[1]] {
        agree(store, &writer).await;
        assert_eq!(events(store), events(&writer));
        store.verify_replay().unwrap();
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_needs_all_events_is_welcomed_once_they_are_there() {
    let server = serving().await;
    let writer = filled(&server, "notes", 300).await;
    let directory = TempDir::new().unwrap();
    let (path, backend) = (directory.path().to_owned(), socket(&server));
    let leader = open(move || Store::builder("notes").directory(path).sync(options(backend))).await;
    std::fs::remove_file(directory.path().join("notes/state.snapshot")).unwrap();
    let page = page(&directory).await;
    agree(&page, &writer).await;
    assert_eq!((events(&page), events(&leader)), (events(&writer), events(&writer)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_knows_why_there_is_no_image_and_why_no_history() {
    let server = serving().await;
    let writer = filled(&server, "notes", 40).await;
    let directories = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let leader_in = async |directory: &TempDir, backend: Answering| {
        let path = directory.path().to_owned();
        open(move || Store::builder("notes").directory(path).sync(options(backend))).await
    };
    let answers = [Err("not today".to_owned()), Ok(fetch(&server, "notes").await.unwrap())];
    let backends = answers.map(|answer| Answering { inner: socket(&server), answer });
    let [refusing, sending] = backends;
    let replayed = leader_in(&directories[0], refusing).await;
    let reason = no_image(&page(&directories[0]).await);
    assert_eq!((reason.as_deref(), no_image(&replayed)), (Some("not today"), reason.clone()));

    let leader = leader_in(&directories[1], sending).await;
    let page = page(&directories[1]).await;
    assert_eq!(no_image(&page), None);
    agree(&page, &writer).await;
    server.crash().await;
    for _ in 0..2 {
        let failed = history_of(&page).await.unwrap_err();
        assert!(matches!(failed, LoadHistoryError::Leader { .. }), "{failed}");
        let failed = history_of(&leader).await.unwrap_err();
        assert!(matches!(failed, LoadHistoryError::Backend { .. }), "{failed}");
    }
    leader.close().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_image_of_this_store_is_not_used() {
    let server = serving().await;
    let writer = filled(&server, "notes", 40).await;
    drop(filled(&server, "other", 40).await);
    let image = fetch(&server, "notes").await.unwrap();
    let flipped = |at: usize| {
        let mut image = image.clone();
        image[at] ^= 0x10;
        image
    };
    let length = image.len();
    let mut bad: Vec<(String, Result<Vec<u8>, String>)> = vec![
        ("nothing".into(), Ok(Vec::new())),
        ("a web page".into(), Ok(b"<!doctype html>".to_vec())),
        ("an image of another store".into(), Ok(fetch(&server, "other").await.unwrap())),
        ("a refusal".into(), Err("not today".into())),
    ];
    for cut in [1, 8, 19, 20, 300, length / 2, length - 1] {
        bad.push((format!("cut at {cut}"), Ok(image[..cut].to_vec())));
    }
    for at in (0..length).step_by(length / 40) {
        bad.push((format!("flipped at {at}"), Ok(flipped(at))));
    }
    for (what, answer) in bad {
        let client = open_by(Answering { inner: socket(&server), answer }).await;
        assert!(no_image(&client).is_some(), "{what}");
        agree(&client, &writer).await;
        assert_eq!(events(&client).len(), 40, "{what}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_another_backend_or_of_events_that_it_lost_is_given_up() {
    let (server, other) = (serving().await, serving().await);
    let writer = filled(&server, "notes", 40).await;
    drop(filled(&other, "notes", 60).await);
    let answer = Ok(fetch(&other, "notes").await.unwrap());
    let client = open_by(Answering { inner: socket(&server), answer }).await;
    until(|| no_image(&client).is_some()).await;
    agree(&client, &writer).await;
    assert_eq!(events(&client).len(), 40);
    server.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_images_at_the_server_clients_replay() {
    let server = SchemaTestServer::start(memory(), Builder::schema::<App>).await;
    let writer = filled(&server, "notes", 20).await;
    let client = open_by(socket(&server)).await;
    assert!(no_image(&client).is_some());
    agree(&client, &writer).await;
    server.stop().await;

    // A client with a different schema, and one whose store is empty.
    let server = serving().await;
    let todos = socket(&server);
    let todos = tokio::task::spawn_blocking(move || {
        Store::<todos::App>::builder("todos").sync(options(todos)).open().unwrap()
    });
    let status = todos.await.unwrap().sync_status().unwrap();
    assert!(status.no_image.unwrap().contains("409"));
    assert!(no_image(&open_by(socket(&server)).await).unwrap().contains("404"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_committed_before_it_connects_replays() {
    let server = serving().await;
    let writer = filled(&server, "notes", 20).await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().to_owned();
    let builder = move || Store::<App>::builder("notes").directory(&path);
    let client = open(builder.clone()).await;
    client.commit(added("before")).unwrap();
    client.close().unwrap();
    let backend = socket(&server);
    let client = open(move || builder().sync(options(backend))).await;
    agree(&client, &writer).await;
    assert_eq!((events(&client).len(), no_image(&client)), (21, None));
    assert!(ids(&client).contains(&"before".to_owned()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_for_those_who_may_read_and_small_enough() {
    let directory = TempDir::new().unwrap();
    let tokens = directory.path().join("tokens");
    std::fs::write(&tokens, "all * read,write\npen notes write\n").unwrap();
    let auth = Arc::new(livestore_server::auth::TokenFile::open(&tokens).unwrap());
    let mut limits = ImageLimits::default();
    limits.bytes = 60_000;
    let configure = |builder: Builder| builder.auth(auth).schema::<App>().images(limits);
    let server = SchemaTestServer::start(memory(), configure).await;
    let hash = livestore::replica::Replica::<App>::schema_hash().unwrap();
    let address = &server.address;
    let status = async |store: &str, token: &str, hash: &str| {
        post(address, store, token, hash).await.map(|_| 200).unwrap_or_else(|status| status)
    };
    let ours = hash.to_string();
    assert_eq!(status("notes", "all", &ours).await, 404, "there is no such store yet");
    let events = server.states.query(&id("notes"), Note::all().count()).await;
    assert!(events.is_err(), "the question has made none");
    let writer = server.open_with("notes", "w", &serde_json::json!({"authToken": "all"}));
    writer.commit(written("1")).unwrap();
    synced(&writer).await;
    assert_eq!(status("notes", "all", &ours).await, 200);
    assert_eq!(status("notes", "nobody", &ours).await, 401);
    assert_eq!(status("notes", "pen", &ours).await, 403);
    assert_eq!(status("livestore:x", "all", &ours).await, 403);
    assert_eq!(status("notes", "all", "7").await, 409);
    assert_eq!(status("notes", "all", "x").await, 400);
    assert_eq!(status("", "all", &ours).await, 400);
    writer.commit(NoteEvent::Written { id: "2".into(), text: "x".repeat(100_000) }).unwrap();
    synced(&writer).await;
    assert_eq!(status("notes", "all", &ours).await, 413);
    server.stop().await;
}

/// The image that the server sends of a store.
async fn fetch(server: &SchemaTestServer, store: &str) -> Result<Vec<u8>, u16> {
    let hash = livestore::replica::Replica::<App>::schema_hash().unwrap();
    post(&server.address, store, "", &hash.to_string()).await
}

async fn post(address: &str, store: &str, token: &str, hash: &str) -> Result<Vec<u8>, u16> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /image?storeId={store}&transport=http HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\nlivestore-schema-hash: {hash}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    match head.split(' ').nth(1).unwrap().parse().unwrap() {
        200 => Ok(answer.split_off(end + 4)),
        status => Err(status),
    }
}

/// A backend that answers every request for an image in the same way.
struct Answering {
    inner: WebSocket,
    answer: Result<Vec<u8>, String>,
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}

impl SyncBackend for Answering {
    fn connect(&self, request: ConnectRequest, messages: MessageSender) -> Box<dyn Connection> {
        self.inner.connect(request, messages)
    }

    fn image(&self, _: ImageRequest, reply: ImageReply) {
        reply(self.answer.clone());
    }
}
