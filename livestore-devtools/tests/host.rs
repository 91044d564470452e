//! Every call of the protocol, answered about a real store.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "tests are an edge: they have threads")]

use std::sync::Arc;
use std::time::Duration;

use livestore::prelude::*;
use livestore_devtools::host::{Conversation, Host};
use livestore_devtools::protocol::VERSION;
use livestore_testing::sample::todos::{App, Todo, TodoEvent};
use livestore_testing::{Clients, wait_until};
use serde_json::{Value as Json, json};

fn created(id: usize) -> TodoEvent {
    let created_at = Timestamp::from_millis(1_000_000 + id as i64);
    TodoEvent::Created { id: format!("{id:05}"), text: format!("Todo {id}"), created_at }
}

fn completed(id: usize) -> TodoEvent {
    TodoEvent::Completed { id: format!("{id:05}") }
}

/// A page that has said hello.
struct Page(Conversation);

impl Page {
    fn of(store: &Store<App>) -> Self {
        let page = Self(Host::new(store).converse());
        page.ask("hello", json!({ "version": VERSION }));
        page
    }

    fn call(&self, method: &str, params: Json) -> Json {
        let call = json!({ "id": 7, "method": method, "params": params }).to_string();
        let answer: Json = serde_json::from_str(&self.0.answer(&call)).unwrap();
        assert_eq!(answer["id"], 7);
        answer
    }

