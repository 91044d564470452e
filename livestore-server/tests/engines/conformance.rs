//! Every engine keeps the contract.

use std::sync::atomic::{AtomicU32, Ordering};

use livestore_server::store::{Durability, PostgresStore, StoreLimits, conformance};

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
