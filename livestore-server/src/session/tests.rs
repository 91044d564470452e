use std::sync::mpsc;

use livestore_protocol::{SyncEvent, Timestamp, Transport};

use super::*;
use crate::hub::Hub;
use crate::store::{EventStore, MemoryStore, Reply, StoreId, StoreLimits};

/// A session and all that it needs, driven by hand.
struct Bench {
    hub: Hub,
    room: Arc<Room>,
    session: Session,
}

impl Bench {
    fn new() -> Self {
        Self::with(Rights::ALL)
    }

    fn with(rights: Rights) -> Self {
        let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new(StoreLimits::NONE));
        let hub = Hub::new(store);
        let room = ask(|reply| hub.enter(&StoreId::new("st").unwrap(), reply)).unwrap();
        let session = Session::new(Arc::clone(&room), Transport::WebSocket, rights);
        Self { hub, room, session }
    }

    /// Does what the session wants done, and collects what it sends. The backend id reads `B`.
    fn run(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(effect) = self.session.next_effect() {
            match effect {
                Effect::Send(frame) => sent.push(frame.replace(self.room.backend_id(), "B")),
                Effect::Close(reason) => sent.push(format!("closed: {reason}")),
                Effect::Append { ticket, batch } => {
                    let result = ask(|reply| self.room.append(batch, reply));
                    self.session.pushed(ticket, result);
                }
                Effect::Compare { ticket, batch } => {
                    self.session.compared(ticket, self.room.has(&batch));
                }
                Effect::Read { ticket, after, max_bytes } => {
                    self.session.read(ticket, self.room.read(after, max_bytes));
                }
            }
        }
        sent
    }

    fn send(&mut self, frame: &str) -> Vec<String> {
        self.session.receive(frame, Timestamp::from_millis(0));
        self.run()
    }

    /// Pushes `count` events after `parent` beside this session.
    fn others_push(&self, parent: u64, count: u64) {
        let stored = |parent| StoredEvent::new(event(parent), Timestamp::from_millis(0));
        let batch = (parent..parent + count).map(stored).collect();
        ask(|reply| self.room.append(batch, reply)).unwrap();
    }
}

fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::channel();
    question(Box::new(move |result| drop(sender.send(result))));
    answer.recv().unwrap()
}

fn event(parent: u64) -> SyncEvent {
    SyncEvent {
        seq: parent + 1,
        parent,
        name: "n".to_owned(),
        args: "{}".to_owned(),
        client_id: "c".into(),
        session_id: "s".into(),
        metadata: None,
    }
}

/// An event as it is pushed.
fn pushed(seq: &str, parent: &str) -> String {
    format!(
        r#"{{"name":"n","args":{{}},"seqNum":{seq},"parentSeqNum":{parent},"clientId":"c","sessionId":"s"}}"#
    )
}

fn push(id: &str, batch: &[String], backend_id: &str) -> String {
    let batch = batch.join(",");
    format!(
        r#"{{"_tag":"Request","id":{id},"tag":"SyncWsRpc.Push","payload":{{"storeId":"st","batch":[{batch}],"backendId":{backend_id}}},"headers":[]}}"#
    )
}

fn pull(id: &str, live: bool, cursor: &str) -> String {
    format!(
        r#"{{"_tag":"Request","id":{id},"tag":"SyncWsRpc.Pull","payload":{{"storeId":"st","live":{live},"cursor":{cursor}}},"headers":[]}}"#
    )
}

