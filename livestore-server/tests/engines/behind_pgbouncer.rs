//! Postgres behind a PgBouncer that lends a connection for one transaction: nothing of a session lasts, such
//! as prepared statements and LISTEN, and another server's may be there instead.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Weak};

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_server::store::{
    Durability, EventStore, OpenPostgresError, PostgresStore, StoreLimits, StoredEvent, Watcher,
    conformance,
};
use livestore_sync::WebSocket;
use livestore_testing::sample::notes::{App, added};
use livestore_testing::{TIMEOUT, wait_until};

use crate::bad_input::said;
use crate::kit::{append, ask, event, id, read};
use crate::outages::{Seen, a_crash_interrupts_an_append, crashes_lose_and_double_nothing};
use crate::pgbouncer::{PgBouncer, crash_in_turn};
use crate::postgres::Postgres;

fn connect(url: &str, limits: StoreLimits) -> Result<PostgresStore, OpenPostgresError> {
    PostgresStore::connect(url, Durability::Synced, limits)
}

fn open(url: &str) -> PostgresStore {
    connect(url, StoreLimits::NONE).unwrap()
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer: cargo xtask engines"]
fn it_conforms() {
    let postgres = Postgres::start();
    let bouncer = PgBouncer::start(&postgres, 3);
    let next = AtomicU32::new(0);
    let database = |name: &str| {
        postgres.database(name);
        bouncer.url(name)
    };
    conformance::check(|limits| {
        let name = format!("fresh_{}", next.fetch_add(1, Ordering::Relaxed));
        connect(&database(&name), limits).unwrap()
    });
    let kept = database("kept");
    conformance::check_reopen(|| open(&kept));
    let shared = database("shared");
    conformance::check_shared(|limits| connect(&shared, limits).unwrap());
}

/// The names of prepared statements are those of every program with the same library.
#[test]
#[ignore = "needs PostgreSQL and PgBouncer: cargo xtask engines"]
fn no_statement_of_others_is_executed() {
    let postgres = Postgres::start();
    postgres.database("names");
    // All share one connection.
    let bouncer = PgBouncer::start(&postgres, 1);
    let url = bouncer.url("names");
    let mut log = Vec::new();
    let mut check = |is_prepared: bool, statements: &str| {
        postgres.sql_at(&url, "DEALLOCATE ALL");
        let storage = open(&url);
        ask(|reply| storage.open(&id("s"), reply)).unwrap();
        if is_prepared {
            append_next(&storage, &mut log);
        }
        postgres.sql_at(&url, statements);
        append_next(&storage, &mut log);
    };
    let with_all_names = |statement: &str| {
        format!(
            "DEALLOCATE ALL;
             DO $$ BEGIN
               FOR n IN 0..20000 LOOP EXECUTE 'PREPARE s' || n || '{statement}'; END LOOP;
             END $$"
        )
    };
    // Where it is to be prepared, the name is in use.
    check(false, &with_all_names(" AS SELECT 1"));
    // Where it was prepared, it is gone, or there is something else.
    check(true, "DEALLOCATE ALL");
    check(true, &with_all_names(" AS SELECT 1"));
    check(true, &with_all_names("(bigint, bigint) AS SELECT $1 + $2"));
}

/// Appends an event, and reads all.
fn append_next(storage: &PostgresStore, log: &mut Vec<StoredEvent>) {
    let next = event(log.len() as u64, "{}");
    append(storage, &id("s"), std::slice::from_ref(&next)).unwrap();
    log.push(next);
    assert_eq!(read(storage, &id("s")), *log);
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer: cargo xtask engines"]
fn without_listen_the_news_of_others_arrive() {
    let postgres = Postgres::start();
    postgres.database("news");
    let bouncer = PgBouncer::start(&postgres, 2);
    let (first, second) = (open(&bouncer.url("news")), open(&bouncer.url("news")));
    let store = id("s");
    for storage in [&first, &second] {
        ask(|reply| storage.open(&store, reply)).unwrap();
    }
    let seen = Arc::new(Seen::default());
    let watcher: Weak<Seen> = Arc::downgrade(&seen);
    second.watch(&store, watcher);
    for parent in 0..20 {
        append(&first, &store, &[event(parent, "{}")]).unwrap();
        wait_until(|| seen.head() == parent + 1);
    }
}

/// Two servers as operators run them, and what they write to their logs.
#[test]
#[ignore = "needs PostgreSQL and PgBouncer: cargo xtask engines"]
fn servers_say_what_they_do_without() {
    let postgres = Postgres::start();
    postgres.database("said");
    let bouncer = PgBouncer::start(&postgres, 1);
    let mut servers = [(); 2].map(|()| start_server(&bouncer.url("said")));
    let clients: Vec<_> = servers
        .iter()
        .enumerate()
        .map(|(n, (_, address, _))| {
            let options = SyncOptions::new(WebSocket::new(format!("ws://{address}")));
            let builder = Store::<App>::builder("said").client_id(format!("c{n}"));
            builder.sync(options).open().unwrap()
        })
        .collect();
    for (n, client) in clients.iter().enumerate() {
        client.commit(added(format!("of {n}"))).unwrap();
    }
    let heads = || clients.iter().map(|client| client.sync_status().unwrap().upstream_head.global);
    wait_until(|| heads().all(|head| head == 2));
    let mut said = [(); 2].map(|()| String::new());
    for ((_, _, log), said) in servers.iter().zip(&mut said) {
        while !said.contains("announcements do not arrive, so the engine is polled") {
            *said += &log.recv_timeout(TIMEOUT).unwrap();
        }
    }
    let says = |said: &&String| said.contains("from now on, statements are sent whole");
    assert!(said.iter().any(|said| says(&said)), "one of them found the other's names: {said:?}");
    for (server, _, _) in &mut servers {
        server.kill().unwrap();
        server.wait().unwrap();
    }
}

/// Returns a server, its address, and the lines of its log.
fn start_server(url: &str) -> (Child, String, Receiver<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_livestore-server"));
    command.args(["--listen", "127.0.0.1:0", "--storage", url]);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let address = ready.trim().rsplit(' ').next().unwrap().to_owned();
    let (sender, log) = channel();
    let lines = BufReader::new(server.stderr.take().unwrap()).lines();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| _ = sender.send(line)));
    (server, address, log)
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer: cargo xtask engines"]
fn crashes_of_either_lose_and_double_nothing() {
    let mut postgres = Postgres::start();
    postgres.database("crashed");
    let mut bouncer = PgBouncer::start(&postgres, 3);
    let url = bouncer.url("crashed");
    crashes_lose_and_double_nothing(|| open(&url), crash_in_turn(&mut postgres, &mut bouncer));
}

/// PgBouncer answers in Postgres' place, with the code of a violated protocol.
#[test]
#[ignore = "needs PostgreSQL and PgBouncer: cargo xtask engines"]
fn an_append_that_a_crash_interrupts_is_uncertain() {
    let mut postgres = Postgres::start();
    postgres.database("interrupted");
    let bouncer = PgBouncer::start(&postgres, 3);
    a_crash_interrupts_an_append(&mut postgres, "interrupted", &bouncer.url("interrupted"));
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer: cargo xtask engines"]
fn what_cannot_be_used_is_refused_in_words() {
    let mut postgres = Postgres::start();
    postgres.database("good");
    let refused = |url: &str| connect(url, StoreLimits::NONE).unwrap_err();
    let each_statement = PgBouncer::with(&postgres, "pool_mode = statement");
    let error = said(&refused(&each_statement.url("good")));
    assert!(error.contains("statement pooling mode"), "{error}");

    let bouncer = PgBouncer::start(&postgres, 3);
    let url = bouncer.url("good");
    let error = refused(&url.replace("secret@", "wrong@"));
    assert!(said(&error).contains("password authentication failed"), "{}", said(&error));
    let error = refused(&bouncer.url("missing"));
    assert!(said(&error).contains("\"missing\" does not exist"), "{}", said(&error));
    drop(open(&url));
    postgres.crash();
    let error = refused(&url);
    assert!(matches!(error, OpenPostgresError::Unreachable { .. }), "{}", said(&error));
}
