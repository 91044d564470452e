//! An encrypted connection, and whom it trusts.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![expect(clippy::disallowed_methods, reason = "a server needs a thread, trust another process")]

mod support;

use std::env;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use livestore::sync::BackendMessage;
use livestore_sync::WebSocket;
use support::Store;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig, ServerConnection};
use tokio_tungstenite::tungstenite;

const ADDRESS: &str = "LIVESTORE_TEST_WSS";

/// A server for `localhost` whose certificate only this process knows; its address, and the
/// certificate.
fn serve() -> (String, String) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let stream = rustls::StreamOwned::new(connection, stream.unwrap());
            // One that is not trusted goes no further.
            if let Ok(mut socket) = tungstenite::accept(stream) {
                while socket.read().is_ok() {}
            }
        }
    });
    (format!("wss://localhost:{port}"), cert.pem())
}

/// What a process hears that trusts this certificate only.
fn connect(address: &str, certificate: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "client", "--nocapture"])
        .env(ADDRESS, address)
        .env("SSL_CERT_FILE", file.path())
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The other process.
#[test]
fn client() {
    let Ok(address) = env::var(ADDRESS) else { return };
    match Store::connect(&WebSocket::new(address), None).next() {
        BackendMessage::Connected => println!("connected"),
        other => println!("{other:?}"),
    }
}

#[test]
fn a_certificate_that_the_system_trusts_is_trusted_and_no_other() {
    let (address, certificate) = serve();
    let (_, of_another) = serve();
    let said = connect(&address, &certificate);
    assert!(said.contains("connected"), "{said}");
    let said = connect(&address, &of_another);
    assert!(said.contains("Disconnected") && said.contains("certificate"), "{said}");
}
