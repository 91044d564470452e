use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

use super::json::{self, Whole, WholeVisitor};

/// The id that a client gives a request. It is echoed in the form in which it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestId {
    /// A string, as of LiveStore 0.4. Its backend accepts digits only.
    Text(String),
    /// A number, as of newer clients.
    Number(i64),
}

/// The form of the protocol that the other end speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Ids are strings, and a failure has one nested cause: LiveStore 0.4.
    Nested,
    /// Ids are numbers, and a failure has a flat list of causes: newer ones.
    Flat,
}

impl RequestId {
    /// Returns the id of the `n`th request, in the form that every backend accepts.
    pub fn nth(n: u64) -> Self {
        Self::Text(n.to_string())
    }

    /// Returns the dialect of clients that use such ids.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Text(_) => Dialect::Nested,
            Self::Number(_) => Dialect::Flat,
        }
    }

    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => json::write_str(text, out),
            Self::Number(number) => json::write_plain(number, out),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = RequestId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request id: a string or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RequestId, E> {
        Ok(RequestId::Text(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<RequestId, E> {
        Ok(RequestId::Number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<RequestId, E> {
        let invalid = || E::invalid_value(Unexpected::Unsigned(number), &self);
        i64::try_from(number).map(RequestId::Number).map_err(|_| invalid())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<RequestId, E> {
        let Whole(number) = WholeVisitor.visit_f64(number)?;
        self.visit_u64(number)
    }
}
