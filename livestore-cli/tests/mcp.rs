//! Agents look into stores: the protocol of 2026-07-28, which has no `initialize`, and the one before it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test; what JSON does not have is null"
)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use livestore::prelude::*;
use livestore_testing::sample::todos::{App, Todo};
use serde_json::{Value, json};
use support::Data;

/// A client that has started the server.
struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What each request says of itself, by the new protocol.
    meta: Option<Value>,
    requests: u64,
}

impl Client {
    fn start(data: &Data, args: &[&str]) -> Self {
        let mut command = data.command();
        command.arg("mcp").args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output), meta: None, requests: 0 }
    }

    /// A client of the protocol before 2026-07-28.
    fn initialized(data: &Data, args: &[&str]) -> Self {
        let mut client = Self::start(data, args);
        let answer = client.request(
            "initialize",
            json!({
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": { "name": "test", "version": "1" },
            }),
        );
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
        assert_eq!(answer["result"]["serverInfo"]["name"], "livestore");
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    /// A client of the protocol of 2026-07-28: it says in each request who it is.
    fn stateless(data: &Data, args: &[&str]) -> Self {
        let mut client = Self::start(data, args);
        client.meta = Some(json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        }));
        client
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
    }

    fn request(&mut self, method: &str, mut params: Value) -> Value {
        self.requests += 1;
        if let Some(meta) = &self.meta {
            params["_meta"] = meta.clone();
        }
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Calls a tool; returns what it answers, or why it failed.
    fn call(&mut self, tool: &str, arguments: Value) -> Result<Value, String> {
        let answer = self.request("tools/call", json!({ "name": tool, "arguments": arguments }));
        let result = &answer["result"];
        if let Some(error) = answer["error"]["message"].as_str() {
            return Err(format!("protocol: {error}"));
        }
        if result["isError"] == true {
            return Err(result["content"][0]["text"].as_str().unwrap().to_owned());
        }
        Ok(result["structuredContent"].clone())
    }

    fn tools(&mut self) -> Vec<Value> {
        let answer = self.request("tools/list", json!({}));
        answer["result"]["tools"].as_array().unwrap().clone()
    }

    /// Ends the connection; returns what stood on standard error.
    fn end(self) -> String {
        let Self { child, input, output, .. } = self;
        drop((input, output));
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{:?}", done.status);
        String::from_utf8(done.stderr).unwrap()
    }
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

/// Looks at everything there is.
fn look_around(client: &mut Client) {
    let not_yet = client.call("livestore_instance_query", json!({ "sql": "SELECT 1" }));
    assert!(not_yet.unwrap_err().contains("livestore_instance_connect"));
    let status = client.call("livestore_instance_status", json!({})).unwrap();
    assert_eq!(status["_tag"], "disconnected");
    let connected =
        client.call("livestore_instance_connect", json!({ "storeId": "todos" })).unwrap();
    assert_eq!(connected["storeId"], "todos");
    assert_eq!(connected["schemaInfo"]["eventNames"], json!(["v1.TodoCreated"]));
    assert_eq!(connected["schemaInfo"]["tableNames"], json!(["UiState", "todo"]));
    let schema = client.call("livestore_instance_schema", json!({})).unwrap();
    assert_eq!(schema["tables"][1]["columns"][0]["name"], "id");
    assert_eq!(schema["events"]["v1.TodoCreated"]["count"], 12_000);
    let shape = schema["events"]["v1.TodoCreated"]["shapes"][0].as_str().unwrap();
    assert!(shape.contains("text: String"), "{shape}");
    let query =
        json!({ "sql": "SELECT id, text FROM todo WHERE id = ?", "bindValues": ["todo-7"] });
    let rows = client.call("livestore_instance_query", query).unwrap();
    assert_eq!(rows["rows"], json!([{ "id": "todo-7", "text": "number 7" }]));
    assert_eq!((&rows["rowCount"], &rows["stateHead"]), (&json!(1), &json!("e12000")));
    let all = json!({ "sql": "SELECT * FROM todo", "limit": 3 });
    let rows = client.call("livestore_instance_query", all).unwrap();
    assert_eq!((&rows["rowCount"], &rows["truncated"]), (&json!(3), &json!(true)));
    let at = json!({ "sql": "SELECT count(*) AS n FROM todo", "at": "e12000" });
    assert_eq!(client.call("livestore_instance_query", at).unwrap()["rows"][0]["n"], 12_000);
    let at = json!({ "sql": "SELECT count(*) AS n FROM todo", "at": "e5" });
    assert!(client.call("livestore_instance_query", at).unwrap_err().contains("materializers"));
    let plan =
        client.call("livestore_instance_explain", json!({ "sql": "SELECT * FROM todo" })).unwrap();
    assert_eq!(plan["steps"], json!(["SCAN todo"]));
    let live = |sql: &str, client: &mut Client| {
        let explained = client.call("livestore_instance_explain", json!({ "sql": sql })).unwrap();
        explained["live"].clone()
    };
    let of_columns = live("SELECT text FROM todo WHERE completed", client);
    assert_eq!(
        (&of_columns["tier"], &of_columns["reads"]),
        (&json!("rerun"), &json!({ "todo": ["completed", "text"] }))
    );
    assert_eq!(live("SELECT count(*) FROM todo", client)["reads"], json!({ "todo": [] }));
    let refused = live("SELECT random()", client);
    assert!(refused["refused"].as_str().unwrap().contains("random"), "{refused}");
    let events =
        client.call("livestore_instance_events", json!({ "after": "e10", "limit": 2 })).unwrap();
    assert_eq!((&events["events"][0]["seqNum"], &events["next"]), (&json!(11), &json!("e12")));
    let events = json!({ "last": 1, "names": ["v1.TodoCreated"], "contains": "number" });
    let events = client.call("livestore_instance_events", events).unwrap();
    assert_eq!(events["events"][0]["seqNum"], 12_000);
    let status = client.call("livestore_instance_status", json!({})).unwrap();
    assert_eq!(
        (&status["tableCounts"]["todo"], &status["isOpen"]),
        (&json!(12_000), &json!(false))
    );
    assert_eq!(status["sync"]["pending"], 0);
    let export = client.call("livestore_sync_export", json!({ "to": "e2" })).unwrap();
    assert_eq!((&export["eventCount"], &export["data"]["version"]), (&json!(2), &json!(1)));
    let export = client.call("livestore_sync_export", json!({}));
    assert!(export.unwrap_err().contains("more than 10,000"));
    let gone = client.call("livestore_instance_disconnect", json!({})).unwrap();
    assert_eq!(gone["_tag"], "disconnected");
}

#[test]
fn the_protocol_before_2026_07_28_is_spoken() {
    let data = Data::new().with_store("todos", 12_000);
    let mut client = Client::initialized(&data, &["."]);
    look_around(&mut client);
    assert_eq!(client.end(), "");
}

#[test]
fn the_protocol_without_initialize_is_spoken() {
    let data = Data::new().with_store("todos", 12_000);
    let mut client = Client::stateless(&data, &["."]);
    let found = client.request("server/discover", json!({}));
    assert!(
        found["result"]["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")),
        "{found}"
    );
    look_around(&mut client);
    assert_eq!(client.end(), "");
}

