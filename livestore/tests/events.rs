//! Events: their args as JSON, field for field as LiveStore writes them, and back.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use livestore::event::{Args, DecodeError, EncodeError, Event};
use livestore::prelude::*;
use livestore::schema::Commit;

#[derive(Event, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Shape {
    #[event(name = "v1.TodoCreated")]
    Created { id: String, text: String },
    #[event(name = "v1.Everything")]
    Everything {
        whole_number: i64,
        real: f64,
        flag: bool,
        created_at: Timestamp,
        nothing: Option<String>,
        list: Vec<Option<bool>>,
        map: BTreeMap<String, f64>,
        choice: Choice,
        tags: Json<Vec<u8>>,
    },
    #[event(name = "v1.Attributes")]
    Attributes {
        #[serde(rename = "ID")]
        id: String,
        #[serde(default)]
        count: u32,
        #[serde(default = "one")]
        factor: u32,
        #[serde(with = "hex")]
        color: u32,
        #[serde(with = "hex", default = "one")]
        border: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(serialize_with = "hex::serialize", deserialize_with = "hex::deserialize")]
        shadow: u32,
    },
    #[event(name = "v1.Shouted")]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    Shouted { how_loud: u8 },
    #[event(name = "v1.Whole")]
    Whole(Whole),
    #[event(name = "v1.Unit")]
    Unit,
    #[event(name = "v1.Braces")]
    Braces {},
    #[event(name = "v1.Noted", client_only)]
    Noted { note: String },
    #[event(name = "v1.Old", deprecated = "say `v1.Unit`")]
    Old,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    NoValue,
    WithValue(u8),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Whole {
    id: String,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

fn one() -> u32 {
    1
}

mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("#{value:x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        u32::from_str_radix(text.trim_start_matches('#'), 16).map_err(D::Error::custom)
    }
}

