//! Args: what an event says, as one JSON value. Most are an object with a key per field.

mod deserializer;
mod error;
mod field;
mod object;
mod plain;
mod surrogates;
mod writer;

use std::borrow::Cow;

use serde::de::{DeserializeOwned, IgnoredAny};

pub use deserializer::FieldDeserializer;
pub use error::{DecodeError, EncodeError};
pub use field::{ArgsField, Lossless, MaybeLossless, Same, SameByValue, SameJson, Subject};
use object::ObjectFields;
pub(crate) use surrogates::without_lone_surrogates;
pub use writer::{ArgsWriter, FieldSerializer};

/// An event's args, split into fields but not yet decoded.
#[derive(Debug, Clone)]
pub struct Args<'a> {
    json: &'a str,
    /// The names, and the values as JSON; or why the args have no fields.
    fields: Result<Vec<(Cow<'a, str>, &'a str)>, DecodeError>,
}

impl<'a> Args<'a> {
    /// Splits a JSON object; other values have no fields. `null` and nothing at all count as `{}`:
    /// LiveStore stores both for an event without args.
    ///
    /// # Errors
    /// [`DecodeError::NotAnObject`] when it is not JSON.
    pub fn parse(json: &'a str) -> Result<Self, DecodeError> {
        if matches!(json, "" | "null") {
            return Ok(Self { json: "null", fields: Ok(Vec::new()) });
        }
        if let Some(fields) = plain::split(json) {
            return Ok(Self { json, fields: Ok(fields) });
        }
        let not_an_object =
            |error: serde_json::Error| DecodeError::NotAnObject { reason: error.to_string() };
        let fields = match serde_json::from_str(json) {
            Ok(ObjectFields(fields)) => Ok(fields),
            Err(error) => {
                serde_json::from_str::<IgnoredAny>(json).map_err(not_an_object)?;
                Err(not_an_object(error))
            }
        };
        Ok(Self { json, fields })
    }

    /// Checks that the args are an object, for an event that reads nothing of them.
    ///
    /// # Errors
    /// [`DecodeError::NotAnObject`].
    pub fn object(&self) -> Result<(), DecodeError> {
        self.fields.as_ref().map(drop).map_err(Clone::clone)
    }

    /// A field that must be there; an `Option` may be missing.
    ///
    /// # Errors
    /// When the field is missing or is not a `T`.
    pub fn field<T: DeserializeOwned>(&self, field: &'static str) -> Result<T, DecodeError> {
        self.field_with(field, |value| T::deserialize(value))
    }

    /// A field that has a default.
    ///
    /// # Errors
    /// When the field is there and is not a `T`.
    pub fn field_or<T: DeserializeOwned>(
        &self,
        field: &'static str,
        default: impl FnOnce() -> T,
    ) -> Result<T, DecodeError> {
        self.field_with_or(field, |value| T::deserialize(value), default)
    }

    /// A field that may be missing.
    ///
    /// # Errors
    /// When the field is there and is not a `T`.
    pub fn optional<T: DeserializeOwned>(
        &self,
        field: &'static str,
    ) -> Result<Option<T>, DecodeError> {
        self.field_with_or(field, |value| T::deserialize(value).map(Some), || None)
    }

