//! What a materializer gets is what was committed, or the commit is refused.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use livestore::event::{DecodeError, EncodeError, EncodedEvent};
use livestore::prelude::*;
use serde_json::json;
use serde_json::value::RawValue;

/// One row, whose column holds what the materializer got, as its `Debug` text.
#[table]
#[derive(Debug, Clone, PartialEq)]
struct Got {
    #[column(primary_key)]
    id: u8,
    text: String,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Cell {
    Int(i64),
    Real(f64),
    Text(String),
}

/// The same, but it cannot be compared.
#[derive(Serialize, Deserialize, Debug, Clone)]
#[serde(untagged)]
enum Opaque {
    Int(i64),
    Real(f64),
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Ambiguous {
    Name(String),
    Title(String),
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
struct Inner {
    x: f64,
    due: Option<Option<u8>>,
    #[serde(skip)]
    cache: u8,
    #[serde(flatten)]
    more: BTreeMap<String, serde_json::Value>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Skipping {
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Nothing;

mod rounded {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(value.round())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        f64::deserialize(deserializer)
    }
}

/// A NaN as `null`, and back.
mod nan {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(*value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

#[derive(Event, Debug, Clone)]
enum E {
    #[event(name = "v1.Due")]
    Due { due: Option<Option<Timestamp>> },
    #[event(name = "v1.Unit")]
    Unit { unit: Option<()> },
    #[event(name = "v1.UnitStruct")]
    UnitStruct { unit: Option<Nothing>, list: Vec<Nothing> },
    #[event(name = "v1.Cell")]
    Cell { cell: Cell },
    #[event(name = "v1.Cells")]
    Cells { cells: Vec<Opaque>, map: HashMap<String, Opaque> },
    #[event(name = "v1.Value")]
    Value { value: serde_json::Value },
    #[event(name = "v1.MaybeValue")]
    MaybeValue { value: Option<serde_json::Value> },
    #[event(name = "v1.Number")]
    Number { real: f64, maybe: Option<f64>, many: Vec<f32> },
    #[event(name = "v1.Inner")]
    Inner { inner: Inner },
    #[event(name = "v1.Ambiguous")]
    Ambiguous { name: Ambiguous },
    #[event(name = "v1.Skipping")]
    Skipping { skipping: Skipping },
    #[event(name = "v1.With")]
    With {
        #[serde(with = "rounded")]
        rounded: f64,
        #[serde(with = "nan")]
        nan: f64,
    },
    #[event(name = "v1.Big")]
    Big { big: u128, small: i128, long: u64, char: char },
    #[event(name = "v1.Keys")]
    Keys { map: HashMap<u32, bool>, set: HashSet<u32>, tuples: BTreeMap<(u8, u8), u8> },
    #[event(name = "v1.Raw")]
    Raw { raw: Box<RawValue> },
    #[event(name = "v1.Whole")]
    Whole(Vec<Option<f64>>),
    #[event(name = "v1.Pair")]
    Pair(Option<Option<u8>>, String),
    #[event(name = "v1.Skipped")]
    Skipped {
        #[serde(skip_serializing_if = "Option::is_some")]
        note: Option<String>,
    },
}

impl Materialize for E {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.upsert(&Got { id: 1, text: format!("{self:?}") })
    }
}

livestore::schema! { App { tables: [Got], events: [E] } }

fn store() -> Store<App> {
    Store::<App>::builder("s").open().unwrap()
}

#[track_caller]
fn carried(event: E) -> String {
    let store = store();
    store.commit(event.clone()).unwrap();
    let got = || store.query(Got::get(1)).unwrap().unwrap().text;
    assert_eq!(got(), format!("{event:?}"));
    store.reset_state().unwrap();
    assert_eq!(got(), format!("{event:?}"), "after a replay");
    let event = store.events().into_iter().next().unwrap().unwrap();
    event.args
}

#[track_caller]
fn refused(event: E) -> String {
    let store = store();
    let error = store.commit(event).unwrap_err();
    let CommitError::Encode(error) = error else { panic!("{error:?}") };
    assert_eq!(store.head().unwrap(), SeqNum::ROOT);
    match error.source {
        EncodeError::Changed { field, reason } => format!("{field}: {reason}"),
        other => other.to_string(),
    }
}

#[test]
fn an_option_in_an_option_is_absent_null_or_a_value() {
    assert_eq!(carried(E::Due { due: None }), "{}");
    assert_eq!(carried(E::Due { due: Some(None) }), r#"{"due":null}"#);
    assert_eq!(carried(E::Due { due: Some(Some(Timestamp::from_millis(5))) }), {
        r#"{"due":"1970-01-01T00:00:00.005Z"}"#
    });
}

#[test]
fn some_of_nothing_is_refused_where_json_has_no_form_for_it() {
    let null = "JSON has one `null` for `None` and for `Some` of nothing; use an enum with a variant for each";
    assert_eq!(refused(E::Unit { unit: Some(()) }), format!("unit: {null}"));
    assert_eq!(carried(E::Unit { unit: None }), r#"{"unit":null}"#);
    let some = E::UnitStruct { unit: Some(Nothing), list: vec![] };
    assert_eq!(refused(some), format!("unit: {null}"));
    let list = E::UnitStruct { unit: None, list: vec![Nothing, Nothing] };
    assert_eq!(carried(list), r#"{"unit":null,"list":[null,null]}"#);
    assert_eq!(refused(E::MaybeValue { value: Some(json!(null)) }), format!("value: {null}"));
    assert_eq!(refused(E::Pair(Some(None), "a".into())), format!("*: {null}"));
    let inner = Inner { due: Some(None), ..Inner::default() };
    assert_eq!(refused(E::Inner { inner }), format!("inner: {null}"));
}

#[test]
fn a_real_number_stays_one() {
    assert_eq!(carried(E::Cell { cell: Cell::Real(2.0) }), r#"{"cell":2.0}"#);
    assert_eq!(carried(E::Cell { cell: Cell::Int(2) }), r#"{"cell":2}"#);
    let cells = vec![Opaque::Real(1.0), Opaque::Int(1), Opaque::Real(-1e20)];
    let map = HashMap::from([("a".to_owned(), Opaque::Real(0.0))]);
    assert_eq!(carried(E::Cells { cells, map }), r#"{"cells":[1.0,1,-1e+20],"map":{"a":0.0}}"#);
    assert_eq!(carried(E::Value { value: json!([2.0, 2, 2.5]) }), r#"{"value":[2.0,2,2.5]}"#);
    let inner = Inner { x: 2.0, ..Inner::default() };
    assert_eq!(carried(E::Inner { inner }), r#"{"inner":{"due":null,"x":2}}"#);
}

#[test]
fn nan_and_infinity_are_refused() {
    let reason = "JSON has no NaN and no infinity";
    let number = |real, maybe, many| E::Number { real, maybe, many };
    assert_eq!(refused(number(f64::NAN, None, vec![])), format!("real: {reason}"));
    assert_eq!(refused(number(0.0, Some(f64::INFINITY), vec![])), format!("maybe: {reason}"));
    assert_eq!(refused(number(0.0, None, vec![f32::NAN])), format!("many: {reason}"));
    assert_eq!(refused(E::Whole(vec![Some(f64::NEG_INFINITY)])), format!("*: {reason}"));
    carried(number(1e300, Some(-0.5), vec![1.1]));
    carried(E::With { rounded: 1.0, nan: f64::NAN });
}

#[test]
fn what_serde_reads_as_another_value_is_refused() {
    let same = "it is read as another value, which has the same JSON";
    let title = Ambiguous::Title("a".into());
    assert_eq!(refused(E::Ambiguous { name: title }), format!("name: {same}"));
    carried(E::Ambiguous { name: Ambiguous::Name("a".into()) });
    let inner = Inner { cache: 1, ..Inner::default() };
    assert_eq!(refused(E::Inner { inner }), format!("inner: {same}"));
    assert_eq!(refused(E::With { rounded: 1.5, nan: 0.0 }), format!("rounded: {same}"));
    let unreadable = refused(E::Skipping { skipping: Skipping { note: String::new() } });
    assert_eq!(unreadable, "the event could not be read back");
    let skipped = E::Skipped { note: Some("a".into()) };
    assert!(refused(skipped).starts_with("note: it is read as a value"));
}

#[test]
fn large_numbers_and_odd_keys_are_carried_or_refused() {
    let big = E::Big { big: u128::MAX, small: i128::MIN, long: u64::MAX, char: '\u{10ffff}' };
    carried(big);
    let map = HashMap::from([(7, true)]);
    let keys = E::Keys { map, set: HashSet::from([2]), tuples: BTreeMap::new() };
    assert_eq!(carried(keys), r#"{"map":{"7":true},"set":[2],"tuples":{}}"#);
    let tuples = BTreeMap::from([((1, 2), 3)]);
    let keys = E::Keys { map: HashMap::new(), set: HashSet::new(), tuples };
    assert!(refused(keys).contains("key must be a string"));
    let more = BTreeMap::from([("x".to_owned(), json!(1))]);
    let twice = Inner { more, ..Inner::default() };
    assert_eq!(refused(E::Inner { inner: twice }), "the event could not be read back");
}

#[test]
fn raw_json_is_carried_as_it_is() {
    for json in ["1.0", "[ 1 ]", r#""\ud83d""#, r#"{"b":1,"a":2}"#] {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        assert_eq!(carried(E::Raw { raw }), format!("{{\"raw\":{json}}}"));
    }
}

#[test]
fn a_newtype_and_a_tuple_are_carried() {
    assert_eq!(carried(E::Whole(vec![None, Some(1.0)])), "[null,1]");
    assert_eq!(carried(E::Pair(Some(Some(1)), "a".into())), r#"[1,"a"]"#);
}

#[test]
fn args_do_not_depend_on_the_order_of_a_hash_map() {
    let numbers = || (0..12).rev();
    let keys = || E::Keys {
        map: numbers().map(|n| (n, true)).collect(),
        set: numbers().collect(),
        tuples: BTreeMap::new(),
    };
    let args = |event: E| {
        let store = store();
        store.commit(event).unwrap();
        store.events().into_iter().next().unwrap().unwrap().args
    };
    assert_eq!(args(keys()), args(keys()));
}

/// Half of a surrogate pair, as JavaScript cuts a text.
#[test]
fn half_a_character_of_a_javascript_text_is_read_as_a_replacement() {
    #[derive(Event, Debug, PartialEq)]
    #[event(name = "v1.Typed")]
    struct Typed {
        text: String,
        more: BTreeMap<String, serde_json::Value>,
    }
    let store = store();
    let raw = r#"{"text":"a\ud83d","more":{"\udc00":["\\ud83d"]}}"#;
    let raw = RawValue::from_string(raw.to_owned()).unwrap();
    store.commit(E::Raw { raw: raw.clone() }).unwrap();
    let mut event: EncodedEvent = store.events().into_iter().next().unwrap().unwrap();
    event.name = "v1.Typed".into();
    event.args = raw.get().to_owned();
    let expected = Typed {
        text: "a\u{fffd}".into(),
        more: [("\u{fffd}".to_owned(), json!(["\\ud83d"]))].into(),
    };
    assert_eq!(event.decode::<Typed>(), Ok(expected));
    event.args = r#"{"text":"\ud83d"#.into();
    assert!(matches!(event.decode::<Typed>(), Err(DecodeError::NotAnObject { .. })));
}

mod columns {
    use super::*;

    #[table]
    #[derive(Debug, Clone, PartialEq)]
    struct Item {
        #[column(primary_key)]
        id: u8,
        tags: Json<HashMap<String, HashSet<u32>>>,
        real: Json<Vec<Option<f64>>>,
    }

    #[client_document]
    #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
    struct Ui {
        open: HashMap<String, HashSet<u32>>,
        zoom: f64,
    }

    #[derive(Event, Debug, Clone)]
    #[event(name = "v1.Put")]
    struct Put {
        tags: HashMap<String, HashSet<u32>>,
        infinite: bool,
    }

    impl Materialize for Put {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            let real = if self.infinite { vec![Some(f64::INFINITY)] } else { vec![] };
            state.upsert(&Item { id: 1, tags: Json(self.tags.clone()), real: Json(real) })
        }
    }

    livestore::schema! { Columns { tables: [Item], documents: [Ui], events: [Put] } }

    fn tags() -> HashMap<String, HashSet<u32>> {
        (0..12).map(|n| (format!("k{n}"), (0..9).collect())).collect()
    }

    #[test]
    fn equal_maps_and_sets_are_equal_columns_and_documents() {
        let store = Store::<Columns>::builder("s").open().unwrap();
        store.commit(Put { tags: tags(), infinite: false }).unwrap();
        store.commit(Ui::set().open(tags()).zoom(2.0)).unwrap();
        assert_eq!(store.query(Item::filter(Item::TAGS.eq(Json(tags()))).count()).unwrap(), 1);
        let hash = store.state_hash().unwrap();
        store.reset_state().unwrap();
        assert_eq!(store.state_hash().unwrap(), hash);
        let sorted: BTreeMap<String, BTreeSet<u32>> =
            tags().into_iter().map(|(key, set)| (key, set.into_iter().collect())).collect();
        let text = store.query(raw::<(String,)>("SELECT tags FROM item", ())).unwrap();
        assert_eq!(text, [(serde_json::to_string(&sorted).unwrap(),)]);
        let expected = Ui { open: tags(), zoom: 2.0 };
        assert_eq!(store.query(Ui::get()).unwrap(), expected);
    }

    #[test]
    fn a_column_and_a_document_refuse_what_json_cannot_say() {
        let store = Store::<Columns>::builder("s").open().unwrap();
        let error = store.commit(Put { tags: HashMap::new(), infinite: true }).unwrap_err();
        assert!(matches!(error, CommitError::Materialize { .. }), "{error:?}");
        let error = store.commit(Ui::set().zoom(f64::NAN)).unwrap_err();
        assert!(matches!(error, CommitError::Encode(_)), "{error:?}");
    }
}
