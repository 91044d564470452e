//! Engines that cannot be used as they are.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use livestore_server::store::{
    Durability, EventStore, NatsStore, OpenNatsError, OpenPostgresError, PostgresStore, StoreError,
    StoreLimits,
};

use crate::kit::{append, ask, event, id, read};
use crate::nats::Nats;
use crate::postgres::Postgres;

fn refused(url: &str) -> OpenPostgresError {
    PostgresStore::connect(url, Durability::Synced, StoreLimits::NONE).unwrap_err()
}

/// The error and its causes, without what must not be in them.
pub(crate) fn said(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said += &format!(": {cause}");
        source = cause.source();
    }
    assert!(!said.contains("secret"), "{said}");
    said
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn a_postgres_that_cannot_be_used_is_refused_in_words() {
    let mut postgres = Postgres::start();
    let url = postgres.database("good");

    let error = refused(&url.replace("secret@", "wrong@"));
    assert!(matches!(error, OpenPostgresError::Refused { .. }), "{error:?}");
    assert!(said(&error).contains("password authentication failed"), "{}", said(&error));

    let error = refused(&postgres.url("missing"));
    assert!(matches!(error, OpenPostgresError::Refused { .. }), "{error:?}");
    assert!(said(&error).contains("\"missing\" does not exist"), "{}", said(&error));

    let error = refused("postgres://livestore:secret@127.0.0.1:1/good");
    assert!(matches!(error, OpenPostgresError::Unreachable { .. }), "{error:?}");
    assert!(said(&error).contains("cannot connect to Postgres at 127.0.0.1:1"), "{}", said(&error));

    PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE).unwrap();
    postgres.sql("good", "UPDATE livestore.version SET version = 9");
    let error = refused(&url);
    assert!(matches!(error, OpenPostgresError::Version { found: 9 }), "{error:?}");
    postgres.sql("good", "UPDATE livestore.version SET version = 1");

    postgres.sql("postgres", "CREATE DATABASE theirs");
    let error = refused(&postgres.url("theirs"));
    assert!(matches!(error, OpenPostgresError::Schema(_)), "{error:?}");
    assert!(said(&error).contains("permission denied"), "{}", said(&error));

    postgres.sql("postgres", "ALTER ROLE livestore SET synchronous_commit = off");
    let error = refused(&url);
    assert!(said(&error).contains("synchronous_commit = off"), "{}", said(&error));
    PostgresStore::connect(&url, Durability::Written, StoreLimits::NONE).unwrap();
    postgres.sql("postgres", "ALTER ROLE livestore RESET synchronous_commit");

    postgres.restart_with("default_transaction_read_only=on");
    let error = refused(&url);
    assert!(matches!(error, OpenPostgresError::ReadOnly { .. }), "{error:?}");

    postgres.crash();
    let error = refused(&url);
    assert!(matches!(error, OpenPostgresError::Unreachable { .. }), "{error:?}");
}

/// Those of docs/self-hosting.md: once the schema is there, a server creates nothing.
const RIGHTS: &str = "
    CREATE ROLE livestore_server LOGIN PASSWORD 'secret';
    GRANT USAGE ON SCHEMA livestore TO livestore_server;
    GRANT SELECT ON ALL TABLES IN SCHEMA livestore TO livestore_server;
    GRANT INSERT ON livestore.stores, livestore.events TO livestore_server;
    GRANT UPDATE (head, bytes) ON livestore.stores TO livestore_server;";

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn a_role_needs_few_rights() {
    let postgres = Postgres::start();
    let owner = postgres.database("rights");
    PostgresStore::connect(&owner, Durability::Synced, StoreLimits::NONE).unwrap();
    postgres.sql("rights", RIGHTS);
    let url = owner.replace("//livestore:", "//livestore_server:");
    let limits = StoreLimits { stores: 3, bytes: 1_000 };
    let storage = PostgresStore::connect(&url, Durability::Synced, limits).unwrap();
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    append(&storage, &store, &[event(0, "{}")]).unwrap();
    assert_eq!(read(&storage, &store), [event(0, "{}")]);
    assert_eq!(storage.list().unwrap().len(), 1);
    assert_eq!(ask(|reply| storage.check(reply)), Ok(()));
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn a_damaged_event_is_told_and_not_passed_on() {
    let postgres = Postgres::start();
    let url = postgres.database("damaged");
    let storage = PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE).unwrap();
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    append(&storage, &store, &[event(0, "{}"), event(1, "{}"), event(2, "{}")]).unwrap();
    postgres.sql("damaged", "UPDATE livestore.events SET args = '[]' WHERE seq = 2");
    let mut seen = 0;
    let damaged = storage.read(&store, 0, &mut |_| {
        seen += 1;
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(damaged, Err(StoreError::Corrupt { seq: 2 }));
    assert_eq!(seen, 1);
}

/// With a certificate that is not trusted, there is no connection; with one that is, it is encrypted.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn postgres_is_reached_by_tls() {
    let mut postgres = Postgres::start();
    let url = postgres.database("tls");
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = postgres.install("server.crt", &cert.pem());
    let key = postgres.install("server.key", &signing_key.serialize_pem());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificate.display()),
        format!("ssl_key_file={}", key.display()),
    ];
    postgres.crash();
    postgres.set(&settings, port);
    postgres.up();
    drop(url);
    let over = |host: &str, parameters: &str| {
        let url = format!("postgres://livestore:secret@{host}:{port}/tls?{parameters}");
        PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE)
    };
    let trusted = format!("sslmode=verify-full&sslrootcert={}", certificate.display());
    let storage = over("localhost", &trusted).unwrap();
    ask(|reply| storage.open(&id("s"), reply)).unwrap();
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE ssl AND usename = 'livestore'";
    assert_ne!(postgres.sql("tls", encrypted), "0");
    let error = over("localhost", "sslmode=require").unwrap_err();
    assert!(said(&error).contains("certificate"), "{}", said(&error));
    let error = over("127.0.0.1", &trusted).unwrap_err();
    assert!(said(&error).contains("certificate"), "another name: {}", said(&error));
    over("127.0.0.1", "sslmode=disable").unwrap();
    let missing = "sslmode=require&sslrootcert=/nowhere.pem";
    let error = over("localhost", missing).unwrap_err();
    assert!(said(&error).contains("/nowhere.pem is not a file with certificates"));
}

