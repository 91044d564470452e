//! Pushing.

use std::fs::File;
use std::io::Write;
use std::sync::mpsc::channel;
use std::time::Instant;

use livestore::prelude::*;
use livestore::sync::{BackendMessage, ConnectRequest, MessageSender, SyncBackend};

use super::backend::{Backend, Bare, PATIENCE, event};
use crate::Result;
use crate::app::{App, Created, TodoEvent};
use crate::harness::{Measured, ROUNDS, compare, measure, micros, time};

/// One event, beside one fsync of as much.
pub(crate) fn one() -> Result<Measured> {
    const PUSHES: u32 = 50;
    let backend = Backend::start()?;
    let mut client = Bare::connect(&backend, "one")?;
    let mut file = File::create(backend.directory.path().join("floor"))?;
    compare(
        ROUNDS,
        PUSHES,
        || time(|| (0..PUSHES).try_for_each(|_| client.push(1))),
        || {
            time(|| {
                for _ in 0..PUSHES {
                    file.write_all(&[0; 4_096])?;
                    file.sync_data()?;
                }
                Ok(())
            })
        },
    )
}

/// Events of pushes of 100, one push after the other.
pub(crate) fn hundred() -> Result<Measured> {
    const PUSHES: u32 = 50;
    let backend = Backend::start()?;
    let mut client = Bare::connect(&backend, "hundred")?;
    let measured =
        measure(100 * PUSHES, || time(|| (0..PUSHES).try_for_each(|_| client.push(100))))?;
    Ok(rate(measured))
}

/// Single events, each of another of 1,000 stores.
pub(crate) fn stores() -> Result<Measured> {
    const STORES: usize = 1_000;
    const PUSHES: u64 = 20;
    let backend = Backend::start()?;
    let (sender, received) = channel();
    let mut connections = Vec::with_capacity(STORES);
    for at in 0..STORES {
        let sender = sender.clone();
        let messages = MessageSender::new(move |message| drop(sender.send((at, message))));
        let web_socket = backend.web_socket().runtime(backend.runtime.handle().clone());
        connections.push((
            web_socket.connect(ConnectRequest::new(format!("store {at}"), None), messages),
            0,
        ));
    }
    for _ in 0..STORES {
        match received.recv_timeout(PATIENCE)? {
            (_, BackendMessage::Connected) => {}
            (at, other) => return Err(format!("store {at} received {other:?}").into()),
        }
    }
    let start = Instant::now();
    for (connection, head) in &mut connections {
        connection.push(vec![event(*head)], None);
    }
    let mut open = STORES;
    while open > 0 {
        let (at, message) = received.recv_timeout(PATIENCE)?;
        let Some((connection, head)) = connections.get_mut(at) else { continue };
        if message != BackendMessage::Pushed {
            return Err(format!("store {at} received {message:?}").into());
        }
        *head += 1;
        if *head < PUSHES {
            connection.push(vec![event(*head)], None);
        } else {
            open -= 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let pushes = (STORES as u64 * PUSHES) as f64;
    Ok(rate(Measured::alone(micros(start.elapsed()) / pushes)))
}

/// Fifty stores that all commit to one order, beside one that commits as much while the others
/// listen.
pub(crate) fn conflict() -> Result<Measured> {
    compare(5, CONFLICT_EVENTS, || writers(50), || writers(1))
}

const CONFLICT_EVENTS: u32 = 1_000;
const CONFLICT_STORES: u32 = 50;

/// How long it takes until everybody has all events.
fn writers(count: u32) -> Result<std::time::Duration> {
    let backend = Backend::start()?;
    let open = |n: u32| {
        let builder = Store::<App>::builder("conflict").client_id(format!("writer {n}"));
        builder.sync(backend.web_socket()).open()
    };
    let stores = (0..CONFLICT_STORES).map(open).collect::<Result<Vec<_>, _>>()?;
    for store in &stores {
        store.wait_synced(PATIENCE)?;
    }
    let each = CONFLICT_EVENTS / count;
    let live = |n: u32, store: &Store<App>| -> Result<()> {
        if n < count {
            for event in n * each..(n + 1) * each {
                store.commit(TodoEvent::from(Created::nth(event.into())))?;
            }
        }
        has_all(store)
    };
    time(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..)
                .zip(&stores)
                .map(|(n, store)| {
                    scope.spawn(move || live(n, store).map_err(|error| error.to_string()))
                })
                .collect();
            threads.into_iter().try_for_each(|thread| match thread.join() {
                Ok(lived) => Ok(lived?),
                Err(_) => Err("a writer panicked".into()),
            })
        })
    })
}

fn has_all(store: &Store<App>) -> Result<()> {
    let (tell, told) = channel();
    let status = store.live_sync_status()?;
    let all = u64::from(CONFLICT_EVENTS);
    let _guard = status.subscribe(move |status| {
        if status.upstream_head.global >= all {
            let _ = tell.send(());
        }
    });
    if status.get().upstream_head.global < all {
        told.recv_timeout(PATIENCE)?;
    }
    Ok(())
}

fn rate(measured: Measured) -> Measured {
    let note = format!("{:.0} events a second", 1e6 / measured.ours);
    measured.note(note)
}