    /// A field read through a function, as serde's `with`.
    ///
    /// # Errors
    /// When the field is missing or the function fails.
    pub fn field_with<T>(
        &self,
        field: &'static str,
        deserialize: impl FnOnce(FieldDeserializer<'_>) -> serde_json::Result<T>,
    ) -> Result<T, DecodeError> {
        let value = self.get(field)?;
        deserialize(FieldDeserializer(value)).map_err(|error| match value {
            Some(_) => DecodeError::field(field, error),
            None => DecodeError::MissingField { field: field.to_owned() },
        })
    }

    /// A field with a default, read through a function. The default also stands for a `null` that the
    /// function does not take: other languages write one for a value that is not given.
    ///
    /// # Errors
    /// When the field is there, not `null`, and the function fails.
    pub fn field_with_or<T>(
        &self,
        field: &'static str,
        deserialize: impl FnOnce(FieldDeserializer<'_>) -> serde_json::Result<T>,
        default: impl FnOnce() -> T,
    ) -> Result<T, DecodeError> {
        let Some(value) = self.get(field)? else { return Ok(default()) };
        match deserialize(FieldDeserializer(Some(value))) {
            Err(_) if value == "null" => Ok(default()),
            read => read.map_err(|error| DecodeError::field(field, error)),
        }
    }

    /// The args as one value. Where there are none, that is what `null` is read as, or else `{}`.
    ///
    /// # Errors
    /// When they are not a `T`.
    pub fn whole<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let read = serde_json::from_str(self.json);
        let read = match read {
            Err(_) if self.json == "null" => serde_json::from_str("{}").or(read),
            read => read,
        };
        read.map_err(|error| DecodeError::field("*", error))
    }

    /// A client document's set event: which document, and the fields to set.
    ///
    /// # Errors
    /// When either is missing.
    pub fn document(&self) -> Result<(String, Args<'a>), DecodeError> {
        let value = self
            .get("value")?
            .ok_or_else(|| DecodeError::MissingField { field: "value".to_owned() })?;
        Ok((self.field("id")?, Args::parse(value)?))
    }

    /// If a field occurs twice, the last one counts, as in JavaScript.
    fn get(&self, field: &str) -> Result<Option<&'a str>, DecodeError> {
        let fields = self.fields.as_ref().map_err(Clone::clone)?;
        Ok(fields.iter().rev().find(|(name, _)| name == field).map(|(_, value)| *value))
    }

    /// Returns the name of the first field that does not have the same JSON in `other`.
    pub(crate) fn first_difference(&self, other: &Self) -> Option<String> {
        let fields = self.fields.iter().chain(&other.fields).flatten();
        let mut names = fields.map(|(name, _)| name);
        names.find(|name| self.get(name) != other.get(name)).map(|name| name.clone().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_option_is_none_and_a_missing_value_an_error() {
        let args = Args::parse(r#"{"a":1,"a":2,"extra":{"x":[1]}}"#).unwrap();
        assert_eq!(args.field("a"), Ok(2));
        assert_eq!(args.field("b"), Ok(None::<u8>));
        assert_eq!(args.field_or("b", || 7), Ok(7));
        assert_eq!(args.field::<u8>("b"), Err(DecodeError::MissingField { field: "b".to_owned() }));
        assert!(matches!(args.field::<bool>("a"), Err(DecodeError::Field { .. })));
    }

    #[test]
    fn a_null_is_the_default_of_a_field_that_has_one() {
        let args = Args::parse(r#"{"a":null,"b":"x"}"#).unwrap();
        assert_eq!(args.field_or("a", || 7), Ok(7));
        assert_eq!(args.field_or("a", || Some(7)), Ok(None));
        assert!(matches!(args.field_or("b", || 7), Err(DecodeError::Field { .. })));
        assert!(matches!(args.field::<u8>("a"), Err(DecodeError::Field { .. })));
    }

    #[test]
    fn no_args_are_no_fields() {
        for json in ["", "null", "{}"] {
            let args = Args::parse(json).unwrap();
            assert_eq!(args.object(), Ok(()));
            assert_eq!(args.field("a"), Ok(None::<u8>));
        }
        assert_eq!(Args::parse("").unwrap().whole(), Ok(None::<u8>));
    }

    #[test]
    fn a_value_that_is_not_an_object_has_no_fields() {
        let args = Args::parse("[1]").unwrap();
        assert_eq!(args.whole(), Ok(vec![1]));
        assert!(matches!(args.field::<Option<u8>>("a"), Err(DecodeError::NotAnObject { .. })));
        assert!(matches!(args.object(), Err(DecodeError::NotAnObject { .. })));
        for json in ["[1", "{\"a\":1}}", "nul"] {
            assert!(matches!(Args::parse(json), Err(DecodeError::NotAnObject { .. })), "{json}");
        }
    }
}
