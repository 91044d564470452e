//! Ten clients write while they and the server are killed, again and again: nothing is lost and
//! nothing is there twice.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![allow(clippy::indexing_slicing, reason = "a panic fails the test")]
#![expect(clippy::disallowed_methods, reason = "processes, files and time")]

mod kit;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use kit::{Client, Server};

const CLIENTS: usize = 10;
const LEAST_KILLS: u64 = 20;
const STORM: Duration = Duration::from_secs(20);

#[test]
#[ignore = "the process that `nothing_is_lost_or_doubled` starts"]
fn client() {
    kit::run_client();
}

#[test]
fn nothing_is_lost_or_doubled() {
    let directory = tempfile::tempdir().unwrap();
    let storage = format!("sqlite:{}", directory.path().join("server").display());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("ws://{address}");
    let start = |at: usize| Client::start("client", &format!("c{at}"), directory.path(), &url);
    let mut server = Server::start(&address, &storage);
    let mut clients: Vec<Client> = (0..CLIENTS).map(start).collect();
    let (mut said, mut kills) = (Vec::new(), 0);
    let began = Instant::now();
    // However slow the machine is: as many kills as are needed to see something.
    while began.elapsed() < STORM || kills < LEAST_KILLS {
        std::thread::sleep(Duration::from_millis(200 + kills * 53 % 300));
        if kills % 4 == 0 {
            drop(server);
            server = Server::start(&address, &storage);
        } else {
            let at = kills as usize * 7 % CLIENTS;
            said.extend(clients.remove(at).kill());
            clients.insert(at, start(at));
        }
        kills += 1;
    }
    let (commits, events) = kit::check(clients, said);
    drop(server);
    println!("{kills} kills, {commits} commits, {events} events");
    assert!(commits > CLIENTS);
}
