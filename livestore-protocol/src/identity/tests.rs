use proptest::prelude::*;
use serde_json::{Number, Value};

use super::*;

fn is_same(left: &str, right: &str) -> bool {
    let event = Identity { seq: 1, name: "n", args: left, client_id: "c", session_id: "s" };
    event == Identity { args: right, ..event }
}

#[test]
fn args_are_compared_as_javascript_reads_them() {
    let same = [
        ("{}", "{ }"),
        ("null", ""),
        (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#),
        (r#"{"a":1}"#, r#"{"a":1.0}"#),
        (r#"{"a":100}"#, r#"{"a":1e2}"#),
        (r#"{"a":0}"#, r#"{"a":-0}"#),
        (r#"{"a":"é"}"#, r#"{"a":"\u00e9"}"#),
        (r#"{"a":12345678901234567890}"#, r#"{"a":12345678901234567000}"#),
        (r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#),
        (r#"{"a":[{"b":1}]}"#, r#"{"a":[{"b":1.0}]}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ("not JSON", "not JSON"),
        (r#"{"\ud83e":"\udd80"}"#, r#" {"\uD83E":"\uDd80"}"#),
        (r#""\ud83e\udd80""#, r#""🦀""#),
        (r#"{"a":1e400,"b":-1e400}"#, r#"{"b":null,"a":null}"#),
        (r#"{"a":1e-400}"#, r#"{"a":0}"#),
        (r#""/\b\f""#, r#""\/\u0008\u000c""#),
        (" 7\n", "7"),
        ("[ ]", "[]"),
        (r#"{"a":1,"\u0061":2}"#, r#"{"a":2}"#),
    ];
    for (left, right) in same {
        assert!(is_same(left, right), "{left} {right}");
    }
    let different = [
        ("{}", "[]"),
        ("{}", "null"),
        ("{}", ""),
        (r#"{"a":1}"#, r#"{"a":"1"}"#),
        (r#"{"a":1}"#, r#"{"a":true}"#),
        (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
        (r#"{"a":0.1}"#, r#"{"a":0.10000000000000002}"#),
        (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
        (r#"{"a":"é"}"#, r#"{"a":"e\u0301"}"#),
        ("not JSON", " not JSON"),
        (r#""\ud83e""#, r#""\ud83f""#),
        (r#""\ud83e""#, r#""\ufffd""#),
        (r#"{"__proto__":1}"#, "{}"),
        ("1", "[1]"),
        ("7", "7 8"),
        ("1", "01"),
        ("1", "+1"),
        ("0.5", ".5"),
        ("1", "1."),
        ("10", "1e+"),
        ("true", "tru"),
        ("[1]", "[1,]"),
        (r#""a""#, r#""\x61""#),
        ("\"\\t\"", "\"\t\""),
    ];
    for (left, right) in different {
        assert!(!is_same(left, right), "{left} {right}");
    }
}

#[test]
fn a_number_that_was_rewritten_is_noticed() {
    let has_same_args = |left: &str, right: &str| {
        let event = Identity { seq: 1, name: "n", args: left, client_id: "c", session_id: "s" };
        event.has_same_args(&Identity { args: right, ..event })
    };
    for (left, right) in [
        (r#"{"a":1,"b":[0.5]}"#, r#"{ "b": [5e-1], "a": 1 }"#),
        (r#"{"a":"é"}"#, r#"{"a":"\u00e9"}"#),
        ("null", ""),
    ] {
        assert!(has_same_args(left, right), "{left} {right}");
    }
    for (left, right) in [
        (r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#),
        (r#"{"a":[{"b":12345678901234567890}]}"#, r#"{"a":[{"b":12345678901234567000}]}"#),
        (r#"{"a":2.0}"#, r#"{"a":2}"#),
        (r#"{"a":-0.0}"#, r#"{"a":0}"#),
        (r#"{"a":-0.0}"#, r#"{"a":0.0}"#),
    ] {
        assert!(is_same(left, right), "{left} {right}");
        assert!(!has_same_args(left, right), "{left} {right}");
    }
}

#[test]
fn everything_else_is_compared_byte_by_byte() {
    let event = Identity { seq: 1, name: "n", args: "{}", client_id: "c", session_id: "s" };
    assert_eq!(event, event);
    assert_ne!(event, Identity { seq: 2, ..event });
    assert_ne!(event, Identity { name: "N", ..event });
    assert_ne!(event, Identity { client_id: "s", ..event });
    assert_ne!(event, Identity { session_id: "c", ..event });
}

#[test]
fn args_that_nest_too_deeply_to_be_read_are_compared_as_text() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    assert!(is_same(&deep, &deep));
    assert!(!is_same(&deep, &format!("{deep} ")));
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-3_i64..3).prop_map(Number::from),
        any::<f64>().prop_filter_map("finite", Number::from_f64),
        (-3_i32..3).prop_filter_map("finite", |n| Number::from_f64(f64::from(n))),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers().prop_map(Value::Number),
        ".{0,4}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[ab]{0,2}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The value as a backend in JavaScript writes it: every number is a 64-bit float, keys come in any
/// order, and whitespace is its own.
fn rewrite(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            out.push_str(&if float == 0.0 { "0".to_owned() } else { format!("{float:e}") });
        }
        Value::Array(items) => {
            out.push_str("[ ");
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { " , " } else { "" });
                rewrite(item, out);
            }
            out.push_str("\n]");
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (key, field)) in fields.iter().rev().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(" : ");
                rewrite(field, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// An independent reading of the rule: all numbers as the bits of a float, keys in order.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            format!("#{:x}", if float == 0.0 { 0 } else { float.to_bits() })
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> =
                fields.iter().map(|(key, field)| format!("{key:?}:{}", canonical(field))).collect();
            fields.sort();
            format!("{{{}}}", fields.join(","))
        }
        plain => plain.to_string(),
    }
}

proptest! {
    #[test]
    fn args_that_javascript_has_rewritten_are_the_same(args in values()) {
        let mut rewritten = String::new();
        rewrite(&args, &mut rewritten);
        prop_assert!(is_same(&args.to_string(), &rewritten), "{args} {rewritten}");
    }

    #[test]
    fn two_values_are_the_same_if_their_canonical_forms_are(a in values(), b in values()) {
        let (left, right) = (a.to_string(), b.to_string());
        prop_assert_eq!(is_same(&left, &right), canonical(&a) == canonical(&b), "{} {}", a, b);
    }

    #[test]
    fn it_is_an_equivalence(texts in prop::collection::vec("[0-2e.\\-]{0,4}", 3)) {
        let [a, b, c] = [0, 1, 2].map(|index| texts.get(index).map_or("", String::as_str));
        prop_assert!(is_same(a, a));
        prop_assert_eq!(is_same(a, b), is_same(b, a));
        prop_assert!(!(is_same(a, b) && is_same(b, c)) || is_same(a, c), "{} {} {}", a, b, c);
    }
}