#[test]
fn tools_say_what_they_do_and_only_some_write() {
    let data = Data::new().with_store("todos", 1);
    let mut client = Client::initialized(&data, &["."]);
    let reading = client.tools();
    assert!(reading.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));
    assert!(reading.iter().all(|tool| tool["annotations"]["destructiveHint"] == false));
    assert!(reading.iter().all(|tool| tool["inputSchema"]["additionalProperties"] == false));
    let refused = client.call("livestore_instance_commit_events", json!({ "events": [] }));
    assert!(refused.unwrap_err().contains("--allow-write"));
    client.end();
    let mut client = Client::initialized(&data, &[".", "--allow-write"]);
    let all = client.tools();
    let writing: Vec<_> =
        all.iter().filter(|tool| tool["annotations"]["destructiveHint"] == true).cloned().collect();
    assert_eq!(names(&writing), ["livestore_instance_commit_events", "livestore_sync_import"]);
    assert_eq!(all.len(), reading.len() + 2);
    client.end();
}

#[test]
fn wrong_arguments_are_explained() {
    let data = Data::new().with_store("todos", 12_000);
    let mut client = Client::initialized(&data, &[".", "--allow-write"]);
    client.call("livestore_instance_connect", json!({})).unwrap();
    let query = "livestore_instance_query";
    for (tool, arguments, says) in [
        (query, json!({}), "missing field `sql`"),
        (query, json!({ "sql": 1 }), "invalid type"),
        (query, json!({ "sql": "SELECT 1", "what": 1 }), "unknown field `what`"),
        (query, json!({ "sql": "SELECT 1", "limit": 0 }), "from 1 to"),
        (query, json!({ "sql": "SELECT 1", "at": "yesterday" }), "not a sequence number"),
        (query, json!({ "sql": "SELECT ?", "bindValues": [[1]] }), "JSON text"),
        (query, json!({ "sql": "SELECT ?", "bindValues": [] }), "parameter"),
        (query, json!({ "sql": "DELETE FROM todo" }), "may only read"),
        (query, json!({ "sql": "ATTACH 'x' AS y" }), "may only read"),
        (query, json!({ "sql": "nonsense" }), "syntax error"),
        ("livestore_instance_explain", json!({ "sql": "DROP TABLE todo" }), "may only read"),
        ("livestore_instance_connect", json!({ "storeId": "../x" }), "no store"),
        ("livestore_instance_events", json!({ "limit": 100_000 }), "from 1 to"),
        ("livestore_instance_status", json!({ "x": 1 }), "unknown field"),
        ("livestore_instance_commit_events", json!({ "events": [] }), "no events"),
        (
            "livestore_instance_commit_events",
            json!({ "events": [{ "name": "v1.Typo" }] }),
            "no event \"v1.Typo\"",
        ),
        (
            "livestore_instance_commit_events",
            json!({ "events": [{ "name": "x", "args": "{}" }] }),
            "invalid type",
        ),
        ("livestore_sync_import", json!({ "data": {} }), "missing field"),
        ("livestore_no_such_tool", json!({}), "protocol: the tool"),
    ] {
        let why = client.call(tool, arguments.clone()).unwrap_err();
        assert!(why.contains(says), "{tool} {arguments}: {why}");
    }
    // It still works.
    assert_eq!(
        client.call(query, json!({ "sql": "SELECT 1 AS one" })).unwrap()["rows"][0]["one"],
        1
    );
    client.end();
}

