//! The events that scenarios commit.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::Result;
use crate::client::Event;

fn event(name: &str, args: &Value) -> Event {
    Event { name: name.to_owned(), args: args.to_string() }
}

pub(super) fn created(id: &str) -> Event {
    event("v1.TodoCreated", &json!({ "id": id, "text": format!("todo {id}") }))
}

pub(super) fn completed(id: &str) -> Event {
    event("v1.TodoCompleted", &json!({ "id": id }))
}

/// Only the newer app knows it.
pub(super) fn tagged(id: &str) -> Event {
    event("v2.TodoTagged", &json!({ "id": id, "tag": "later" }))
}

/// Client-only.
pub(super) fn noted(id: &str) -> Event {
    event("v1.Noted", &json!({ "id": id, "text": "for me" }))
}

/// A client document, which is client-only too.
pub(super) fn screen(filter: &str) -> Event {
    event("Screen", &json!({ "filter": filter }))
}

/// Every type of args, ordinary and at its limits. `by` keeps ids of two clients apart.
///
/// No text column gets a NUL: LiveStore's own client reads it up to there. Within JSON it is escaped.
pub(super) fn sampled(by: &str) -> Vec<Event> {
    let most = 9_007_199_254_740_991_i64;
    let nested = json!({
        "list": [1, -2.5, "three", true, null, [], {}],
        "deep": { "er": { "still": [[["x"]]] } },
        "": "an empty key",
        "nul": "a\u{0}b",
    });
    [
        json!({
            "text": "plain", "at": "2026-11-22T13:05:09.210Z", "whole": 1, "ratio": 0.5,
            "flag": true, "nullable": null, "nested": {},
        }),
        json!({
            "text": "grüße 日本 🦀 \u{1f} \u{2028} \\ \" / <b>", "at": "1969-12-31T23:59:59.999Z",
            "whole": most, "ratio": 0.1 + 0.2, "flag": false, "nullable": "some", "maybe": "there",
            "nested": nested,
        }),
        json!({
            "text": "", "at": "+010000-01-01T00:00:00.000Z", "whole": -most,
            "ratio": 2.638_344_616_030_823e-256, "flag": true, "nullable": null, "maybe": "",
            "nested": [most, -most, 5e-324, f64::MAX, -0.0, 1e21, 1e-7],
        }),
        json!({
            "text": "e\u{301} \u{e9}", "at": "0000-01-01T00:00:00.000Z", "whole": 0, "ratio": 3,
            "flag": false, "nullable": "", "nested": "only a text",
        }),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, mut args)| {
        if let Some(args) = args.as_object_mut() {
            args.insert("id".to_owned(), format!("{by}{number}").into());
        }
        event("v1.Sampled", &args)
    })
    .collect()
}

/// Args of every kind of schema, some of which LiveStore's library alone can declare.
const KINDS: &str = include_str!("../../peer/kinds.json");

/// An event for every kind of args, as LiveStore's client sends them.
pub(super) fn kinds() -> Result<Vec<Event>> {
    #[derive(Deserialize)]
    struct Line {
        name: String,
        #[serde(default, deserialize_with = "present")]
        args: Option<Box<RawValue>>,
    }

    /// `null` is something.
    fn present<'de, D: serde::Deserializer<'de>>(
        field: D,
    ) -> std::result::Result<Option<Box<RawValue>>, D::Error> {
        Box::deserialize(field).map(Some)
    }

    let lines: Vec<Line> = serde_json::from_str(KINDS)?;
    let event = |line: Line| Event {
        name: line.name,
        args: line.args.map(|args| args.get().to_owned()).unwrap_or_default(),
    };
    Ok(lines.into_iter().map(event).collect())
}
