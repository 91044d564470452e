//! When two values of JSON decode to the same in every language.

use serde_json::{Number, Value};

/// Whether the values are the same to the last digit. Keys may be in any order.
pub(super) fn is_same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => is_same_number(left, right),
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

/// As they are written in one form; `0.0` and `-0.0` differ.
fn is_same_number(left: &Number, right: &Number) -> bool {
    left.to_string() == right.to_string()
}