/// What an agent asks for may be endless, or larger than memory.
#[test]
fn a_query_ends_however_much_it_would_give() {
    let data = Data::new().with_store("todos", 12_000);
    let mut client = Client::stateless(&data, &["."]);
    client.call("livestore_instance_connect", json!({})).unwrap();
    let query = "livestore_instance_query";
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000000)";
    let many = json!({ "sql": format!("{numbers} SELECT i FROM n") });
    let cut = client.call(query, many).unwrap();
    assert_eq!((&cut["rowCount"], &cut["truncated"]), (&json!(200), &json!(true)));
    let long =
        json!({ "sql": format!("{numbers} SELECT printf('%010000d', i) FROM n"), "limit": 5_000 });
    let cut = client.call(query, long).unwrap();
    assert!(cut["rowCount"].as_u64().unwrap() < 200 && cut["truncated"] == true);
    let large = client.call(query, json!({ "sql": "SELECT zeroblob(900000000)" })).unwrap_err();
    assert!(large.contains("too big"), "{large}");
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let ended = client.call(query, json!({ "sql": endless })).unwrap_err();
    assert!(ended.contains("was ended after 10 seconds"), "{ended}");
    let one = client.call(query, json!({ "sql": "SELECT 1 AS one" })).unwrap();
    assert_eq!(one["rows"][0]["one"], 1, "it goes on");
    assert_eq!(client.end(), "");
}