    #[track_caller]
    fn ask(&self, method: &str, params: Json) -> Json {
        let answer = self.call(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The code and message of a refusal.
    #[track_caller]
    fn refused(&self, method: &str, params: Json) -> (String, String) {
        let answer = self.call(method, params);
        let text = |name: &str| answer["error"][name].as_str().unwrap_or_default().to_owned();
        assert_ne!(text("code"), "", "{method}: {answer}");
        (text("code"), text("message"))
    }

    fn news(&self) -> Vec<Json> {
        let news = self.0.notifications();
        news.iter().map(|news| serde_json::from_str(news).unwrap()).collect()
    }
}

fn store() -> Store<App> {
    Store::<App>::builder("todos").open().unwrap()
}

#[test]
fn a_page_of_another_version_gets_no_further() {
    let store = store();
    let page = Page(Host::new(&store).converse());
    assert_eq!(page.refused("schema", json!({})).0, "badCall");
    let (code, message) = page.refused("hello", json!({ "version": VERSION + 1 }));
    assert_eq!(code, "otherVersion");
    assert!(message.contains("reload"), "{message}");
    assert_eq!(page.refused("schema", json!({})).0, "badCall");
    let hello = page.ask("hello", json!({ "version": VERSION }));
    assert_eq!((hello["schema"].as_str(), hello["storeId"].as_str()), (Some("App"), Some("todos")));
    assert!(!hello["can"].as_array().unwrap().contains(&json!("sync")));
    for garbage in
        ["", "{", "[]", "12", r#"{"id":3}"#, r#"{"id":3,"method":"explode","params":{}}"#]
    {
        let answer: Json = serde_json::from_str(&page.0.answer(garbage)).unwrap();
        assert_eq!(answer["error"]["code"], "badCall", "{garbage}");
    }
}

#[test]
fn tables_are_shown_sorted_filtered_and_in_pages() {
    let store = store();
    (0..250).for_each(|n| drop(store.commit([created(n)]).unwrap()));
    store.commit([completed(3), completed(200)]).unwrap();
    let page = Page::of(&store);
    let schema = page.ask("schema", json!({}));
    let todo = &schema["tables"][0];
    assert_eq!((todo["name"].as_str(), todo["rows"].as_u64()), (Some("todo"), Some(250)));
    assert_eq!(
        todo["columns"][0],
        json!({ "name": "id", "sqlType": "TEXT", "nullable": false, "key": 1 })
    );
    let event =
        schema["events"].as_array().unwrap().iter().find(|event| event["name"] == "v1.TodoCreated");
    assert_eq!(event.unwrap()["fields"][2], json!({ "name": "created_at", "type": "Timestamp" }));
    let rows = page.ask("rows", json!({ "table": "todo", "offset": 100, "limit": 2 }));
    assert_eq!(
        (rows["total"].as_u64(), rows["rows"][1][1].as_str()),
        (Some(250), Some("Todo 101"))
    );
    let wanted = json!({
        "table": "todo", "offset": 0, "limit": 10,
        "sort": [{ "column": "created_at", "descending": true }],
        "filter": [{ "column": "completed", "op": "eq", "value": 1 }],
    });
    let rows = page.ask("rows", wanted);
    assert_eq!(
        rows["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[0].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["00200", "00003"]
    );
    let contains = json!([{ "column": "text", "op": "contains", "value": "ODO 24" }]);
    let rows =
        page.ask("rows", json!({ "table": "todo", "offset": 0, "limit": 1, "filter": contains }));
    assert_eq!(rows["total"], 11);
    assert_eq!(
        page.refused("rows", json!({ "table": "todo\"; --", "offset": 0, "limit": 1 })).0,
        "notFound"
    );
    let sort = json!([{ "column": "nope" }]);
    let (code, message) =
        page.refused("rows", json!({ "table": "todo", "offset": 0, "limit": 1, "sort": sort }));
    assert_eq!((&*code, &*message), ("notFound", "table `todo` has no column `nope`"));
}

#[test]
fn a_row_is_found_by_its_key_in_any_order() {
    let store = store();
    (0..250).for_each(|n| drop(store.commit(created(n)).unwrap()));
    store.commit([completed(3), completed(200)]).unwrap();
    let page = Page::of(&store);
    let place = |key: &str, sort: &Json, filter: &Json| {
        let wanted = json!({ "table": "todo", "key": [key], "sort": sort, "filter": filter });
        page.ask("rowPlace", wanted)["offset"].clone()
    };
    let id_at = |offset: &Json, sort: &Json, filter: &Json| {
        let wanted = json!({ "table": "todo", "offset": offset, "limit": 1, "sort": sort, "filter": filter });
        page.ask("rows", wanted)["rows"][0][0].clone()
    };
    let sorts = [
        json!([]),
        json!([{ "column": "id", "descending": true }]),
        json!([{ "column": "completed", "descending": true }, { "column": "text" }]),
    ];
    let filters = [
        json!([]),
        json!([{ "column": "text", "op": "contains", "value": "odo 20" }]),
        json!([{ "column": "text", "op": "isNotNull" }]),
    ];
    for (sort, filter) in
        sorts.iter().flat_map(|sort| filters.iter().map(move |filter| (sort, filter)))
    {
        let offset = place("00200", sort, filter);
        assert_eq!(id_at(&offset, sort, filter), "00200", "{sort} {filter}");
    }
    assert_eq!(place("00042", &json!([]), &json!([])), 42);
    assert_eq!(place("00042", &json!([]), &filters[1]), Json::Null, "it does not pass the filter");
    assert_eq!(place("99999", &json!([]), &json!([])), Json::Null);
    assert_eq!(page.refused("rowPlace", json!({ "table": "todo", "key": [] })).0, "badCall");
    assert_eq!(page.refused("rowPlace", json!({ "table": "nope", "key": [1] })).0, "notFound");
}

#[test]
fn sql_reads_the_present_and_the_past_and_never_writes() {
    let store = store();
    (0..20).for_each(|n| drop(store.commit([created(n)]).unwrap()));
    let page = Page::of(&store);
    let count = "SELECT count(*) AS n FROM todo";
    let now = page.ask("sql", json!({ "sql": count, "limit": 10 }));
    assert_eq!((&now["columns"], &now["rows"]), (&json!(["n"]), &json!([[20]])));
    assert!(now["plan"][0]["detail"].as_str().unwrap().contains("todo"), "{now}");
    let then = page.ask("sql", json!({ "sql": count, "limit": 10, "source": { "at": "e5" } }));
    assert_eq!((&then["rows"], then["seq"].as_str()), (&json!([[5]]), Some("e5")));
    let some = page.ask("sql", json!({ "sql": "SELECT id FROM todo", "limit": 3 }));
    assert_eq!(
        (some["rows"].as_array().unwrap().len(), some["truncated"].as_bool()),
        (3, Some(true))
    );
    let many = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 10000000) SELECT n FROM n";
    let cut = page.ask("sql", json!({ "sql": many, "limit": 1_000_000_000 }));
    let rows = cut["rows"].as_array().unwrap();
    assert_eq!((rows.len(), cut["truncated"].as_bool()), (10_000, Some(true)));
    let large = page.refused("sql", json!({ "sql": "SELECT zeroblob(900000000)", "limit": 1 }));
    assert!(large.0 == "sql" && large.1.contains("too big"), "{large:?}");
    for sql in
        ["DELETE FROM todo", "DROP TABLE todo", "ATTACH 'x' AS y", "PRAGMA page_count", "SELEC"]
    {
        assert_eq!(page.refused("sql", json!({ "sql": sql, "limit": 3 })).0, "sql", "{sql}");
    }
    assert_eq!(store.query(Todo::all().count()).unwrap(), 20);
}

#[test]
fn sql_that_never_ends_is_cancelled() {
    let store = store();
    let page = Arc::new(Page::of(&store));
    let endless =
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT max(n) FROM n";
    let running = Arc::clone(&page);
    let running =
        std::thread::spawn(move || running.refused("sql", json!({ "sql": endless, "limit": 1 })));
    while !running.is_finished() {
        page.0.answer(&json!({ "id": 8, "method": "cancel", "params": { "call": 7 } }).to_string());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(running.join().unwrap().0, "cancelled");
    store.commit(created(1)).unwrap();
}

#[test]
fn the_log_is_read_in_pages_from_anywhere() {
    let store = store();
    for n in 0..1_200 {
        store.commit(created(n)).unwrap();
        store.commit(completed(n)).unwrap();
    }
    let page = Page::of(&store);
    let seqs = |answer: &Json| -> Vec<String> {
        let events = answer["events"].as_array().unwrap();
        events.iter().map(|event| event["seq"].as_str().unwrap().to_owned()).collect()
    };
    let tail = page.ask("events", json!({ "limit": 3 }));
    assert_eq!(
        (seqs(&tail), &tail["index"], &tail["total"]),
        (vec!["e2398".into(), "e2399".into(), "e2400".into()], &json!(2_397), &json!(2_400))
    );
    let middle = page.ask("events", json!({ "index": 1_999, "limit": 2 }));
    assert_eq!(seqs(&middle), ["e2000", "e2001"]);
    let after = page.ask("events", json!({ "after": "e1000", "limit": 2 }));
    assert_eq!(
        (seqs(&after), &after["index"]),
        (vec!["e1001".into(), "e1002".into()], &json!(1_000))
    );
    let before = page.ask("events", json!({ "before": "e1000", "limit": 2 }));
    assert_eq!(seqs(&before), ["e998", "e999"]);
    let filter = json!({ "names": ["v1.TodoCompleted"], "text": "0119" });
    let found = page.ask("events", json!({ "limit": 5, "filter": filter }));
    assert_eq!(seqs(&found), ["e2392", "e2394", "e2396", "e2398", "e2400"]);
    let rest = page.ask("events", json!({ "limit": 50, "filter": filter, "before": "e2392" }));
    assert_eq!((seqs(&rest).len(), &rest["more"]), (6, &json!(false)), "01190 to 01195, and 00119");
    let nobody = json!({ "client": "nobody" });
    let none = page.ask("events", json!({ "limit": 5, "filter": nobody }));
    assert_eq!((seqs(&none).len(), &none["more"]), (0, &json!(false)));
}

/// Near the end of a log, events are counted from there.
#[test]
fn a_place_in_the_log_is_the_same_from_either_end() {
    let store = store();
    let events: Vec<_> = (0..9_000).map(created).collect();
    events.chunks(500).for_each(|events| drop(store.commit(events.to_vec()).unwrap()));
    let page = Page::of(&store);
    for index in [8_999, 5_000, 4_999, 0, 7_500, 4_001, 1_000] {
        let found = page.ask("events", json!({ "index": index, "limit": 1 }));
        assert_eq!(found["events"][0]["seq"], format!("e{}", index + 1));
        let seq = format!("e{}", index + 1);
        assert_eq!(page.ask("event", json!({ "seq": seq }))["event"]["seq"], seq);
    }
    store.commit(created(20_000)).unwrap();
    let tail = page.ask("events", json!({ "limit": 2 }));
    assert_eq!((&tail["events"][1]["seq"], &tail["total"]), (&json!("e9001"), &json!(9_001)));
}

#[test]
fn an_event_says_what_it_changed_and_a_row_what_changed_it() {
    let store = store();
    store.commit(created(1)).unwrap();
    store.commit([created(2), completed(1)]).unwrap();
    let page = Page::of(&store);
    let event = page.ask("event", json!({ "seq": "e3" }));
    assert_eq!(event["commit"], json!(["e2", "e3"]));
    assert_eq!(event["args"], json!({ "id": "00001" }));
    let change = &event["changes"][0];
    assert_eq!((&change["before"][2], &change["after"][2]), (&json!(0), &json!(1)));
    assert_eq!(page.refused("event", json!({ "seq": "e9" })).0, "notFound");
    assert_eq!(page.refused("event", json!({ "seq": "nine" })).0, "badCall");
    let history = page.ask("rowHistory", json!({ "table": "todo", "key": ["00001"] }));
    let names = history["changes"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|change| change["event"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["v1.TodoCreated", "v1.TodoCompleted"]);
    assert_eq!(page.refused("rowHistory", json!({ "table": "todo", "key": [] })).0, "badCall");
}

#[test]
fn two_states_are_compared_and_a_fork_is_tried_on() {
    let store = store();
    (0..10).for_each(|n| drop(store.commit([created(n)]).unwrap()));
    store.commit(completed(4)).unwrap();
    let page = Page::of(&store);
    let diff = page.ask("diff", json!({ "from": { "at": "e8" }, "to": "now", "limit": 10 }));
    let table = &diff["tables"][0];
    assert_eq!(
        (&table["added"], &table["changed"], &table["removed"]),
        (&json!(2), &json!(1), &json!(0))
    );
    let fork = page.ask("fork", json!({ "at": "e3" }));
    assert_eq!(fork["seq"], "e3");
    let id = fork["fork"].as_u64().unwrap();
    let args = json!({ "fork": id, "name": "v1.TodoCompleted", "args": { "id": "00001" } });
    assert_eq!(page.ask("commit", args)["seqs"], json!(["e4"]));
    let rows = page
        .ask("rows", json!({ "source": { "fork": id }, "table": "todo", "offset": 0, "limit": 9 }));
    assert_eq!((&rows["total"], &rows["rows"][1][2]), (&json!(3), &json!(1)));
    let events = page.ask("events", json!({ "fork": id, "limit": 2 }));
    assert_eq!((&events["total"], &events["events"][1]["seq"]), (&json!(4), &json!("e4")));
    let event = page.ask("event", json!({ "fork": id, "seq": "e4" }));
    assert_eq!(event["changes"][0]["after"][2], 1);
    let code = page.ask("asTest", json!({ "fork": id, "to": "e4", "table": "todo" }));
    assert!(code["code"].as_str().unwrap().contains("v1.TodoCompleted"), "{code}");
    assert!(!store.query(Todo::get("00001")).unwrap().unwrap().completed, "the store is as it was");
    page.ask("dropFork", json!({ "fork": id }));
    assert_eq!(
        page.refused(
            "rows",
            json!({ "source": { "fork": id }, "table": "todo", "offset": 0, "limit": 9 })
        )
        .0,
        "notFound"
    );
    let code = page.ask("asTest", json!({ "to": "e2" }))["code"].as_str().unwrap().to_owned();
    assert!(code.contains(r##"("v1.TodoCreated", r#"{"id":"00001","##), "{code}");
}

#[test]
fn what_the_page_commits_is_its_own() {
    let store = store();
    let page = Page::of(&store);
    let hello = page.ask("hello", json!({ "version": VERSION }));
    let args = json!({ "id": "a", "text": "<img src=x onerror=alert(1)>", "created_at": "2026-11-27T00:00:00.000Z" });
    page.ask("commit", json!({ "name": "v1.TodoCreated", "args": args }));
    let event = page.ask("events", json!({ "limit": 1 }))["events"][0].clone();
    assert_eq!(event["sessionId"], hello["devtoolsSessionId"]);
    let (code, message) =
        page.refused("commit", json!({ "name": "v1.TodoCreated", "args": { "id": 1 } }));
    assert_eq!(code, "commit");
    assert!(message.contains("v1.TodoCreated"), "{message}");
    assert_eq!(page.refused("commit", json!({ "name": "v1.Nope", "args": {} })).0, "notFound");
}

#[test]
fn events_leave_and_come_back_and_what_is_cut_changes_nothing() {
    let (from, to) = (store(), store());
    (0..1_500).for_each(|n| drop(from.commit([created(n)]).unwrap()));
    let (page, other) = (Page::of(&from), Page::of(&to));
    let mut after = Json::Null;
    loop {
        let answer = page.ask("exportEvents", json!({ "after": after }));
        if answer["last"].is_null() {
            break;
        }
        after = answer["last"].clone();
        other.ask("importEvents", json!({ "lines": answer["lines"] }));
    }
    assert_eq!(from.state_hash().unwrap(), to.state_hash().unwrap());
    let lines =
        json!([r#"{"name":"v1.TodoCompleted","args":{"id":"00001"}}"#, r#"{"name":"v1.Todo"#]);
    let (code, message) = other.refused("importEvents", json!({ "lines": lines }));
    assert!(code == "badCall" && message.starts_with("line 2"), "{message}");
    assert_eq!(to.head().unwrap(), SeqNum::new(1_500));
    let piece = page.ask("exportState", json!({ "offset": 0 }));
    assert!(piece["base64"].as_str().unwrap().starts_with("U1FMaXRl"), "it is an SQLite file");
}

#[test]
fn the_graph_shows_what_a_commit_reached() {
    let store = store();
    let open = store.live(Todo::filter(Todo::COMPLETED.eq(false))).unwrap();
    let one = store.live(Todo::get("00001")).unwrap();
    let page = Page::of(&store);
    page.ask("live", json!({}));
    store.commit(created(5)).unwrap();
    let graph = page.ask("live", json!({}));
    let nodes = graph["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3, "{graph}");
    let reached =
        |tier: &str| nodes.iter().find(|node| node["tier"] == tier).unwrap()["reached"].clone();
    assert_eq!(
        (reached("Point"), nodes.iter().filter(|node| node["reached"] == true).count()),
        (json!(false), 2),
        "the query and its table"
    );
    assert_eq!(graph["edges"].as_array().unwrap().len(), 2);
    drop((open, one));
}

#[test]
fn a_page_is_notified_of_what_happens() {
    let clients = Clients::<App>::new();
    let (a, b) = (clients.open("a").unwrap(), clients.open("b").unwrap());
    clients.sync().unwrap();
    let page = Page::of(&a);
    page.ask("subscribe", json!({ "topics": ["status", "log", "activity"] }));
    let first = page.news();
    assert!(
        first.iter().any(|news| news["topic"] == "status" && news["data"]["network"] == "online"),
        "{first:?}"
    );
    assert_eq!(page.news(), [] as [Json; 0], "nothing is new");
    page.ask("sync", json!({ "action": "pause" }));
    a.commit([created(1), completed(1)]).unwrap();
    b.commit(created(2)).unwrap();
    wait_until(|| b.sync_status().unwrap().pending == 0);
    let kinds = |news: &[Json]| -> Vec<String> {
        let activity = news.iter().filter(|news| news["topic"] == "activity");
        let activity = activity.flat_map(|news| news["data"].as_array().unwrap().clone());
        activity.map(|activity| activity["kind"].as_str().unwrap().to_owned()).collect()
    };
    let news = page.news();
    assert!(kinds(&news).contains(&"committed".to_owned()), "{news:?}");
    assert!(
        news.iter().any(|news| news["topic"] == "log" && news["data"]["total"] == 2),
        "{news:?}"
    );
    let events = page.ask("events", json!({ "limit": 5 }));
    assert_eq!(events["events"][0]["kind"], "pending");
    page.ask("sync", json!({ "action": "resume" }));
    clients.sync().unwrap();
    let mut seen = Vec::new();
    wait_until(|| {
        seen.extend(kinds(&page.news()));
        ["rebased", "pulled", "pushed", "acknowledged"]
            .iter()
            .all(|kind| seen.iter().any(|seen| seen == kind))
    });
    let performance = page.ask("performance", json!({}));
    assert_eq!(performance["commits"]["count"], 1);
    assert!(performance["materializers"].as_array().unwrap().len() == 2, "{performance}");
    page.ask("sync", json!({ "action": { "delay": 20 } }));
    page.ask("sync", json!({ "action": "drop" }));
    a.commit(created(3)).unwrap();
    clients.sync().unwrap();
    let sizes = page.ask("sizes", json!({}));
    assert_eq!(sizes["events"][0]["count"], 3);
}

#[test]
fn a_store_that_closes_says_so() {
    let store = store();
    let page = Page::of(&store);
    store.close().unwrap();
    let (code, message) = page.refused("rows", json!({ "table": "todo", "offset": 0, "limit": 1 }));
    assert_eq!(code, "store");
    assert!(message.contains("closed"), "{message}");
    assert_eq!(page.news(), [] as [Json; 0]);
}

#[test]
fn a_folder_is_shown_without_the_types() {
    let directory = livestore_testing::StoreDirectory::new("todos");
    let store: Store<App> = directory.open().unwrap();
    (0..2_000).for_each(|n| drop(store.commit(created(n)).unwrap()));
    store.close().unwrap();
    let page = Page(Host::of_folder(&directory.folder()).unwrap().converse());
    let hello = page.ask("hello", json!({ "version": VERSION }));
    assert_eq!((&hello["storeId"], &hello["can"]), (&json!("todos"), &json!([])));
    let events = page.ask("events", json!({ "index": 1_500, "limit": 1 }));
    assert_eq!((&events["events"][0]["seq"], &events["total"]), (&json!("e1501"), &json!(2_000)));
    assert_eq!(page.ask("event", json!({ "seq": "e7" }))["changes"], Json::Null);
    let rows = page.ask("rows", json!({ "table": "todo", "offset": 0, "limit": 1 }));
    assert_eq!(rows["total"], 2_000, "the store has left a snapshot");
    let past = json!({ "source": { "at": "e5" }, "table": "todo", "offset": 0, "limit": 1 });
    let (code, message) = page.refused("rows", past);
    assert!(code == "unsupported" && message.contains("from the app"), "{message}");
    page.ask("subscribe", json!({ "topics": ["status", "log", "activity"] }));
    let folder = |news: &[Json]| {
        let status = news.iter().find(|news| news["topic"] == "status").unwrap();
        status["data"]["folder"].clone()
    };
    let news = page.news();
    assert_eq!(news.len(), 2);
    assert_eq!(folder(&news), json!({ "isOpen": false, "isLive": false, "stateHead": "e2000" }));
    let store: Store<App> = directory.open().unwrap();
    store.commit(created(5_000)).unwrap();
    // The app is asked from now on.
    let news = page.news();
    assert_eq!(folder(&news), json!({ "isOpen": true, "isLive": true, "stateHead": "e2001" }));
    let sessions =
        news.iter().find(|news| news["topic"] == "status").unwrap()["data"]["sessions"].clone();
    assert_eq!(sessions, json!([{ "id": store.session_id(), "leads": true }]));
    assert_eq!(page.ask("events", json!({ "limit": 1 }))["events"][0]["seq"], "e2001");
    let rows = page.ask("rows", json!({ "table": "todo", "offset": 2_000, "limit": 1 }));
    assert_eq!((&rows["rows"][0][0], &rows["seq"]), (&json!("05000"), &json!("e2001")));
    store.close().unwrap();
    assert_eq!(folder(&page.news())["isLive"], false);
    assert_eq!(
        page.ask("rows", json!({ "table": "todo", "offset": 0, "limit": 1 }))["total"],
        2_001
    );
}
