//! Failures, which Effect nests in a cause: a tree of failures, defects and interruptions.

use crate::SyncError;
use serde::Deserialize;
use serde_json::Value;

use super::json::Whole;
use super::{Dialect, json};

/// The name of an `UnknownError`'s cause if the backend refuses a request.
const REFUSED: &str = "RefusedError";

/// Appends a cause; without a failure, that of an interruption.
pub(super) fn write_cause(failure: Option<&SyncError>, dialect: Dialect, out: &mut String) {
    match dialect {
        Dialect::Nested => write_one(failure, r#","fiberId":{"_tag":"None"}"#, out),
        Dialect::Flat => {
            out.push('[');
            write_one(failure, "", out);
            out.push(']');
        }
    }
}

fn write_one(failure: Option<&SyncError>, fiber: &str, out: &mut String) {
    match failure {
        None => {
            out.push_str(r#"{"_tag":"Interrupt""#);
            out.push_str(fiber);
        }
        Some(SyncError::Invalid(defect)) => {
            out.push_str(r#"{"_tag":"Die","defect":"#);
            json::write_str(defect, out);
        }
        Some(failure) => {
            out.push_str(r#"{"_tag":"Fail","error":"#);
            write_error(failure, out);
        }
    }
    out.push('}');
}

fn write_error(failure: &SyncError, out: &mut String) {
    match failure {
        SyncError::ServerAhead { head, parent } => {
            out.push_str(r#"{"_tag":"ServerAheadError","minimumExpectedNum":"#);
            json::write_plain(head, out);
            out.push_str(r#","providedNum":"#);
            json::write_plain(parent, out);
            out.push('}');
        }
        SyncError::BackendIdMismatch { expected, received } => {
            out.push_str(r#"{"_tag":"BackendIdMismatchError","expected":"#);
            json::write_str(expected, out);
            out.push_str(r#","received":"#);
            json::write_str(received, out);
            out.push('}');
        }
        SyncError::Refused(text) => write_unknown(REFUSED, text, out),
        SyncError::Failed(text) => write_unknown("Error", text, out),
        other => write_unknown("Error", &other.to_string(), out),
    }
}

fn write_unknown(name: &str, message: &str, out: &mut String) {
    out.push_str(r#"{"_tag":"UnknownError","cause":{"name":"#);
    json::write_str(name, out);
    out.push_str(r#","message":"#);
    json::write_str(message, out);
    out.push_str("}}");
}

/// Reads a cause of either dialect. Returns `None` for an interruption.
pub(super) fn decode_cause(json: &str) -> Result<Option<SyncError>, serde_json::Error> {
    // Its depth is bounded by the limit of serde_json.
    let cause: Value = serde_json::from_str(json)?;
    if let Some(fail) = find(&cause, "Fail") {
        return decode_error(fail.get("error").unwrap_or(&Value::Null)).map(Some);
    }
    if let Some(die) = find(&cause, "Die") {
        let defect = die.get("defect").map_or_else(String::new, json::plain_value);
        return Ok(Some(SyncError::Invalid(defect)));
    }
    if find(&cause, "Interrupt").is_some() {
        return Ok(None);
    }
    Ok(Some(SyncError::Failed(json::plain_value(&cause))))
}

/// The first cause of this kind in a list, or under `Sequential` and `Parallel` ones.
fn find<'a>(cause: &'a Value, tag: &str) -> Option<&'a Value> {
    if let Value::Array(causes) = cause {
        return causes.iter().find_map(|cause| find(cause, tag));
    }
    if cause.get("_tag").and_then(Value::as_str) == Some(tag) {
        return Some(cause);
    }
    ["left", "right"].iter().find_map(|side| find(cause.get(side)?, tag))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerAhead {
    minimum_expected_num: Whole,
    provided_num: Whole,
}

#[derive(Deserialize)]
struct BackendIdMismatch {
    expected: String,
    received: String,
}

fn decode_error(error: &Value) -> Result<SyncError, serde_json::Error> {
    match error.get("_tag").and_then(Value::as_str) {
        Some("ServerAheadError") => {
            let fields = ServerAhead::deserialize(error)?;
            let (head, parent) = (fields.minimum_expected_num.0, fields.provided_num.0);
            Ok(SyncError::ServerAhead { head, parent })
        }
        Some("BackendIdMismatchError") => {
            let BackendIdMismatch { expected, received } = Deserialize::deserialize(error)?;
            Ok(SyncError::BackendIdMismatch { expected, received })
        }
        Some("UnknownError") => Ok(decode_unknown(error.get("cause").unwrap_or(error))),
        _ => Ok(SyncError::Failed(json::plain_value(error))),
    }
}

fn decode_unknown(cause: &Value) -> SyncError {
    let text = cause.get("message").map_or_else(|| json::plain_value(cause), json::plain_value);
    match cause.get("name").and_then(Value::as_str) {
        Some(REFUSED) => SyncError::Refused(text),
        Some(name) if name != "Error" => SyncError::Failed(format!("{name}: {text}")),
        _ => SyncError::Failed(text),
    }
}
