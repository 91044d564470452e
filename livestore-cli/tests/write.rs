//! Events that the command writes: nothing is lost, and the app takes it from there.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs;
use std::path::Path;

use livestore::prelude::*;
use livestore_testing::sample::todos::{App, Todo};
use support::{Data, created};

fn count(store: &Store<App>) -> u64 {
    store.query(Todo::all().count()).unwrap()
}

fn events(store: &Store<App>) -> Vec<(String, String, String)> {
    let texts = |event: livestore::event::EncodedEvent| {
        (event.seq.to_string(), event.args, event.session_id.to_string())
    };
    store.events().into_iter().map(|event| texts(event.unwrap())).collect()
}

/// All that the log has comes back, in either format, and an app that opens the store applies it.
#[test]
fn an_export_is_imported() {
    let data = Data::new().with_store("todos", 5_000);
    let mut session = data.session("import");
    session
        .run(&["export", "-o", "todos.jsonl"])
        .run(&["export", "-o", "todos.json", "--format", "livestore"])
        .run(&["import", "todos.jsonl", "copy", "todos", "--dry-run"])
        .run(&["import", "todos.jsonl", "copy", "todos"])
        .run(&["import", "todos.jsonl", "copy"])
        .run(&["import", "todos.json", "copy", "--json"])
        .run(&["import", "todos.json", "other"])
        .run(&["import", "todos.json", ".", "another"])
        .run(&["import", "todos.json", ".", "another", "--force"])
        .run(&["import", "todos.jsonl", "nowhere"])
        .done();
    let ours = data.open("todos");
    for directory in ["copy", "other"] {
        let builder = Store::<App>::builder("todos").directory(data.file(directory));
        let copy = builder.open().unwrap();
        assert_eq!(events(&copy), events(&ours));
        assert_eq!(copy.state_hash().unwrap(), ours.state_hash().unwrap());
    }
}

