//! Every engine keeps the contract.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use livestore_server::store::{Durability, NatsStore, PostgresStore, StoreLimits, conformance};

use crate::nats::Nats;
use crate::postgres::Postgres;

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn postgres_conforms() {
    let postgres = Postgres::start();
    let next = AtomicU32::new(0);
    let open = |url: &str, limits| PostgresStore::connect(url, Durability::Synced, limits).unwrap();
    conformance::check(|limits| {
        let name = format!("fresh_{}", next.fetch_add(1, Ordering::Relaxed));
        open(&postgres.database(&name), limits)
    });
    let kept = postgres.database("kept");
    conformance::check_reopen(|| open(&kept, StoreLimits::NONE));
    let shared = postgres.database("shared");
    conformance::check_shared(|limits| open(&shared, limits));
}

#[test]
#[ignore = "needs nats-server: cargo xtask engines"]
fn nats_conforms() {
    let open = |nats: &Nats, limits| NatsStore::connect(&nats.url(), limits).unwrap();
    let servers = RefCell::new(Vec::new());
    conformance::check(|limits| {
        let nats = Nats::start();
        let storage = open(&nats, limits);
        servers.borrow_mut().push(nats);
        storage
    });
    let kept = Nats::start();
    conformance::check_reopen(|| open(&kept, StoreLimits::NONE));
    let shared = Nats::start();
    conformance::check_shared(|limits| open(&shared, limits));
}
