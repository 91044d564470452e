//! Whether an event of a log and one of the backend's order are the same.

use serde_json::Value;

use crate::event::EncodedEvent;

/// Whether a pending event and one of the backend's order are the same: who committed it, and what.
/// The backend may have written the args anew.
pub(super) fn is_same(pending: &EncodedEvent, upstream: &EncodedEvent) -> bool {
    pending.seq.global == upstream.seq.global
        && pending.client_id == upstream.client_id
        && pending.session_id == upstream.session_id
        && pending.name == upstream.name
        && is_same_json(&pending.args, &upstream.args)
}

fn is_same_json(left: &str, right: &str) -> bool {
    let parse = |json: &str| match json {
        "" => Some(Value::Null),
        json => serde_json::from_str(json).ok(),
    };
    left == right
        || matches!((parse(left), parse(right)), (Some(left), Some(right)) if is_same_value(&left, &right))
}

/// Equal as JavaScript reads them, which has one kind of number: a backend may be written in it.
fn is_same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| is_same_value(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| {
                    right.get(key).is_some_and(|right| is_same_value(left, right))
                })
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_itself_however_its_args_are_written() {
        let same = [
            (r#"{"a":1,"b":[1.0]}"#, r#"{ "b": [1], "a": 1.0 }"#),
            (r#"{"n":9007199254740993}"#, r#"{"n":9007199254740992}"#),
            (r#"{"t":"é"}"#, r#"{"t":"\u00e9"}"#),
            ("", "null"),
        ];
        assert!(same.iter().all(|(left, right)| is_same_json(left, right)));
        let other = [
            (r#"{"a":1}"#, r#"{"a":2}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
            ("[1,2]", "[1,3]"),
            ("[1]", "[1,2]"),
            ("{", "["),
        ];
        assert!(!other.iter().any(|(left, right)| is_same_json(left, right)));
    }
}
