//! Servers that know the schema, over a real engine.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_server::Server;
use livestore_server::schema::{Proposal, SideEffects, States};
use livestore_server::store::{Durability, EventStore, NatsStore, PostgresStore, StoreLimits};
use livestore_sync::WebSocket;
use livestore_testing::sample::notes::{App, Note, NoteEvent, written};
use livestore_testing::wait_until;
use tokio::runtime::Runtime;

use crate::kit::id;
use crate::nats::Nats;
use crate::postgres::Postgres;

/// A server that accepts ten notes, and notes the events that it handles.
fn start(
    runtime: &Runtime,
    events: Arc<dyn EventStore>,
    handled: &Arc<Mutex<Vec<String>>>,
) -> (String, States<App>) {
    let handled = Arc::clone(handled);
    let effects = SideEffects::new("mail").time(Duration::from_secs(60)).on(
        "v1.NoteWritten",
        move |delivery| {
            if let Ok(NoteEvent::Written { id, .. }) = delivery.decode() {
                handled.lock().unwrap().push(id);
            }
            async { Ok(()) }
        },
    );
    let ten = |commit: &Proposal<'_, App>| match commit.query(Note::all().count())? {
        0..10 => Ok(()),
        _ => Err("there are ten notes already".into()),
    };
    let server = Server::builder(events).schema::<App>().validate(ten).side_effects(effects);
    let server = runtime.block_on(server.bind("127.0.0.1:0")).unwrap();
    let (url, states) = (format!("ws://{}", server.local_addr().unwrap()), server.states());
    runtime.spawn(server.serve(std::future::pending()));
    (url, states)
}

fn check(engine: impl Fn() -> Arc<dyn EventStore>) {
    let runtime = Runtime::new().unwrap();
    let handled = Arc::default();
    let servers: Vec<_> = (0..2).map(|_| start(&runtime, engine(), &handled)).collect();
    let clients: Vec<_> = (0..4)
        .map(|n: usize| {
            let (url, _) = &servers[n % 2];
            let options = SyncOptions::new(WebSocket::new(url));
            let client = Store::<App>::builder("notes").client_id(format!("c{n}"));
            client.sync(options).open().unwrap()
        })
        .collect();
    for round in 0..4 {
        for (n, client) in clients.iter().enumerate() {
            client.commit(written(format!("{n}-{round}"))).unwrap();
        }
    }
    let refused = || clients.iter().map(|c| c.sync_status().unwrap().refused).sum::<usize>();
    wait_until(|| clients.iter().all(|c| c.sync_status().unwrap().is_synced()) && refused() == 6);
    for (_, states) in &servers {
        let store = id("notes");
        assert_eq!(runtime.block_on(states.query(&store, Note::all().count())), Ok(10));
    }
    wait_until(|| handled.lock().unwrap().len() >= 10);
    wait_until(|| clients[0].sync_status().unwrap().upstream_head.global == 10);
    let order = clients[0].events().into_iter().map(Result::unwrap);
    let order = order.filter(|event| !event.is_client_only()).map(|event| {
        let NoteEvent::Written { id, .. } = event.decode().unwrap() else { panic!("{event:?}") };
        id
    });
    assert_eq!(*handled.lock().unwrap(), order.collect::<Vec<_>>());
    drop(clients);
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn servers_over_postgres_validate_and_handle_together() {
    let postgres = Postgres::start();
    let url = postgres.database("schema");
    check(|| {
        Arc::new(PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE).unwrap())
    });
}

#[test]
#[ignore = "needs NATS: cargo xtask engines"]
fn servers_over_nats_validate_and_handle_together() {
    let nats = Nats::start();
    check(|| Arc::new(NatsStore::connect(&nats.url(), StoreLimits::NONE).unwrap()));
}