#[test]
#[ignore = "needs nats-server: cargo xtask engines"]
fn a_nats_that_cannot_be_used_is_refused_in_words() {
    let refused = |url: &str| NatsStore::connect(url, StoreLimits::NONE).unwrap_err();
    let bare = Nats::with("");
    let error = refused(&bare.url());
    assert!(matches!(error, OpenNatsError::NoJetStream { .. }), "{error:?}");
    assert!(said(&error).contains("start nats-server with -js"));

    let small = Nats::with("max_payload: 65536\njetstream { store_dir: DIRECTORY }");
    let error = refused(&small.url());
    assert!(matches!(error, OpenNatsError::MaxPayload { found: 65_536, .. }), "{error:?}");

    let users =
        "authorization { user: me, password: \"secret/?@\" }\njetstream { store_dir: DIRECTORY }";
    let closed = Nats::with(users);
    NatsStore::connect(&closed.url_as("me:secret%2F%3F%40@"), StoreLimits::NONE).unwrap();
    for user in ["", "me:wrong@"] {
        let error = refused(&closed.url_as(user));
        assert!(matches!(error, OpenNatsError::Refused { .. }), "{user}: {error:?}");
        said(&error);
    }
    let token = Nats::with("authorization { token: secret }\njetstream { store_dir: DIRECTORY }");
    NatsStore::connect(&token.url_as("secret@"), StoreLimits::NONE).unwrap();
    let error = refused("nats://me:secret@host:port");
    assert!(matches!(error, OpenNatsError::Url(_)), "{error:?}");
    said(&error);

    let error = refused("nats://me:secret@127.0.0.1:1");
    assert!(matches!(error, OpenNatsError::Unreachable { .. }), "{error:?}");
    assert!(said(&error).contains("cannot connect to NATS at 127.0.0.1:1"), "{}", said(&error));
}

/// Somebody has made the stream, or changed it, so that it would lose events.
#[test]
#[ignore = "needs nats-server: cargo xtask engines"]
fn a_stream_of_another_configuration_is_not_used() {
    let nats = Nats::start();
    let storage = NatsStore::connect(&nats.url(), StoreLimits::NONE).unwrap();
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    append(&storage, &store, &[event(0, "{}")]).unwrap();
    nats.update_stream(|config| config["max_age"] = serde_json::json!(3_600_000_000_000_u64));
    let again = NatsStore::connect(&nats.url(), StoreLimits::NONE).unwrap();
    let refused = ask(|reply| again.open(&store, reply));
    let Err(StoreError::Unavailable(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("has another max_age than a store needs"), "{reason}");
    nats.update_stream(|config| config["max_age"] = serde_json::json!(0));
    let opened = ask(|reply| again.open(&store, reply)).unwrap();
    assert_eq!(opened.head, 1);
    assert_eq!(read(&again, &store), [event(0, "{}")]);
}

/// A full disk is a matter of the server's machine: nothing is stored, and what was refused is stored once
/// there is room.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn a_postgres_whose_disk_is_full_refuses_for_now() {
    let postgres = Postgres::start();
    let url = postgres.database("crowded");
    let storage = PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE).unwrap();
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    append(&storage, &store, &[event(0, "{}")]).unwrap();
    // What Postgres answers when a file cannot grow.
    let full = "
        CREATE FUNCTION livestore.full() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT ON livestore.events
          FOR EACH ROW EXECUTE FUNCTION livestore.full();";
    postgres.sql("crowded", full);
    for _ in 0..3 {
        assert_eq!(append(&storage, &store, &[event(1, "{}")]), Err(StoreError::DiskFull));
    }
    assert_eq!(read(&storage, &store), [event(0, "{}")]);
    assert_eq!(ask(|reply| storage.open(&store, reply)).unwrap().head, 1, "the head has not moved");
    postgres.sql("crowded", "DROP TRIGGER no_room ON livestore.events");
    append(&storage, &store, &[event(1, "{}")]).unwrap();
    assert_eq!(read(&storage, &store), [event(0, "{}"), event(1, "{}")]);
}

/// Before 2.12, NATS has no batches that are stored as a whole.
#[test]
fn a_nats_of_an_old_version_is_refused_in_words() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let info = serde_json::json!({
            "server_id": "old", "server_name": "old", "version": "2.10.27", "go": "go1.23",
            "host": "127.0.0.1", "port": address.port(), "headers": true, "jetstream": true,
            "max_payload": 1 << 20, "proto": 1, "client_id": 1,
        });
        write!(stream, "INFO {info}\r\n").unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if line.starts_with("PING") {
                write!(stream, "PONG\r\n").unwrap();
            }
        }
    });
    let url = format!("nats://{address}");
    let error = NatsStore::connect(&url, StoreLimits::NONE).unwrap_err();
    assert!(
        matches!(&error, OpenNatsError::Version { found, .. } if found == "2.10.27"),
        "{error:?}"
    );
    assert!(said(&error).contains("2.12"), "{}", said(&error));
    server.join().unwrap();
}