/// What continues a store is added to it; what does not is refused, and nothing has changed.
#[test]
fn an_import_continues_the_store_or_is_refused() {
    let data = Data::new().with_store("todos", 10);
    data.run(&["export", "-o", "ten.jsonl"]);
    let store = data.open("todos");
    store.commit(created(11)).unwrap();
    store.commit(created(12)).unwrap();
    drop(store);
    data.run(&["export", "-o", "twelve.jsonl"]);
    let twelve = fs::read_to_string(data.file("twelve.jsonl")).unwrap();
    let lines: Vec<_> = twelve.lines().collect();
    let write = |name: &str, lines: &[&str]| fs::write(data.file(name), lines.join("\n")).unwrap();
    write("cut.jsonl", &[&lines[..5], &[&lines[5][..40]]].concat());
    write("twice.jsonl", &[&lines[..5], &lines[4..]].concat());
    write("gap.jsonl", &[&lines[..5], &lines[6..]].concat());
    write("behind.jsonl", &lines[11..]);
    write("end.jsonl", &lines[10..]);
    write("changed.jsonl", &[&lines[3].replace("number 4", "number 5")]);
    write("odd.jsonl", &[r#"{"seqNum":1,"what":2}"#]);
    write("text.txt", &["hello"]);
    write("empty.jsonl", &[]);
    let mut session = data.session("import-refused");
    session.run(&["import", "ten.jsonl", "copy", "todos"]);
    for file in
        ["cut.jsonl", "twice.jsonl", "gap.jsonl", "behind.jsonl", "changed.jsonl", "odd.jsonl"]
    {
        session.run(&["import", file, "copy", "todos"]);
    }
    session
        .run(&["import", "text.txt", "copy", "todos"])
        .run(&["import", "none.jsonl", "copy", "todos"])
        .run(&["import", "empty.jsonl", "copy", "todos"])
        .run(&["import", "end.jsonl", "copy", "todos"])
        .run(&["import", "ten.jsonl", "copy", "../x"])
        .done();
    let copy = Store::<App>::builder("todos").directory(data.file("copy")).open().unwrap();
    assert_eq!(count(&copy), 12);
}

#[test]
fn a_document_that_is_not_whole_is_refused() {
    let data = Data::new();
    let event = |seq: u64| {
        let parent = seq - 1;
        format!(
            r#"{{"name":"v1.X","args":{{}},"seqNum":{seq},"parentSeqNum":{parent},"clientId":"c","sessionId":"s"}}"#
        )
    };
    let document =
        |rest: &str| format!(r#"{{"version":1,"storeId":"x","exportedAt":"","events":[{rest}"#);
    let write = |name: &str, text: &str| fs::write(data.file(name), text).unwrap();
    write("cut.json", &document(&event(1)));
    write("count.json", &document(&format!(r#"{}],"eventCount":2}}"#, event(1))));
    write("twice.json", &document(&format!("{},{}]}}", event(1), event(1))));
    write("version.json", r#"{"version":2,"storeId":"x","events":[]}"#);
    write("without.json", r#"{"version":1,"events":[]}"#);
    let mut session = data.session("import-document");
    for file in ["cut.json", "count.json", "twice.json", "version.json", "without.json"] {
        session.run(&["import", file, "."]);
    }
    session.done();
    assert!(!data.file("x").exists());
}

/// An eventlog as `@livestore/adapter-node` 0.4 leaves it.
#[test]
fn an_eventlog_of_livestore_is_imported() {
    let data = Data::new();
    let log = rusqlite::Connection::open(data.file("eventlog@6.db")).unwrap();
    log.execute_batch(
        r#"CREATE TABLE "eventlog" ("seqNumGlobal" integer not null, "seqNumClient" integer not null,
             "seqNumRebaseGeneration" integer not null, "parentSeqNumGlobal" integer not null,
             "parentSeqNumClient" integer not null, "parentSeqNumRebaseGeneration" integer not null,
             "name" text not null, "argsJson" text not null, "clientId" text not null, "sessionId" text not null,
             "schemaHash" integer not null, "syncMetadataJson" text not null,
             PRIMARY KEY ("seqNumGlobal", "seqNumClient", "seqNumRebaseGeneration")) strict;
           INSERT INTO eventlog VALUES
             (1, 0, 0, 0, 0, 0, 'v1.TodoCreated', '{"id":"a","text":"hi","created_at":"2026-11-27T23:24:56.530Z"}',
              'vm', 'static', -862189082, '{"_tag":"None"}'),
             (1, 1, 0, 1, 0, 0, 'UiStateSet', '{"id":"static","value":{}}', 'vm', 'static', 1, '{"_tag":"None"}'),
             (2, 0, 0, 1, 0, 0, 'v1.TodoCompleted', '{"id":"a"}', 'vm', 'static', 763783046, '{"_tag":"None"}');"#,
    )
    .unwrap();
    drop(log);
    let mut session = data.session("import-eventlog");
    session
        .run(&["import", "eventlog@6.db", ".", "todos"])
        .run(&["import", "eventlog@6.db", ".", "todos"])
        .run(&["events"])
        .run(&["import", "todos/eventlog.db", ".", "todos"]);
    rusqlite::Connection::open(data.file("other.db"))
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    session.run(&["import", "other.db", ".", "todos"]).done();
    let store = data.open("todos");
    assert_eq!(store.query(Todo::filter(Todo::COMPLETED.eq(true)).count()).unwrap(), 1);
}

/// An app has the store: nothing is written beside it.
#[test]
fn a_store_that_an_app_has_open_is_not_written() {
    let data = Data::new().with_store("todos", 3);
    let _app = data.open("todos");
    data.run(&["export", "-o", "three.jsonl"]);
    let mut session = data.session("in-use");
    session
        .run(&["import", "three.jsonl", ".", "todos"])
        .run(&["sync", ".", "todos", "--url", "ws://127.0.0.1:9"])
        .done();
}

#[test]
fn a_fork_has_the_events_up_to_a_point() {
    let data = Data::new().with_store("todos", 20);
    let mut session = data.session("fork");
    session
        .run(&["fork", "todos", "--into", "what-if", "--at", "e7"])
        .run(&["fork", "todos", "--into", "what-if"])
        .run(&["fork", "todos", "--into", "what-if", "--id", "whole", "--json"])
        .run(&["fork", "todos", "--into", "elsewhere", "--at", "21"])
        .done();
    let open = |id: &str| Store::<App>::builder(id).directory(data.file("what-if")).open().unwrap();
    assert_eq!((count(&open("todos")), count(&open("whole"))), (7, 20));
    assert!(!data.file("elsewhere").exists());
}

#[test]
fn the_doctor_says_what_is_wrong_and_saves_the_rest() {
    let data = Data::new().with_store("todos", 20);
    let _ = fs::remove_file(data.file("todos/state.snapshot"));
    let mut session = data.session("doctor");
    session.run(&["doctor"]);
    let log = rusqlite::Connection::open(data.file("todos/eventlog.db")).unwrap();
    log.execute("UPDATE eventlog SET args = '{}' WHERE seq_global IN (7, 12)", []).unwrap();
    drop(log);
    session.run(&["doctor", "--save", "saved.jsonl"]);
    fs::write(data.file("todos/eventlog.db"), "something else").unwrap();
    session.run(&["doctor", "--json"]);
    fs::remove_file(data.file("todos/eventlog.db")).unwrap();
    session.run(&["doctor", "todos"]).run(&["doctor", "nowhere"]).done();
    assert_eq!(fs::read_to_string(data.file("saved.jsonl")).unwrap().lines().count(), 18);
    assert_eq!(data.run(&["import", "saved.jsonl", "new", "todos"]).0, 1);
    assert_eq!(data.run(&["import", "saved.jsonl", "new", "todos", "--renumber"]).0, 0);
    let store = Store::<App>::builder("todos").directory(data.file("new")).open().unwrap();
    assert_eq!((store.head().unwrap(), count(&store)), (SeqNum::new(18), 18));
}

/// The doctor reads what it can around pages that are torn.
#[test]
fn torn_pages_do_not_end_the_doctors_reading() {
    let data = Data::new().with_store("todos", 12_000);
    let path = data.file("todos/eventlog.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0);
    fs::write(&path, bytes).unwrap();
    let (code, out, _) = data.run(&["doctor", "--save", "saved.jsonl"]);
    assert_eq!(code, 3, "{out}");
    let saved = fs::read_to_string(data.file("saved.jsonl")).unwrap();
    let last = saved.lines().last().unwrap();
    assert!(last.starts_with(r#"{"seqNum":12000,"#), "{out}\n{last}");
    assert!(saved.lines().count() > 11_000, "{out}");
}

/// A server of the command's own, which ends with the test.
struct Server {
    child: std::process::Child,
    url: String,
}

impl Server {
    fn start(data: &Data) -> Self {
        use std::io::{BufRead, BufReader};
        let mut command = data.command();
        command.args(["server", "--listen", "127.0.0.1:0", "--data", "server"]);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap();
        Self { url: format!("ws://{address}"), child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_store_is_synced_without_its_types() {
    let data = Data::new().with_store("todos", 250);
    let server = Server::start(&data);
    let run = |args: &[&str]| {
        let (code, out, err) = data.run(&[args, &["--url", &server.url]].concat());
        assert_eq!(code, 0, "{err}");
        out
    };
    assert_eq!(run(&["sync", ".", "todos"]), "todos is synced up to e250, with 0 new events\n");
    let (code, _, err) = data.run(&["sync", "phone", "todos", "--url", &server.url]);
    assert_eq!((code, err.contains("--create")), (4, true), "{err}");
    assert_eq!(
        run(&["sync", "phone", "todos", "--create"]),
        "todos is synced up to e250, with 250 new events\n"
    );
    let http = server.url.replace("ws://", "http://");
    let (code, out, err) = data.run(&["sync", "phone", "--url", &http, "--json"]);
    assert_eq!((code, out.contains(r#""isSynced":true"#)), (0, true), "{out}{err}");
    let phone = Store::<App>::builder("todos").directory(data.file("phone")).open().unwrap();
    assert_eq!(count(&phone), 250);
    // What the server exports, the command imports.
    let (code, _, err) =
        data.run(&["server", "--data", "server", "export", "todos", "server.jsonl"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = data.run(&["import", "server.jsonl", "from-server", "todos"]);
    assert_eq!((code, out.as_str()), (0, "250 events added to todos\n"), "{err}");
}

#[test]
fn a_backend_that_is_not_there_is_said() {
    let data = Data::new().with_store("todos", 1);
    let nowhere = ["sync", ".", "todos", "--url", "ws://127.0.0.1:9", "--timeout", "0.3"];
    let (code, _, err) = data.run(&nowhere);
    assert_eq!(code, 1);
    assert!(err.starts_with("livestore: not synced after 0.3 s: offline"), "{err}");
    let (code, _, err) = data.run(&["sync", ".", "todos", "--url", "ftp://x"]);
    assert_eq!(code, 1, "{err}");
}

#[test]
fn completions_and_man_pages_are_made() {
    let data = Data::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, _) = data.run(&["completions", shell]);
        assert!(code == 0 && out.contains("quarantined"), "{shell}");
    }
    assert_eq!(data.run(&["man", "man"]).0, 0);
    let has = |name: &str| Path::new(&data.file("man").join(name)).exists();
    assert!(has("livestore.1") && has("livestore-events.1") && has("livestore-schema-accept.1"));
}
