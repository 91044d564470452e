//! Our client on a link that takes far longer for a message than any side waits in silence.
//!
//! In proportion: 400 kB a second where a link may have 20, and half of a second between pings where
//! there are ten.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_server::Limits;
use livestore_server::auth::NoAuth;
use livestore_sync::{Http, WebSocket};
use livestore_testing::TIMEOUT;
use livestore_testing::sample::notes::{App, Note, NoteEvent};

use crate::client::TestServer;

/// In bytes a second.
const RATE: usize = 400_000;
/// The time that a side may be silent.
const SILENCE: Duration = Duration::from_millis(500);
/// It takes three times that long.
const LARGE: usize = 600_000;

/// A link to a server.
struct Link {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Link {
    fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (connections, server) = (Arc::new(AtomicUsize::new(0)), server.to_owned());
        let made = Arc::clone(&connections);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                made.fetch_add(1, Ordering::Relaxed);
                let server = TcpStream::connect(&server).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || carry(from, to));
                }
            }
        });
        Self { address, connections }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; RATE / 50];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        thread::sleep(Duration::from_secs_f64(count as f64 / RATE as f64));
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn large(id: &str) -> NoteEvent {
    NoteEvent::Written { id: id.to_owned(), text: "x".repeat(LARGE) }
}

fn open(options: impl Into<SyncOptions>, client: &str) -> Store<App> {
    Store::<App>::builder("s").client_id(client).sync(options).open().unwrap()
}

/// Events get up and down, on the connection that was made first.
async fn gets_through(slow: impl Fn(&str) -> SyncOptions + Send + 'static) {
    let limits = {
        let mut limits = Limits::default();
        limits.idle = 2 * SILENCE;
        limits
    };
    let server = TestServer::with(NoAuth, limits).await;
    let address = server.address.clone();
    let work = move || {
        let fast = open(WebSocket::new(format!("ws://{address}")), "fast");
        let link = Link::to(&address);
        let up = open(slow(&link.address), "up");
        up.commit(large("1")).unwrap();
        up.commit(large("2")).unwrap();
        assert!(up.wait_synced(TIMEOUT).unwrap());
        assert_eq!(link.connections.load(Ordering::Relaxed), 1, "up");
        fast.commit(large("3")).unwrap();
        livestore_testing::sync(&[&fast, &up]).unwrap();
        let link = Link::to(&address);
        let down = open(slow(&link.address), "down");
        assert!(down.wait_synced(TIMEOUT).unwrap());
        assert_eq!(down.query(Note::all().count()).unwrap(), 3);
        assert_eq!(link.connections.load(Ordering::Relaxed), 1, "down");
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_websocket() {
    gets_through(|address| WebSocket::new(format!("ws://{address}")).ping_every(SILENCE).into())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http() {
    gets_through(|address| Http::new(format!("http://{address}")).timeout(SILENCE).into()).await;
}
