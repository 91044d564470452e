//! The files and threads of a store that syncs, counted by the operating system.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::fs;
use std::net::TcpListener;

use livestore_sync::WebSocket;
use livestore_testing::sample::notes::{App, added};
use livestore_testing::{StoreDirectory, wait_until};

fn count(what: &str) -> usize {
    fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

/// The only test here: others would have files open, too.
#[test]
fn a_store_that_syncs_needs_few_files_and_threads() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let directory = StoreDirectory::new("notes");
    let open = || {
        let store = directory.builder::<App>().sync(WebSocket::new(url.clone())).open().unwrap();
        (store, listener.accept().unwrap())
    };
    // What the process has once, such as tokio's pair of sockets for signals, is not a store's.
    open().0.close().unwrap();
    let before = (count("fd"), count("task"));
    let (store, server) = open();
    store.commit(added("a")).unwrap();
    // The server's end is not the store's.
    let files = count("fd") - before.0 - 1;
    let threads = count("task") - before.1;
    assert!(files < 14 && threads < 4, "{files} files, {threads} threads");
    store.close().unwrap();
    drop(server);
    wait_until(|| count("fd") <= before.0 && count("task") <= before.1);
}