/// An app has the store open: its own state is shown, as it is.
#[test]
fn a_running_app_shows_its_state() {
    let data = Data::new();
    let app = data.open("todos");
    app.commit((1..=3).map(support::created).collect::<Vec<_>>()).unwrap();
    let mut client = Client::stateless(&data, &["."]);
    client.call("livestore_instance_connect", json!({})).unwrap();
    let count = |client: &mut Client| {
        let counted = json!({ "sql": "SELECT count(*) AS n FROM todo" });
        let answer = client.call("livestore_instance_query", counted).unwrap();
        (answer["rows"][0]["n"].clone(), answer["stateHead"].clone())
    };
    assert_eq!(count(&mut client), (json!(3), json!("e3")));
    app.commit(support::created(4)).unwrap();
    assert_eq!(count(&mut client), (json!(4), json!("e4")));
    let status = client.call("livestore_instance_status", json!({})).unwrap();
    assert_eq!(status["sessions"], json!([{ "id": app.session_id(), "leads": true }]));
    assert_eq!((&status["stateHead"], &status["isOpen"]), (&json!("e4"), &json!(true)));
    drop(app);
    let status = client.call("livestore_instance_status", json!({})).unwrap();
    assert_eq!((&status["sessions"], &status["isOpen"]), (&json!([]), &json!(false)));
    assert_eq!(client.end(), "");
}

#[test]
fn what_is_allowed_to_write_commits_and_imports() {
    let data = Data::new().with_store("todos", 3);
    let mut client = Client::stateless(&data, &[".", "--allow-write"]);
    client.call("livestore_instance_connect", json!({})).unwrap();
    let args =
        json!({ "id": "new", "text": "by an agent", "created_at": "2026-01-01T00:00:00.000Z" });
    let events = json!({ "events": [{ "name": "v1.TodoCreated", "args": args }] });
    let committed = client.call("livestore_instance_commit_events", events.clone()).unwrap();
    assert_eq!(committed, json!({ "committed": 1, "head": "e4" }));
    let exported = client.call("livestore_sync_export", json!({})).unwrap();
    let import = json!({ "storeId": "copy", "data": exported["data"], "force": true });
    let imported = client.call("livestore_sync_import", import.clone()).unwrap();
    assert_eq!((&imported["new"], &imported["storeId"]), (&json!(4), &json!("copy")));
    let again = client.call("livestore_sync_import", import).unwrap();
    assert_eq!((&again["new"], &again["known"]), (&json!(0), &json!(4)));
    let other = json!({ "storeId": "copy", "data": exported["data"] });
    assert!(client.call("livestore_sync_import", other).unwrap_err().contains("`force`"));
    {
        let store = data.open("todos");
        let todo = store.query(Todo::get("new")).unwrap().unwrap();
        assert_eq!(todo.text, "by an agent");
        // An app has it open now.
        let refused = client.call("livestore_instance_commit_events", events);
        assert!(refused.unwrap_err().contains("in use"));
    }
    let copy = Store::<App>::builder("copy").directory(data.path()).open().unwrap();
    assert_eq!(copy.query(Todo::all().count()).unwrap(), 4);
    client.end();
}

/// A client that says nothing, or no JSON, does the server no harm.
#[test]
fn a_client_that_goes_is_no_failure() {
    let data = Data::new();
    Client::start(&data, &["."]).end();
    let mut client = Client::start(&data, &["."]);
    writeln!(client.input, "hello").unwrap();
    client.end();
}

/// The SDK that most clients are made with; where it is installed, `LIVESTORE_MCP_SDK` says.
#[test]
fn the_official_sdk_understands_the_server() {
    let Some(sdk) = std::env::var_os("LIVESTORE_MCP_SDK") else {
        eprintln!("skipped: LIVESTORE_MCP_SDK does not say where @modelcontextprotocol/sdk is");
        return;
    };
    let data = Data::new().with_store("todos", 12_000);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk.mjs");
    let done = Command::new("node")
        .arg(script)
        .args([sdk.as_os_str(), env!("CARGO_BIN_EXE_livestore").as_ref(), data.path().as_os_str()])
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(done.status.success(), "{}", text(done.stderr));
    assert_eq!(text(done.stdout), "8 tools, todo-7 is number 7, a wrong argument is explained\n");
}
