use std::sync::Arc;
use std::time::Duration;

use livestore::prelude::*;
use livestore_server::auth::TokenFile;
use livestore_server::schema::QueryLimits;
use livestore_testing::sample::notes::{App, Note, written};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{SchemaTestServer, id, storages, synced};
use crate::client::PATIENCE;

struct Answer {
    status: u16,
    json: Value,
}

async fn post(address: &str, token: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "POST /query HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, json: serde_json::from_str(body).unwrap_or_default() }
}

async fn sql(address: &str, sql: &str) -> Answer {
    post(address, "eye", &json!({"storeId": "notes", "sql": sql}).to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_read_by_sql_and_by_typed_queries_and_never_written() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    std::fs::write(&tokens, "all * read,write\neye notes read\npen notes write\n").unwrap();
    for (events, _directory) in storages() {
        let auth = Arc::new(TokenFile::open(&tokens).unwrap());
        let mut limits = QueryLimits::default();
        limits.rows = 3;
        limits.bytes = 10_000;
        limits.value_bytes = 5_000;
        limits.time = Duration::from_millis(100);
        let configure =
            |b: livestore_server::Builder| b.auth(auth).schema::<App>().http_queries(limits);
        let server = SchemaTestServer::start(Arc::clone(&events), configure).await;
        let address = &server.address;
        assert_eq!(sql(address, "SELECT 1").await.status, 404, "there is no such store yet");
        let client = server.open_with("notes", "a", &json!({"authToken": "all"}));
        for n in 1..=5 {
            client.commit(written(n.to_string())).unwrap();
        }
        synced(&client).await;

        let ids = server.states.query(&id("notes"), Note::all().select(Note::ID)).await.unwrap();
        assert_eq!(ids.len(), 5);
        let answer = sql(address, "SELECT id, 1.5, NULL, x'00ff' FROM note ORDER BY id LIMIT 1");
        let answer = answer.await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        assert_eq!(answer.json["head"], 5);
        assert_eq!(answer.json["rows"], json!([["1", 1.5, null, {"base64": "AP8="}]]));
        assert_eq!(answer.json["truncated"], false);
        let cut = sql(address, "SELECT id FROM note").await;
        assert_eq!(cut.json["rows"].as_array().unwrap().len(), 3);
        assert_eq!(cut.json["truncated"], true);
        let cut = sql(address, "SELECT hex(zeroblob(2400)) FROM note").await;
        assert_eq!((cut.json["rows"].as_array().unwrap().len(), cut.status), (2, 200));
        assert_eq!(cut.json["truncated"], true);
        let body = json!({"storeId": "notes", "sql": "SELECT count(*) FROM note WHERE id > ?",
            "params": ["3"]});
        assert_eq!(post(address, "eye", &body.to_string()).await.json["rows"], json!([[2]]));

        for refused in [
            "DELETE FROM note",
            "INSERT INTO note SELECT * FROM note",
            "DROP TABLE note",
            "PRAGMA journal_mode = WAL",
            "ATTACH '/tmp/x.db' AS x",
            "BEGIN",
            "SELECT load_extension('x')",
            "SELECT 1; DELETE FROM note",
            "SELECT hex(zeroblob(100000))",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n",
            "no SQL",
        ] {
            let answer = sql(address, refused).await;
            assert_eq!(answer.status, 400, "{refused}: {}", answer.json);
            assert!(answer.json["error"].is_string(), "{refused}");
        }
        assert_eq!(sql(address, "SELECT count(*) FROM note").await.json["rows"], json!([[5]]));
        // The client goes on, with what was queried in between.
        client.commit(written("6")).unwrap();
        synced(&client).await;
        assert_eq!(sql(address, "SELECT count(*) FROM note").await.json["rows"], json!([[6]]));

        let body = |store: &str| json!({"storeId": store, "sql": "SELECT 1"}).to_string();
        assert_eq!(post(address, "nobody", &body("notes")).await.status, 401);
        assert_eq!(post(address, "eye", &body("other")).await.status, 401);
        assert_eq!(post(address, "pen", &body("notes")).await.status, 403);
        assert_eq!(post(address, "all", &body("livestore:x")).await.status, 403);
        assert_eq!(post(address, "all", &body("")).await.status, 400);
        assert_eq!(post(address, "all", "{").await.status, 400);
        assert_eq!(post(address, "all", &"x".repeat(70_000)).await.status, 413);
        assert_eq!(events.list().unwrap().len(), 1, "nobody's question has made a store");
        drop(client);
        server.stop().await;
    }
}
