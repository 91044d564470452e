//! Values of columns, and places in time, as the page shows them.

use serde::{Deserialize, Serialize};

/// A value of a column.
///
/// `null`, a JSON number or a JSON string where that is exact and short. Everything else is an object
/// that says what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// SQL's NULL.
    Null,
    /// An integer that JavaScript can hold: up to 2^53 either way.
    Integer(i64),
    /// A finite number that is no integer.
    Real(f64),
    /// A text, whole.
    Text(String),
    /// An integer beyond 2^53: `{ "integer": "9007199254740993" }`.
    #[serde(rename_all = "camelCase")]
    LongInteger {
        /// Its digits.
        integer: String,
    },
    /// A real number that is integral or infinite: `{ "real": "2.0" }`, `{ "real": "inf" }`.
    #[serde(rename_all = "camelCase")]
    OtherReal {
        /// The number, as Rust writes it.
        real: String,
    },
    /// The start of a long text: `{ "text": "Once upon", "length": 100000 }`.
    #[serde(rename_all = "camelCase")]
    LongText {
        /// The start.
        text: String,
        /// The number of bytes of the whole.
        length: usize,
    },
    /// Bytes: `{ "blob": "00ff…", "length": 2 }`.
    #[serde(rename_all = "camelCase")]
    Blob {
        /// The first bytes, as hexadecimal digits.
        blob: String,
        /// The number of all bytes.
        length: usize,
    },
}

/// The state that a call is about. Absent: the present one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The present state.
    #[default]
    Now,
    /// The state after this event: `{ "at": "e12" }`.
    At(String),
    /// A fork, by its number: `{ "fork": 1 }`.
    Fork(u64),
}
