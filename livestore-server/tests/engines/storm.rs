//! Eight clients, three servers, one engine; servers, clients and the engine are killed again and
//! again. Whoever connects gets another server than before. Nothing is lost, and nothing is there
//! twice.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::nats::Nats;
use crate::pgbouncer::{PgBouncer, crash_in_turn};
use crate::postgres::Postgres;
use crate::storm_kit::{self, Client, Server};

const CLIENTS: usize = 8;
const SERVERS: usize = 3;
/// Two restarts of the engine among them.
const LEAST_KILLS: usize = 16;

/// How long the storm is, in seconds, if not this long.
const SECONDS_VARIABLE: &str = "ENGINES_STORM_SECONDS";
const SECONDS: u64 = 20;

#[test]
#[ignore = "the process that the storms start"]
fn client() {
    storm_kit::run_client();
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn nothing_is_lost_or_doubled_by_servers_over_postgres() {
    let mut postgres = Postgres::start();
    let url = postgres.database("storm");
    storm(&url, || {
        postgres.crash();
        postgres.up();
    });
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer: cargo xtask engines"]
fn nothing_is_lost_or_doubled_by_servers_behind_pgbouncer() {
    let mut postgres = Postgres::start();
    postgres.database("storm");
    let mut bouncer = PgBouncer::start(&postgres, 5);
    storm(&bouncer.url("storm"), crash_in_turn(&mut postgres, &mut bouncer));
}

#[test]
#[ignore = "needs nats-server: cargo xtask engines"]
fn nothing_is_lost_or_doubled_by_servers_over_nats() {
    let mut nats = Nats::start();
    let url = nats.url();
    storm(&url, || {
        nats.crash();
        nats.up();
    });
}

/// Returns once everything is checked. `restart` kills the engine, and starts it again.
fn storm(storage: &str, mut restart: impl FnMut()) {
    let seconds = std::env::var(SECONDS_VARIABLE).ok().map_or(SECONDS, |set| set.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let addresses = [(); SERVERS]
        .map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string());
    let start_server = |at: usize| Server::start(&addresses[at], storage);
    let mut servers: Vec<_> = (0..SERVERS).map(|at| Some(start_server(at))).collect();
    let url = format!("ws://{}", balance(addresses.to_vec()));
    let start =
        |at: usize| Client::start("storm::client", &format!("c{at}"), directory.path(), &url);
    let mut clients: Vec<Client> = (0..CLIENTS).map(start).collect();
    let (mut said, mut kills, mut restarts) = (Vec::new(), 0_usize, 0);
    let began = Instant::now();
    // However slow the machine is: as many kills as are needed to see something.
    while began.elapsed() < Duration::from_secs(seconds) || kills < LEAST_KILLS {
        std::thread::sleep(Duration::from_millis(200 + kills as u64 * 53 % 300));
        match kills % 8 {
            0 | 3 | 5 => {
                let at = kills * 5 % SERVERS;
                servers[at] = None;
                servers[at] = Some(start_server(at));
            }
            7 => {
                restart();
                restarts += 1;
            }
            _ => {
                let at = kills * 7 % CLIENTS;
                said.extend(clients.remove(at).kill());
                clients.insert(at, start(at));
            }
        }
        kills += 1;
    }
    let (commits, events) = storm_kit::check(clients, said);
    println!("{kills} kills, {restarts} of the engine, {commits} commits, {events} events");
    assert!(restarts > 0 && commits > CLIENTS);
}

/// Listens, and passes every connection to the next server that is there. Returns the address.
fn balance(servers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for (next, client) in listener.incoming().map_while(Result::ok).enumerate() {
            let server = (0..servers.len())
                .find_map(|n| TcpStream::connect(&servers[(next + n) % servers.len()]).ok());
            if let Some(server) = server {
                pipe(&client, &server);
                pipe(&server, &client);
            }
        }
    });
    address
}

/// Copies until one of them ends, and then ends both.
fn pipe(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let _ = to.set_nodelay(true);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
