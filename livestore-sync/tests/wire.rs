//! Messages as text and back, in both dialects, and text that is no message.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, not an API"
)]

use std::sync::Arc;

use livestore::sync::{Cursor, More, Page, Secret, SyncError, SyncEvent};
use livestore_protocol::{
    Call, ClientMessage, ConnectQuery, Exit, MAX_DEPTH, Ping, Pull, Push, Request, RequestId,
    ServerMessage, Transport, WireError, write_pulled_event,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

#[test]
fn a_pull_as_the_typescript_client_sends_it() {
    let text = r#"{"_tag":"Request","id":"0","tag":"SyncWsRpc.Pull","payload":{"storeId":"st1",
        "payload":{"authToken":"é"},"live":true,"cursor":{"_tag":"Some","value":{"backendId":"VrsQ",
        "eventSequenceNumber":2}}},"traceId":"t","spanId":"s","sampled":false,"headers":[["a","b"]]}"#;
    let pull = Pull {
        store_id: "st1".to_owned(),
        payload: Some(r#"{"authToken":"é"}"#.into()),
        live: true,
        cursor: Some(Cursor { backend_id: "VrsQ".to_owned(), head: 2 }),
    };
    let request = Request { id: RequestId::nth(0), call: Call::Pull(pull) };
    assert_eq!(ClientMessage::decode(text), Ok(ClientMessage::Request(request)));
}

#[test]
fn numeric_ids_are_echoed_as_numbers_and_get_flat_causes() {
    let text = r#"{"_tag":"Interrupt","requestId":7}"#;
    let Ok(ClientMessage::Interrupt(request_id)) = ClientMessage::decode(text) else {
        panic!("an interrupt")
    };
    let failure = SyncError::ServerAhead { head: 2, parent: 0 };
    let exit = ServerMessage::Exit { request_id, exit: Exit::Failure(failure) };
    assert_eq!(
        encode(&exit),
        concat!(
            r#"{"_tag":"Exit","requestId":7,"exit":{"_tag":"Failure","cause":[{"_tag":"Fail","error":"#,
            r#"{"_tag":"ServerAheadError","minimumExpectedNum":2,"providedNum":0}}]}}"#
        )
    );
    assert_eq!(ServerMessage::decode(&encode(&exit)), Ok(exit));
}

#[test]
fn a_cause_under_other_causes_is_found() {
    let text = r#"{"_tag":"Exit","requestId":"1","exit":{"_tag":"Failure","cause":{"_tag":"Sequential",
        "left":{"_tag":"Empty"},"right":{"_tag":"Parallel","left":{"_tag":"Interrupt"},
        "right":{"_tag":"Die","defect":{"message":"odd"}}}}}}"#;
    let failure = Exit::Failure(SyncError::Invalid("odd".to_owned()));
    let request_id = RequestId::nth(1);
    assert_eq!(ServerMessage::decode(text), Ok(ServerMessage::Exit { request_id, exit: failure }));
}

#[test]
fn an_error_nobody_knows_is_passed_on_as_text() {
    let text = r#"{"_tag":"Exit","requestId":"1","exit":{"_tag":"Failure","cause":
        {"_tag":"Fail","error":{"_tag":"NewError","why":1}}}}"#;
    let Ok(ServerMessage::Exit { exit: Exit::Failure(SyncError::Failed(text)), .. }) =
        ServerMessage::decode(text)
    else {
        panic!("a failure")
    };
    assert_eq!(text, r#"{"_tag":"NewError","why":1}"#);
}

#[test]
fn other_fields_are_dropped() {
    let push = decode_push(
        r#"{"name":"a","args":{},"seqNum":1,"parentSeqNum":0,"clientId":"c","sessionId":"s","more":[1]}"#,
    );
    assert_eq!(push.unwrap().batch, [event(1, "{}")]);
}