fn ack(id: &str) -> String {
    format!(r#"{{"_tag":"Ack","requestId":{id}}}"#)
}

fn cursor(backend_id: &str, head: u64) -> String {
    format!(
        r#"{{"_tag":"Some","value":{{"backendId":"{backend_id}","eventSequenceNumber":{head}}}}}"#
    )
}

const NONE: &str = r#"{"_tag":"None"}"#;
const DONE: &str = r#"{"_tag":"Exit","requestId":"1","exit":{"_tag":"Success","value":{}}}"#;

/// What a chunk says, in short: `id: first..last more`.
fn chunk_of(frame: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(frame).unwrap();
    let page = &json["values"][0];
    let seqs: Vec<_> = page["batch"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["eventEncoded"]["seqNum"])
        .collect();
    let range = match (seqs.first(), seqs.last()) {
        (Some(first), Some(last)) => format!("{first}..{last}"),
        _ => "nothing".to_owned(),
    };
    let more =
        page["pageInfo"]["remaining"].as_u64().map_or(String::new(), |more| format!(" +{more}"));
    format!("{}: {range}{more}", json["requestId"])
}

fn chunks(frames: &[String]) -> Vec<String> {
    frames.iter().map(|frame| chunk_of(frame)).collect()
}

#[test]
fn a_push_is_checked_whole() {
    let e = |seq: &str, parent: &str| pushed(seq, parent);
    let long: Vec<_> = (0..101).map(|n: u64| e(&(n + 1).to_string(), &n.to_string())).collect();
    let fail = |error: &str| {
        format!(
            r#"{{"_tag":"Exit","requestId":"1","exit":{{"_tag":"Failure","cause":{{"_tag":"Fail","error":{error}}}}}}}"#
        )
    };
    let ahead = |head, parent| {
        fail(&format!(
            r#"{{"_tag":"ServerAheadError","minimumExpectedNum":{head},"providedNum":{parent}}}"#
        ))
    };
    let cases = [
        (vec![], DONE.to_owned()),
        (vec![e("1", "0")], DONE.to_owned()),
        (vec![e("1", "0"), e("2", "1")], DONE.to_owned()),
        (vec![e("2", "1")], ahead(0, 1)),
        (vec![e("1", "0"), e("3", "2")], "e3 ← e2 does not follow e1".to_owned()),
        (vec![e("1", "0"), e("1", "0")], "e1 ← e0 does not follow e1".to_owned()),
        (vec![e("3", "0")], "e3 ← e0 does not follow e0".to_owned()),
        (vec![e("0", "18446744073709551615")], "does not follow".to_owned()),
        (vec![e("1.5", "1")], "floating point `1.5`, expected a whole number".to_owned()),
        (vec![e("-1", "0")], "integer `-1`, expected a whole number".to_owned()),
        (vec![e("1", "0").replace("{}", "[]")], DONE.to_owned()),
        (vec![e("1", "0").replace("{}", "7")], DONE.to_owned()),
        (vec![e("1", "0").replace("{}", "null")], DONE.to_owned()),
        (vec![e("1", "0").replace(r#""args":{},"#, "")], DONE.to_owned()),
        (vec![e("1", "0").replace(r#""n""#, r#""""#)], "the name of e1 is empty".to_owned()),
        (vec![e("1", "0").replace(r#""c""#, "7")], "invalid type: integer `7`".to_owned()),
        (long, "a push has at most 100 events".to_owned()),
        (
            vec![e("1", "0").replace("{}", &format!(r#"{{"t":"{}"}}"#, "x".repeat(901_000)))],
            "e1 takes 901345 bytes, and may take 901024: split `n` into".to_owned(),
        ),
        (
            vec![e("1", "0").replace(
                "{}",
                &format!("{}{}", r#"{"a":"#.repeat(101), "1".to_owned() + &"}".repeat(101)),
            )],
            "the args of e1 nest deeper than 100 levels: flatten `n`".to_owned(),
        ),
    ];
    for (batch, expected) in cases {
        let mut bench = Bench::new();
        let sent = bench.send(&push(r#""1""#, &batch, NONE));
        let shown: String = format!("{batch:?}").chars().take(200).collect();
        assert!(sent.len() == 1 && sent[0].contains(&expected), "{shown}: {sent:?}");
        let accepted = if expected == DONE { batch.len() as u64 } else { 0 };
        assert_eq!(bench.room.head(), accepted, "{shown}");
    }
}

#[test]
fn a_client_does_not_say_when_an_event_was_accepted() {
    let mut bench = Bench::new();
    let time = r#""metadata":{"createdAt":"1999"},"createdAt":"1999","args":{}"#;
    let event = pushed("1", "0").replace(r#""args":{}"#, time);
    assert_eq!(bench.send(&push(r#""1""#, &[event], NONE)), [DONE]);
    let answer = bench.send(&pull(r#""2""#, false, NONE)).join("");
    assert!(answer.contains(r#""createdAt":"1970-"#), "{answer}");
    assert!(!answer.contains("1999"), "{answer}");
}

#[test]
fn a_push_that_was_taken_is_taken_again() {
    let mut bench = Bench::new();
    let batch = [pushed("1", "0"), pushed("2", "1")];
    assert_eq!(bench.send(&push(r#""1""#, &batch, NONE)), [DONE]);
    assert_eq!(bench.send(&push(r#""1""#, &batch, NONE)), [DONE], "its answer was lost");
    assert_eq!(bench.room.head(), 2, "it is there once");
    let spaced = [pushed("1", "0").replace(r#""args":{}"#, r#""args":{ }"#)];
    assert_eq!(bench.send(&push(r#""1""#, &spaced, NONE)), [DONE], "args are JSON, not text");
    bench.others_push(2, 1);
    assert_eq!(bench.send(&push(r#""1""#, &batch, NONE)), [DONE], "others came after it");
    for other in [r#""name":"m""#, r#""clientId":"d""#, r#""sessionId":"t""#, r#""args":{"a":1}"#] {
        let field = other.split(':').next().unwrap();
        let mine = [r#""name":"n""#, r#""clientId":"c""#, r#""sessionId":"s""#, r#""args":{}"#];
        let mine = mine.into_iter().find(|text| text.starts_with(field)).unwrap();
        let batch = [pushed("1", "0"), pushed("2", "1").replace(mine, other)];
        let sent = bench.send(&push(r#""1""#, &batch, NONE));
        assert!(sent[0].contains(r#""minimumExpectedNum":3,"providedNum":0"#), "{other}: {sent:?}");
    }
    let longer = [pushed("3", "2"), pushed("4", "3")];
    let sent = bench.send(&push(r#""1""#, &longer, NONE));
    assert!(sent[0].contains(r#""minimumExpectedNum":3,"providedNum":2"#), "{sent:?}");
}

#[test]
fn a_foreign_backend_id_is_refused() {
    let mut bench = Bench::new();
    let known = format!(r#"{{"_tag":"Some","value":"{}"}}"#, bench.room.backend_id());
    assert_eq!(bench.send(&push(r#""1""#, &[pushed("1", "0")], &known)), [DONE]);
    let mismatch = r#"{"_tag":"BackendIdMismatchError","expected":"B","received":"other"}"#;
    let sent = bench.send(&push(r#""1""#, &[], r#"{"_tag":"Some","value":"other"}"#));
    assert!(sent[0].contains(mismatch), "{sent:?}");
    let sent = bench.send(&pull(r#""1""#, true, &cursor("other", 0)));
    assert!(sent[0].contains(mismatch), "{sent:?}");
    bench.others_push(1, 1);
    assert_eq!(bench.run(), Vec::<String>::new(), "a refused pull is not live");
}

#[test]
fn stored_pages_are_paced_and_live_ones_are_not() {
    let mut bench = Bench::new();
    bench.others_push(0, 100);
    bench.others_push(100, 100);
    bench.others_push(200, 50);
    let sent = bench.send(&pull(r#""0""#, true, NONE));
    assert_eq!(chunks(&sent), [r#""0": 1..100 +150"#]);
    assert_eq!(bench.run(), Vec::<String>::new(), "the next waits for the Ack");
    bench.others_push(250, 1);
    assert_eq!(bench.run(), Vec::<String>::new(), "a live event does not overtake stored ones");
    assert_eq!(chunks(&bench.send(&ack(r#""0""#))), [r#""0": 101..200 +51"#]);
    assert_eq!(chunks(&bench.send(&ack(r#""0""#))), [r#""0": 201..251"#]);
    bench.others_push(251, 1);
    bench.others_push(252, 2);
    assert_eq!(chunks(&bench.run()), [r#""0": 252..252"#, r#""0": 253..254"#]);
    for _ in 0..3 {
        assert_eq!(bench.send(&ack(r#""0""#)), Vec::<String>::new());
    }
}

#[test]
fn a_pull_that_is_not_live_ends_with_its_last_ack() {
    let mut bench = Bench::new();
    assert_eq!(chunks(&bench.send(&pull("0", false, NONE))), ["0: nothing"]);
    let exit = r#"{"_tag":"Exit","requestId":0,"exit":{"_tag":"Success"}}"#;
    assert_eq!(bench.send(&ack("0")), [exit]);
    bench.others_push(0, 1);
    assert_eq!(chunks(&bench.send(&pull("0", false, NONE))), ["0: 1..1"]);
    assert_eq!(bench.send(&ack("0")), [exit]);
    assert_eq!(bench.send(&ack("0")), Vec::<String>::new());
}

#[test]
fn a_subscriber_that_fell_behind_reads_on_without_a_gap() {
    let mut bench = Bench::new();
    assert_eq!(chunks(&bench.send(&pull("0", true, NONE))), ["0: nothing"]);
    // More than memory keeps: each event is about 200 bytes.
    for parent in 0..1_500 {
        bench.others_push(parent, 1);
    }
    let sent = bench.run();
    let mut next = 1;
    for frame in &sent {
        let json: serde_json::Value = serde_json::from_str(frame).unwrap();
        for event in json["values"][0]["batch"].as_array().unwrap() {
            assert_eq!(event["eventEncoded"]["seqNum"], next);
            next += 1;
        }
    }
    assert_eq!(next, 1_501);
    assert!(sent.len() < 1_500, "the first came from the disk, by the page");
}

#[test]
fn a_pusher_receives_its_own_events_before_the_answer() {
    let mut bench = Bench::new();
    bench.send(&pull(r#""0""#, true, NONE));
    let sent = bench.send(&push(r#""1""#, &[pushed("1", "0")], NONE));
    assert_eq!((&*chunk_of(&sent[0]), &*sent[1]), (r#""0": 1..1"#, DONE));
    let again = bench.send(&push(r#""1""#, &[pushed("1", "0")], NONE));
    assert_eq!(again, [DONE], "the client has the events already");
    bench.send(&pull(r#""7""#, true, NONE));
    let sent = bench.send(&push(r#""1""#, &[pushed("2", "1")], NONE));
    let [first, second, answer] = &*sent else { panic!("{sent:?}") };
    assert_eq!(chunks(&[first.clone(), second.clone()]), [r#""0": 2..2"#, r#""7": 2..2"#]);
    assert_eq!(answer, DONE, "the client has two live pulls");
}

#[test]
fn a_refused_pusher_receives_what_came_first_before_the_refusal() {
    let mut bench = Bench::new();
    let mine = pushed("1", "0").replace(r#""n""#, r#""mine""#);
    bench.send(&pull(r#""0""#, true, NONE));
    bench.others_push(0, 2);
    let sent = bench.send(&push(r#""1""#, &[mine], NONE));
    let [events, refusal] = &*sent else { panic!("{sent:?}") };
    assert_eq!(chunk_of(events), r#""0": 1..2"#);
    assert!(refusal.contains("ServerAheadError"), "{refusal}");
    assert!(refusal.contains(r#""minimumExpectedNum":2,"providedNum":0"#), "{refusal}");

    let sent = bench.send(&push(r#""2""#, &[pushed("9", "8")], NONE));
    let [refusal] = &*sent else { panic!("{sent:?}") };
    assert!(refusal.contains(r#""minimumExpectedNum":2,"providedNum":8"#), "{refusal}");
}

#[test]
fn a_push_is_refused_behind_events_that_are_read_from_the_disk() {
    let mut bench = Bench::new();
    let mine = pushed("1", "0").replace(r#""n""#, r#""mine""#);
    bench.send(&pull(r#""0""#, true, NONE));
    for parent in 0..1_500 {
        bench.others_push(parent, 1);
    }
    let sent = bench.send(&push(r#""1""#, &[mine], NONE));
    let [first, .., refusal] = &*sent else { panic!("{sent:?}") };
    assert!(chunk_of(first).starts_with(r#""0": 1.."#), "{first}");
    assert!(refusal.contains("ServerAheadError"), "{refusal}");
}

#[test]
fn a_push_is_answered_behind_events_that_are_read_from_the_disk() {
    let mut bench = Bench::new();
    bench.send(&pull(r#""0""#, true, NONE));
    for parent in 0..1_500 {
        bench.others_push(parent, 1);
    }
    let sent = bench.send(&push(r#""1""#, &[pushed("1501", "1500")], NONE));
    assert_eq!(sent.last().map(String::as_str), Some(DONE));
    let last = sent.iter().rev().nth(1).map(|frame| chunk_of(frame));
    assert!(last.as_ref().is_some_and(|chunk| chunk.ends_with("..1501")), "{last:?}");
}

#[test]
fn a_push_is_answered_while_a_pull_waits_for_its_acknowledgement() {
    let mut bench = Bench::new();
    bench.others_push(0, 100);
    bench.others_push(100, 100);
    assert_eq!(chunks(&bench.send(&pull(r#""0""#, true, NONE))), [r#""0": 1..100 +100"#]);
    assert_eq!(bench.send(&push(r#""1""#, &[pushed("201", "200")], NONE)), [DONE]);
    assert_eq!(chunks(&bench.send(&ack(r#""0""#))), [r#""0": 101..200 +1"#]);
}

#[test]
fn a_push_whose_pull_is_interrupted_is_answered() {
    let mut bench = Bench::new();
    bench.send(&pull(r#""0""#, true, NONE));
    bench.session.receive(&push(r#""1""#, &[pushed("1", "0")], NONE), Timestamp::from_millis(0));
    let Some(Effect::Append { ticket, batch }) = bench.session.next_effect() else {
        panic!("an append")
    };
    ask(|reply| bench.room.append(batch, reply)).unwrap();
    bench.session.receive(r#"{"_tag":"Interrupt","requestId":"0"}"#, Timestamp::from_millis(0));
    bench.session.pushed(ticket, Ok(()));
    let sent = bench.run();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert_eq!(sent[1], DONE);
}

#[test]
fn args_come_back_as_they_were_sent() {
    let absent = pushed("1", "0").replace(r#""args":{},"#, "");
    let with =
        |seq: u64, args: &str| pushed(&seq.to_string(), &(seq - 1).to_string()).replace("{}", args);
    let texts =
        ["null", "-0", "1.0", "1e400", "12345678901234567890", r#""\ud83e \/""#, "[ 1,\n2 ]"];
    let mut batch = vec![absent];
    batch.extend((2..).zip(texts).map(|(seq, args)| with(seq, args)));
    let mut bench = Bench::new();
    bench.send(&pull(r#""0""#, true, NONE));
    let live = bench.send(&push(r#""1""#, &batch, NONE)).join("");
    let stored = bench.send(&pull(r#""2""#, false, NONE)).join("");
    for event in &batch {
        assert!(live.contains(event) && stored.contains(event), "{event}: {live}");
    }
}

#[test]
fn bad_frames_are_answered_and_the_session_goes_on() {
    let cases = [
        ("{nope", r#"{"_tag":"Defect","defect":"not a message"#),
        ("", r#"{"_tag":"Defect""#),
        ("[]", r#"{"_tag":"Defect""#),
        (r#"{"_tag":7}"#, r#"{"_tag":"Defect""#),
        (r#"{"_tag":"Whatever"}"#, r#"{"_tag":"Defect","defect":"Unknown request tag: Whatever"}"#),
        (
            r#"{"_tag":"Request","id":"9","tag":"SyncWsRpc.Nope","payload":{}}"#,
            r#"{"_tag":"Defect","defect":"Unknown request tag: SyncWsRpc.Nope"}"#,
        ),
        (r#"{"_tag":"Request","tag":"SyncWsRpc.Pull","payload":{}}"#, r#"{"_tag":"Defect""#),
        (
            r#"{"_tag":"Request","id":{},"tag":"SyncWsRpc.Pull","payload":{}}"#,
            r#"{"_tag":"Defect""#,
        ),
        (
            r#"{"_tag":"Request","id":"9","tag":"SyncWsRpc.Pull","payload":{}}"#,
            r#"{"_tag":"Exit","requestId":"9","exit":{"_tag":"Failure","cause":{"_tag":"Die""#,
        ),
        (
            r#"{"_tag":"Request","id":9,"tag":"SyncWsRpc.Push","payload":7}"#,
            r#"{"_tag":"Exit","requestId":9,"exit":{"_tag":"Failure","cause":[{"_tag":"Die""#,
        ),
    ];
    for (frame, expected) in cases {
        let mut bench = Bench::new();
        let sent = bench.send(frame);
        assert!(sent.len() == 1 && sent[0].starts_with(expected), "{frame}: {sent:?}");
        assert_eq!(bench.send(r#"{"_tag":"Ping"}"#), [r#"{"_tag":"Pong"}"#], "{frame}");
        assert_eq!(
            chunks(&bench.send(&pull(r#""x""#, false, NONE))),
            [r#""x": nothing"#],
            "{frame}"
        );
    }
    let deep = "[".repeat(100_000);
    let mut bench = Bench::new();
    assert!(bench.send(&deep)[0].starts_with(r#"{"_tag":"Defect""#));
    for ignored in [
        r#"{"_tag":"Eof"}"#,
        r#"{"_tag":"Ack","requestId":"9"}"#,
        r#"{"_tag":"Interrupt","requestId":9}"#,
    ] {
        assert_eq!(bench.send(ignored), Vec::<String>::new(), "{ignored}");
    }
    assert_eq!(bench.send(r#"{"_tag":"Ping"}"#), [r#"{"_tag":"Pong"}"#]);
}

#[test]
fn a_repeated_id_ends_both_requests() {
    let mut bench = Bench::new();
    bench.send(&pull(r#""1""#, true, NONE));
    let sent = bench.send(&pull(r#""1""#, true, NONE));
    assert!(sent.len() == 1 && sent[0].contains("request id 1 was in use"), "{sent:?}");
    bench.others_push(0, 1);
    assert_eq!(bench.run(), Vec::<String>::new());
    assert_eq!(
        chunks(&bench.send(&pull(r#""1""#, true, NONE))),
        [r#""1": 1..1"#],
        "the id is free"
    );
    assert_eq!(
        chunks(&bench.send(&pull("1", true, NONE))),
        ["1: 1..1"],
        "a number is an id of its own"
    );
}

#[test]
fn what_was_begun_for_an_id_is_not_taken_for_its_next_request() {
    let mut bench = Bench::new();
    bench.session.receive(&push(r#""1""#, &[pushed("1", "0")], NONE), Timestamp::from_millis(0));
    let Some(Effect::Append { ticket, .. }) = bench.session.next_effect() else {
        panic!("an append")
    };
    bench.session.receive(&push(r#""1""#, &[pushed("9", "8")], NONE), Timestamp::from_millis(0));
    bench.session.receive(&push(r#""1""#, &[pushed("7", "6")], NONE), Timestamp::from_millis(0));
    bench.session.pushed(ticket, Ok(()));
    let sent = bench.run();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[0].contains("was in use"), "{sent:?}");
    assert!(sent[1].contains(r#""providedNum":6"#), "{sent:?}");
}

#[test]
fn an_interrupted_pull_says_nothing_more() {
    let mut bench = Bench::new();
    bench.send(&pull(r#""0""#, true, NONE));
    let sent = bench.send(r#"{"_tag":"Interrupt","requestId":"0"}"#);
    assert!(sent[0].contains(r#""cause":{"_tag":"Interrupt""#), "{sent:?}");
    bench.others_push(0, 1);
    assert_eq!(bench.run(), Vec::<String>::new());
}

#[test]
fn rights_are_kept_to() {
    let mut reader = Bench::with(Rights { read: true, write: false });
    let sent = reader.send(&push(r#""1""#, &[pushed("1", "0")], NONE));
    assert!(sent[0].contains("RefusedError") && sent[0].contains("may not write"), "{sent:?}");
    assert_eq!(reader.room.head(), 0);
    assert_eq!(chunks(&reader.send(&pull("0", false, NONE))), ["0: nothing"]);
    let mut writer = Bench::with(Rights { read: false, write: true });
    let sent = writer.send(&pull("0", false, NONE));
    assert!(sent[0].contains("may not read"), "{sent:?}");
    assert_eq!(writer.send(&push(r#""1""#, &[pushed("1", "0")], NONE)), [DONE]);
}

#[test]
fn a_connection_is_to_one_store() {
    let mut bench = Bench::new();
    let other = |frame: String| frame.replace(r#""storeId":"st""#, r#""storeId":"other""#);
    for frame in [other(pull("0", true, NONE)), other(push("0", &[pushed("1", "0")], NONE))] {
        let sent = bench.send(&frame);
        assert!(sent[0].contains("this connection is to the store `st`"), "{sent:?}");
    }
    assert_eq!(bench.hub.store().list().unwrap().len(), 1);
}

#[test]
fn a_client_that_knows_more_than_the_backend_is_told() {
    let mut bench = Bench::new();
    bench.others_push(0, 3);
    let backend_id = bench.room.backend_id().to_owned();
    let mut other = Session::new(Arc::clone(&bench.room), Transport::WebSocket, Rights::ALL);
    std::mem::swap(&mut bench.session, &mut other);
    let sent = bench.send(&pull("0", true, &cursor(&backend_id, 4)));
    let reason = "e4 is not here, the last event is e3: restored from an older backup?";
    assert_eq!(sent, [format!("closed: {reason}")], "so the client tries again");
    bench.session = other;
    assert_eq!(chunks(&bench.send(&pull("0", true, &cursor(&backend_id, 3)))), ["0: nothing"]);
    assert_eq!(chunks(&bench.send(&pull("1", true, &cursor(&backend_id, 1)))), ["1: 2..3"]);
}

#[test]
fn the_end_answers_whatever_is_open() {
    let mut bench = Bench::new();
    bench.send(&pull("0", true, NONE));
    bench.session.end(SyncError::Refused("the token has expired".to_owned()));
    let sent = bench.run();
    assert!(sent[0].contains(r#""requestId":0"#) && sent[0].contains("RefusedError"), "{sent:?}");
    assert_eq!(sent[1], "closed: the backend refuses: the token has expired");
    assert_eq!(bench.send(r#"{"_tag":"Ping"}"#), Vec::<String>::new());
}

#[test]
fn a_pull_that_may_be_tried_again_ends_with_its_connection() {
    let mut bench = Bench::new();
    bench.others_push(0, 1);
    bench.session.receive(&pull("0", true, NONE), Timestamp::from_millis(0));
    let Some(Effect::Read { ticket, .. }) = bench.session.next_effect() else { panic!("a read") };
    bench.session.receive(&push("1", &[pushed("2", "1")], NONE), Timestamp::from_millis(0));
    bench.session.read(ticket, Err(StoreError::Corrupt { seq: 1 }));
    let Some(Effect::Append { .. }) = bench.session.next_effect() else { panic!("an append") };
    let sent = bench.run();
    let [push, closed] = &*sent else { panic!("{sent:?}") };
    assert!(push.contains(r#""requestId":1"#) && push.contains("UnknownError"), "{push}");
    assert_eq!(closed, "closed: event e1 is damaged on the server's disk");
}

#[test]
fn unfinished_requests_are_bounded() {
    let mut bench = Bench::new();
    for n in 0..MAX_UNFINISHED {
        assert_eq!(
            chunks(&bench.send(&pull(&n.to_string(), true, NONE))),
            [format!("{n}: nothing")]
        );
    }
    let sent = bench.send(&pull("9999", true, NONE));
    assert!(sent[0].contains("more than 64 unfinished requests"), "{sent:?}");
}