impl Materialize for Shape {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

/// Every generic event has its schema's type.
#[derive(Event, Debug, Clone, PartialEq)]
enum Changed<T: Clone> {
    #[event(name = "v1.Changed")]
    Changed { from: Option<T>, to: T },
    #[event(name = "v1.ChangedAll")]
    All(BTreeMap<String, T>),
}

impl Materialize for Changed<(i64, String)> {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

livestore::schema! { App { events: [Shape, Changed<(i64, String)>] } }

fn open() -> Store<App> {
    Store::builder("events").open().unwrap()
}

/// Commits the event, checks that it reads back as it was, and returns its args.
#[track_caller]
fn args<E: Event + Commit<App> + Clone + PartialEq + Debug>(event: E) -> String {
    let store = open();
    store.commit(event.clone()).unwrap();
    let encoded = store.events().into_iter().next().unwrap().unwrap();
    assert_eq!(encoded.decode::<E>().unwrap(), event);
    encoded.args
}

/// Reads an event from args.
fn read(name: &'static str, args: &str) -> Result<Shape, DecodeError> {
    Shape::decode(name, &Args::parse(args)?)
}

#[test]
fn fields_are_written_in_order_and_as_javascript_would() {
    let event = Shape::Everything {
        whole_number: -9_007_199_254_740_991,
        real: 1.0,
        flag: true,
        created_at: Timestamp::from_millis(1_795_352_709_210),
        nothing: None,
        list: vec![Some(true), None],
        map: BTreeMap::from([("ä\n".into(), 1e21), ("b".into(), 0.1)]),
        choice: Choice::WithValue(1),
        tags: Json(vec![1, 2]),
    };
    assert_eq!(
        args(event),
        concat!(
            r#"{"wholeNumber":-9007199254740991,"real":1,"flag":true,"#,
            r#""createdAt":"2026-11-22T13:05:09.210Z","nothing":null,"list":[true,null],"#,
            r#""map":{"b":0.1,"ä\n":1e+21},"choice":{"with-value":1},"tags":[1,2]}"#,
        )
    );
}

#[test]
fn serde_attributes_shape_the_json() {
    let event = |note: Option<&str>| Shape::Attributes {
        id: "a".into(),
        count: 0,
        factor: 1,
        color: 255,
        border: 16,
        note: note.map(str::to_owned),
        shadow: 1,
    };
    assert_eq!(
        args(event(None)),
        r##"{"ID":"a","count":0,"factor":1,"color":"#ff","border":"#10","shadow":"#1"}"##
    );
    assert!(args(event(Some("n"))).ends_with(r##""note":"n","shadow":"#1"}"##));
    assert_eq!(args(Shape::Shouted { how_loud: 11 }), r#"{"HOW_LOUD":11}"#);
}

#[test]
fn what_is_missing_has_its_default_and_what_is_unknown_is_passed_over() {
    let event = read("v1.Attributes", r#"{"color":"ff","shadow":"0","ID":"a","more":{"x":[]}}"#);
    let expected = Shape::Attributes {
        id: "a".into(),
        count: 0,
        factor: 1,
        color: 255,
        border: 1,
        note: None,
        shadow: 0,
    };
    assert_eq!(event, Ok(expected));
    let missing = |field: &str| Err(DecodeError::MissingField { field: field.into() });
    assert_eq!(read("v1.Attributes", r#"{"color":"ff","shadow":"0"}"#), missing("ID"));
    assert_eq!(read("v1.Attributes", r#"{"ID":"a","shadow":"0"}"#), missing("color"));
    assert_eq!(read("v1.Noted", "{}"), missing("note"));
    let wrong = read("v1.Noted", r#"{"note":7}"#);
    assert!(
        matches!(&wrong, Err(DecodeError::Field { field, .. }) if field == "note"),
        "{wrong:?}"
    );
    assert!(matches!(read("v1.Nothing", "{}"), Err(DecodeError::UnknownEvent { .. })));
    assert!(matches!(read("v1.Unit", "7"), Err(DecodeError::NotAnObject { .. })));
}

#[test]
fn no_fields_are_an_empty_object() {
    for (event, name) in [(Shape::Unit, "v1.Unit"), (Shape::Braces {}, "v1.Braces")] {
        assert_eq!(args(event.clone()), "{}");
        // What LiveStore makes of missing args: nothing, or as it stores them.
        for json in ["", "null", "{}", r#"{"added":"later"}"#] {
            assert_eq!(read(name, json), Ok(event.clone()), "{json}");
        }
    }
}

#[test]
fn a_newtype_is_stored_as_its_inner_type() {
    let whole = Whole { id: "a".into(), rest: BTreeMap::from([("x".into(), 1)]) };
    assert_eq!(args(Shape::Whole(whole)), r#"{"id":"a","x":1}"#);
}

#[test]
fn event_definitions_have_their_names_and_options() {
    let defs = Shape::DEFS;
    let names: Vec<_> = defs.iter().map(|def| def.name()).collect();
    assert_eq!(names[..3], ["v1.TodoCreated", "v1.Everything", "v1.Attributes"]);
    assert_eq!(defs[0].fields(), ["id", "text"]);
    assert_eq!(defs[1].fields()[0], "wholeNumber");
    assert_eq!(defs[4].fields(), [""; 0]);
    let noted = Shape::Noted { note: String::new() };
    assert!(noted.def().is_client_only() && !Shape::Unit.def().is_client_only());
    assert_eq!(Shape::Old.def().deprecation(), Some("say `v1.Unit`"));
    assert_eq!(Shape::Unit.def().deprecation(), None);
}

#[test]
fn a_deprecated_event_can_still_be_committed_and_read() {
    assert_eq!(args(Shape::Old), "{}");
}

#[test]
fn generic_events() {
    let event = Changed::Changed { from: None, to: (1, "a".to_owned()) };
    assert_eq!(args(event), r#"{"from":null,"to":[1,"a"]}"#);
    let all = Changed::All(BTreeMap::from([("k".to_owned(), (2, String::new()))]));
    assert_eq!(args(all), r#"{"k":[2,""]}"#);
}

#[test]
fn events_are_committed_by_reference() {
    let store = open();
    let events = vec![Shape::Unit, Shape::Old];
    store.commit(&Shape::Unit).unwrap();
    store.commit(&events).unwrap();
    store.commit((&events[1..], [&events[0], &events[0]], Some(&events[1]))).unwrap();
    let names: Vec<_> = store.events().into_iter().map(|event| event.unwrap().name).collect();
    let (unit, old) = (Shape::Unit.def().name(), Shape::Old.def().name());
    assert_eq!(names, [unit, unit, old, old, unit, unit, old]);
}

#[test]
fn client_only_events_are_numbered_behind_the_synced_one() {
    let store = open();
    let noted = || Shape::Noted { note: String::new() };
    let committed = store.commit((Shape::Unit, noted(), noted(), Shape::Unit, noted())).unwrap();
    let events: Vec<_> = store.events().into_iter().map(|event| event.unwrap()).collect();
    let seqs: Vec<_> = events.iter().map(|event| event.seq.to_string()).collect();
    let parents: Vec<_> = events.iter().map(|event| event.parent.to_string()).collect();
    assert_eq!(seqs, ["e1", "e1.1", "e1.2", "e2", "e2.1"]);
    assert_eq!(parents, ["e0", "e1", "e1.1", "e1", "e2"]);
    let numbers: Vec<_> = committed.as_slice().iter().map(ToString::to_string).collect();
    assert_eq!(numbers, seqs);
}

#[test]
fn client_only_events_before_any_synced_one() {
    let store = open();
    store.commit((Shape::Noted { note: String::new() }, Shape::Unit)).unwrap();
    let seqs: Vec<_> =
        store.events().into_iter().map(|event| event.unwrap().seq.to_string()).collect();
    assert_eq!(seqs, ["e0.1", "e1"]);
}

#[test]
fn an_event_without_a_json_form_is_not_logged() {
    #[derive(Event)]
    #[event(name = "v1.List")]
    struct List(Vec<u8>);

    #[derive(Event)]
    #[event(name = "v1.Keys")]
    struct Keys {
        map: BTreeMap<Vec<u8>, u8>,
    }

    impl Materialize for List {
        fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
            Ok(())
        }
    }

    impl Materialize for Keys {
        fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
            Ok(())
        }
    }

    livestore::schema! { Odd { events: [List, Keys] } }

    let store = Store::<Odd>::builder("odd").open().unwrap();
    store.commit(List(vec![1])).unwrap();
    let keys = Keys { map: BTreeMap::from([(vec![1], 1)]) };
    let Err(CommitError::Encode(error)) = store.commit(keys) else { panic!("logged") };
    assert!(matches!(&error.source, EncodeError::Field { field, .. } if field == "map"), "{error}");
    assert_eq!(store.head().unwrap(), SeqNum::new(1));
}

fn measured(real: f64) -> Shape {
    Shape::Everything {
        whole_number: 0,
        real,
        flag: false,
        created_at: Timestamp::default(),
        nothing: None,
        list: Vec::new(),
        map: BTreeMap::new(),
        choice: Choice::NoValue,
        tags: Json(Vec::new()),
    }
}

#[test]
fn not_a_number_is_refused() {
    let store = open();
    for real in [f64::NAN, f64::INFINITY] {
        let error = store.commit(measured(real)).unwrap_err();
        let chain = livestore::ErrorChain::new(&error).to_string();
        assert!(chain.contains("`real`"), "{chain}");
    }
    assert_eq!(store.head().unwrap(), SeqNum::ROOT);
    store.commit(measured(0.5)).unwrap();
}

#[test]
fn a_real_number_is_read_to_its_last_bit() {
    for real in [0.051_000_000_000_000_004, -3.597_847_523_160_892e-242, f64::MAX, 5e-324] {
        let event = measured(real);
        assert_eq!(read("v1.Everything", &args(event.clone())).unwrap(), event);
    }
}

/// Compares with args that LiveStore itself sent, if their capture is in
/// `../../../shared/protocol/captures`.
#[test]
#[expect(clippy::disallowed_methods, reason = "the capture is a file")]
fn args_are_those_that_livestore_wrote() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/protocol/captures");
    let Ok(capture) = std::fs::read_to_string(folder.join("live-two-clients.jsonl")) else {
        println!("skipped: no captures");
        return;
    };
    let text = capture.replace("\\\"", "\"");
    let events: Vec<&str> = text
        .split(r#""name":"v1.TodoCreated","args":"#)
        .skip(1)
        .map(|rest| &rest[..=rest.find('}').unwrap()])
        .collect();
    assert!(!events.is_empty());
    for json in events {
        assert_eq!(args(read("v1.TodoCreated", json).unwrap()), json);
    }
}