#[test]
fn args_come_and_go_as_their_sender_wrote_them() {
    let around = r#""seqNum":1,"parentSeqNum":0,"clientId":"c","sessionId":"s"}"#;
    let absent = decode_push(&format!(r#"{{"name":"a",{around}"#)).unwrap();
    assert_eq!(absent.batch, [event(1, "")]);
    assert!(!encode_push(&absent).contains("args"), "absent stays absent");
    for args in [
        "null",
        "true",
        "-0",
        "1.0",
        "12345678901234567890",
        "1e400",
        r#""\ud83e \/ é \u00e9""#,
        "[ 1,\n2 ]",
        r#"{"b":1,"a":{"b":2},"b":3}"#,
        "[[]]",
    ] {
        let push = decode_push(&format!(r#"{{"name":"a","args":{args},{around}"#)).unwrap();
        assert_eq!(push.batch, [event(1, args)]);
        assert!(encode_push(&push).contains(&format!(r#""args":{args},"#)), "{args}");
    }
}

#[test]
fn an_event_says_what_is_wrong_with_it() {
    for (event, problem) in [
        ("7", "expected struct Event"),
        (r#"{"name":"a"}"#, "missing field `seqNum`"),
        (r#"{"name":7}"#, "expected a string"),
        (r#"{"seqNum":1.5}"#, "expected a whole number"),
        (r#"{"seqNum":-1}"#, "expected a whole number"),
        (r#"{"seqNum":1e300}"#, "expected a whole number"),
        (r#"{"seqNum":"1"}"#, "expected a whole number"),
        (r#"{"seqNum":1,"seqNum":1}"#, "duplicate field `seqNum`"),
    ] {
        let Err(WireError::Unfit { request_id, problem: said, .. }) = decode_push(event) else {
            panic!("{event} is taken")
        };
        assert_eq!(request_id, RequestId::nth(3));
        assert!(said.contains(problem), "{event}: {said}");
    }
}

#[test]
fn a_number_is_the_same_however_it_is_written() {
    let push = decode_push(
        r#"{"name":"a","args":{},"seqNum":1e3,"parentSeqNum":999.0,"clientId":"c","sessionId":"s"}"#,
    );
    let event = &push.unwrap().batch[0];
    assert_eq!((event.seq, event.parent), (1_000, 999));
    let chunk = r#"{"_tag":"Chunk","requestId":7.0,"values":[{"batch":[{"eventEncoded":{"name":"a",
        "args":{},"seqNum":5.0,"parentSeqNum":4e0,"clientId":"c","sessionId":"s"}}],
        "pageInfo":{"_tag":"MoreKnown","remaining":1.2e2},"backendId":"B"}]}"#;
    let Ok(ServerMessage::Chunk { request_id, pages }) = ServerMessage::decode(chunk) else {
        panic!("a chunk")
    };
    assert_eq!((request_id, pages[0].more), (RequestId::Number(7), More::Known(120)));
    assert_eq!((pages[0].events[0].seq, pages[0].events[0].parent), (5, 4));
    let ahead = r#"{"_tag":"Exit","requestId":"1","exit":{"_tag":"Failure","cause":{"_tag":"Fail",
        "error":{"_tag":"ServerAheadError","minimumExpectedNum":2e1,"providedNum":0.0}}}}"#;
    let failure = Exit::Failure(SyncError::ServerAhead { head: 20, parent: 0 });
    let expected = ServerMessage::Exit { request_id: RequestId::nth(1), exit: failure };
    assert_eq!(ServerMessage::decode(ahead), Ok(expected));
}

#[test]
fn text_that_is_no_message_is_named_so() {
    for text in ["", "{nope", "[]", "7", "{}", r#"{"_tag":7}"#, r#"{"_tag":"Ack"}"#, "\u{feff}{}"] {
        assert!(matches!(ClientMessage::decode(text), Err(WireError::Malformed(_))), "{text}");
        let server = text.replace("Ack", "Chunk");
        assert!(matches!(ServerMessage::decode(&server), Err(WireError::Malformed(_))), "{text}");
    }
    let unknown = ClientMessage::decode(r#"{"_tag":"Request","id":1.5,"tag":"Nope"}"#);
    assert!(matches!(unknown, Err(WireError::Malformed(_))));
    let unknown = ClientMessage::decode(r#"{"_tag":"Request","id":"4","tag":"SyncWsRpc.Nope"}"#);
    let error = unknown.unwrap_err();
    assert_eq!(error.to_string(), "Unknown request tag: SyncWsRpc.Nope");
    assert_eq!(error.request_id(), Some(&RequestId::nth(4)));
}

#[test]
fn args_nest_as_deep_as_allowed_and_no_deeper() {
    let nested = |depth: usize| format!("{}\"]]\"{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(decode_push_of(&nested(MAX_DEPTH)).unwrap().batch, [event(1, &nested(MAX_DEPTH))]);
    let error = decode_push_of(&nested(MAX_DEPTH + 1)).unwrap_err();
    assert!(error.to_string().contains("the args of e1 nest deeper than 100"), "{error}");
    let abyss = decode_push_of(&nested(1_000_000)).unwrap_err();
    assert_eq!(abyss.request_id(), Some(&RequestId::nth(3)));
}

#[test]
fn nesting_overflows_no_stack_wherever_it_stands() {
    let abyss = format!("{}{}", r#"{"a":["#.repeat(500_000), "]}".repeat(500_000));
    let exit =
        format!(r#"{{"_tag":"Exit","requestId":"1","exit":{{"_tag":"Failure","cause":{abyss}}}}}"#);
    assert!(matches!(ServerMessage::decode(&exit), Err(WireError::Unfit { .. })));
    let defect = format!(r#"{{"_tag":"Defect","defect":{abyss}}}"#);
    assert_eq!(ServerMessage::decode(&defect), Ok(ServerMessage::Defect(abyss.clone())));
    let ignored = format!(r#"{{"_tag":"Ping","x":{abyss}}}"#);
    assert_eq!(ClientMessage::decode(&ignored), Ok(ClientMessage::Ping));
    assert!(ClientMessage::decode(&abyss).is_err());
}

#[test]
fn a_payload_is_encoded_once_or_twice() {
    let twice = "storeId=a%20b+c&transport=ws&payload=%257B%2522t%2522%253A%2522%2525%2522%257D";
    let once = "payload=%7B%22t%22%3A%22%25%22%7D&transport=ws&storeId=a+b%20c&else=1";
    let query = ConnectQuery {
        store_id: "a b c".to_owned(),
        transport: Transport::WebSocket,
        payload: Some(r#"{"t":"%"}"#.into()),
    };
    assert_eq!(ConnectQuery::decode(twice), Ok(query.clone()));
    assert_eq!(ConnectQuery::decode(once), Ok(query));
}

#[test]
fn a_query_says_what_is_wrong_with_it() {
    for (query, problem) in [
        ("", "storeId is missing"),
        ("storeId=1", "transport is missing"),
        ("storeId=1&transport=tcp", "transport is `tcp`"),
        ("storeId=%f", "bad percent-encoding"),
        ("storeId=%+1", "bad percent-encoding"),
        ("storeId=%ff", "is not UTF-8"),
        ("payload=hello", "payload is not JSON"),
        ("storeId=1&transport=ws&storeId=1", "storeId is given twice"),
        ("transport=ws&storeId=1&transport=http", "transport is given twice"),
        ("payload=1&payload=2", "payload is given twice"),
        // It may hold a token, so none of it is shown.
        ("payload=%22s3cret%zz%22", "payload is not JSON"),
        ("payload=s3cret%25zz", "payload is not JSON"),
        ("payload=s3cret%ff", "payload is not JSON"),
    ] {
        let said = ConnectQuery::decode(query).unwrap_err().to_string();
        assert!(said.contains(problem) && !said.contains("s3cret"), "{query}: {said}");
    }
}

fn event(seq: u64, args: &str) -> SyncEvent {
    SyncEvent {
        seq,
        parent: seq - 1,
        name: "a".to_owned(),
        args: args.to_owned(),
        client_id: "c".into(),
        session_id: "s".into(),
        metadata: None,
    }
}

fn decode_push_of(args: &str) -> Result<Push, WireError> {
    decode_push(&format!(
        r#"{{"name":"a","args":{args},"seqNum":1,"parentSeqNum":0,"clientId":"c","sessionId":"s"}}"#
    ))
}

fn decode_push(event: &str) -> Result<Push, WireError> {
    let text = format!(
        r#"{{"_tag":"Request","id":"3","tag":"SyncWsRpc.Push","payload":{{"storeId":"st1",
            "batch":[{event}],"backendId":{{"_tag":"None"}}}}}}"#
    );
    match ClientMessage::decode(&text)? {
        ClientMessage::Request(Request { call: Call::Push(push), .. }) => Ok(push),
        other => panic!("{other:?}"),
    }
}

fn encode_push(push: &Push) -> String {
    let request = Request { id: RequestId::nth(3), call: Call::Push(push.clone()) };
    let mut text = String::new();
    ClientMessage::Request(request).encode(Transport::WebSocket, &mut text);
    text
}

fn encode(message: &ServerMessage) -> String {
    let mut text = String::new();
    message.encode(&mut text);
    text
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| serde_json::to_string(&n).unwrap()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            vec((any::<String>(), inner), 0..4).prop_map(|fields| {
                let field =
                    |(key, value)| format!("{}:{value}", serde_json::to_string(&key).unwrap());
                let fields: Vec<String> =
                    fields.into_iter().map(|(k, v): (String, String)| field((k, v))).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

fn payload() -> impl Strategy<Value = Option<Secret>> {
    metadata().prop_map(|json| json.map(Secret::from))
}

/// JSON that is not null, which stands for nothing where something is optional.
fn metadata() -> impl Strategy<Value = Option<String>> {
    option::of(json().prop_filter("null", |json| json != "null"))
}

fn events(pulled: bool) -> impl Strategy<Value = Vec<SyncEvent>> {
    let metadata = metadata().prop_map(move |metadata| metadata.filter(|_| pulled));
    let event = (any::<(u64, u64, String, String, String)>(), json(), metadata);
    let event =
        event.prop_map(|((seq, parent, name, client, session), args, metadata)| SyncEvent {
            seq,
            parent,
            name,
            args,
            client_id: Arc::from(client),
            session_id: Arc::from(session),
            metadata,
        });
    vec(event, 0..4)
}

fn id() -> impl Strategy<Value = RequestId> {
    prop_oneof![any::<String>().prop_map(RequestId::Text), any::<i64>().prop_map(RequestId::Number)]
}

fn cursor() -> impl Strategy<Value = Option<Cursor>> {
    option::of(any::<(String, u64)>().prop_map(|(backend_id, head)| Cursor { backend_id, head }))
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        (any::<String>(), payload(), any::<bool>(), cursor()).prop_map(
            |(store_id, payload, live, cursor)| Call::Pull(Pull {
                store_id,
                payload,
                live,
                cursor
            })
        ),
        (any::<String>(), payload(), events(false), any::<Option<String>>()).prop_map(
            |(store_id, payload, batch, backend_id)| Call::Push(Push {
                store_id,
                payload,
                batch,
                backend_id
            })
        ),
        (any::<String>(), payload())
            .prop_map(|(store_id, payload)| Call::Ping(Ping { store_id, payload })),
    ]
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        Just(ClientMessage::Ping),
        Just(ClientMessage::Eof),
        id().prop_map(ClientMessage::Ack),
        id().prop_map(ClientMessage::Interrupt),
        (id(), call()).prop_map(|(id, call)| ClientMessage::Request(Request { id, call })),
    ]
}

fn page() -> impl Strategy<Value = Page> {
    let more = prop_oneof![Just(More::No), Just(More::Unknown), any::<u64>().prop_map(More::Known)];
    (events(true), more, any::<String>()).prop_map(|(events, more, backend_id)| Page {
        events,
        more,
        backend_id,
    })
}

fn failure() -> impl Strategy<Value = SyncError> {
    prop_oneof![
        any::<(u64, u64)>().prop_map(|(head, parent)| SyncError::ServerAhead { head, parent }),
        any::<(String, String)>()
            .prop_map(|(expected, received)| SyncError::BackendIdMismatch { expected, received }),
        any::<String>().prop_map(SyncError::Refused),
        any::<String>().prop_map(SyncError::Invalid),
        any::<String>().prop_map(SyncError::Failed),
    ]
}

fn exit() -> impl Strategy<Value = Exit> {
    prop_oneof![
        Just(Exit::PullDone),
        Just(Exit::PushDone),
        Just(Exit::Pong),
        Just(Exit::Interrupted),
        failure().prop_map(Exit::Failure),
    ]
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    prop_oneof![
        Just(ServerMessage::Pong),
        any::<String>().prop_map(ServerMessage::Defect),
        (id(), vec(page(), 0..3))
            .prop_map(|(request_id, pages)| ServerMessage::Chunk { request_id, pages }),
        (id(), exit()).prop_map(|(request_id, exit)| ServerMessage::Exit { request_id, exit }),
    ]
}

proptest! {
    #[test]
    fn what_a_client_says_is_what_is_heard(message in client_message()) {
        let mut text = String::new();
        message.encode(Transport::WebSocket, &mut text);
        prop_assert_eq!(ClientMessage::decode(&text), Ok(message));
    }

    #[test]
    fn what_a_backend_says_is_what_is_heard(messages in vec(server_message(), 0..3)) {
        let mut text = String::new();
        ServerMessage::encode_all(&messages, &mut text);
        prop_assert_eq!(ServerMessage::decode_all(&text), Ok(messages));
    }

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), cut in any::<prop::sample::Index>(),
                                      message in client_message()) {
        let _ = ClientMessage::decode(&text);
        let _ = ServerMessage::decode_all(&text);
        let mut whole = String::new();
        message.encode(Transport::Http, &mut whole);
        let end = cut.index(whole.len());
        if whole.is_char_boundary(end) {
            prop_assert!(ClientMessage::decode(&whole[..end]).is_err());
        }
    }

    #[test]
    fn an_event_is_no_larger_than_said(events in events(true)) {
        for event in events {
            let mut text = String::new();
            write_pulled_event(&event, &mut text);
            prop_assert!(text.len() < event.wire_size());
        }
    }

    #[test]
    fn a_query_survives_the_url(store_id in any::<String>(), payload in option::of(json())) {
        let query = ConnectQuery { store_id, transport: Transport::Http, payload: payload.map(Secret::from) };
        prop_assert_eq!(ConnectQuery::decode(&query.encode()), Ok(query));
    }
}
