//! Pushing.

use std::fs::File;
use std::io::Write;
use std::sync::mpsc::channel;
use std::time::Instant;

use livestore::prelude::*;
use livestore::sync::{FromBackend, Hello, Inbox, SyncBackend};

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
    let (tell, heard) = channel();
    let mut links = Vec::with_capacity(STORES);
    for at in 0..STORES {
        let tell = tell.clone();
        let inbox = Inbox::new(move |message| drop(tell.send((at, message))));
        let web_socket = backend.web_socket().on(backend.runtime.handle().clone());
        links.push((web_socket.connect(Hello::new(format!("store {at}"), None), inbox), 0));
    }
    for _ in 0..STORES {
        match heard.recv_timeout(PATIENCE)? {
            (_, FromBackend::Connected) => {}
            (at, other) => return Err(format!("store {at} heard {other:?}").into()),
        }
    }
    let start = Instant::now();
    for (link, head) in &mut links {
        link.push(vec![event(*head)], None);
    }
    let mut open = STORES;
    while open > 0 {
        let (at, message) = heard.recv_timeout(PATIENCE)?;
        let Some((link, head)) = links.get_mut(at) else { continue };
        if message != FromBackend::Pushed {
            return Err(format!("store {at} heard {message:?}").into());
        }
        *head += 1;
        if *head < PUSHES {
            link.push(vec![event(*head)], None);
        } else {
            open -= 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let pushes = (STORES as u64 * PUSHES) as f64;
    Ok(rate(Measured::alone(micros(start.elapsed()) / pushes)))
}

/// Fifty stores that all commit to one order, beside one that commits as much.
pub(crate) fn conflict() -> Result<Measured> {
    const EVENTS: u64 = 1_000;
    compare(5, 1_000, || writers(50, EVENTS), || writers(1, EVENTS))
}

/// How long it takes until everybody's events have their place.
fn writers(count: u64, events: u64) -> Result<std::time::Duration> {
    let backend = Backend::start()?;
    let open = |n: u64| {
        let builder = Store::<App>::builder("conflict").client_id(format!("writer {n}"));
        builder.sync(backend.web_socket()).open()
    };
    let stores = (0..count).map(open).collect::<Result<Vec<_>, _>>()?;
    for store in &stores {
        store.wait_synced(PATIENCE)?;
    }
    let each = events / count;
    let write = |n: u64, store: &Store<App>| -> Result<(), livestore::Error> {
        for event in n * each..(n + 1) * each {
            store.commit(TodoEvent::from(Created::nth(event)))?;
        }
        store.wait_synced(PATIENCE)?;
        Ok(())
    };
    let took = time(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..).zip(&stores).map(|(n, store)| scope.spawn(move || write(n, store))).collect();
            threads.into_iter().try_for_each(|thread| match thread.join() {
                Ok(written) => Ok(written?),
                Err(_) => Err("a writer panicked".into()),
            })
        })
    })?;
    let mut confirmed =
        stores.iter().map(|store| store.sync_status().map(|it| it.upstream_head.global));
    let most = confirmed.try_fold(0, |most, head| head.map(|head| most.max(head)))?;
    assert_eq!(most, events);
    Ok(took)
}

fn rate(measured: Measured) -> Measured {
    let note = format!("{:.0} events a second", 1e6 / measured.ours);
    measured.note(note)
}
