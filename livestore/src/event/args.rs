//! Args: an event's fields as one JSON object.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

mod plain;

/// Why an event could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A field has no JSON form.
    #[error("field `{field}` has no JSON form: {reason}")]
    Field {
        /// The field's name in the JSON.
        field: String,
        /// serde's message.
        reason: String,
    },
    /// A newtype variant holds something that is not a JSON object.
    #[error("the args are not a JSON object; use a struct with named fields")]
    NotAnObject,
}

/// Why an event could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No such event is defined.
    #[error("no event is called \"{name}\"")]
    UnknownEvent {
        /// The unknown name.
        name: String,
    },
    /// The args are not a JSON object.
    #[error("the args are not a JSON object: {reason}")]
    NotAnObject {
        /// The JSON parser's message.
        reason: String,
    },
    /// A required field is missing.
    #[error("field `{field}` is missing")]
    MissingField {
        /// The field's name in the JSON.
        field: String,
    },
    /// The upcaster cannot make a newer event of it.
    #[error("\"{name}\" has no newer form: {reason}")]
    Upcast {
        /// The older event's name.
        name: String,
        /// The upcaster's message.
        reason: String,
    },
    /// A field holds something else than its type takes.
    #[error("field `{field}`: {reason}")]
    Field {
        /// The field's name in the JSON.
        field: String,
        /// serde's message.
        reason: String,
    },
}

impl DecodeError {
    /// The error for a name that no definition has.
    pub fn unknown_event(name: &str) -> Self {
        Self::UnknownEvent { name: name.to_owned() }
    }

    fn field(field: &str, reason: impl fmt::Display) -> Self {
        Self::Field { field: field.to_owned(), reason: reason.to_string() }
    }
}

/// The serde `Serializer` that the closure of [`ArgsWriter::field_with`] gets.
pub type FieldSerializer<'s, 'o> = &'s mut serde_json::Serializer<&'o mut Vec<u8>, JsNumbers>;

/// The serde `Deserializer` that the closure of [`Args::field_with`] gets. A field that is missing
/// deserializes as an `Option` only.
#[derive(Debug, Clone, Copy)]
pub struct FieldDeserializer<'a>(Option<&'a str>);

/// Reads from the JSON text of a field.
type FromJson<'a> = serde_json::Deserializer<serde_json::de::StrRead<'a>>;

fn from_json(json: &str) -> FromJson<'_> {
    serde_json::Deserializer::from_str(json)
}

impl<'de> Deserializer<'de> for FieldDeserializer<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Some(value) => from_json(value).deserialize_any(visitor),
            None => Err(de::Error::custom("missing")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Some(value) => from_json(value).deserialize_option(visitor),
            None => visitor.visit_none(),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Some(value) => from_json(value).deserialize_newtype_struct(name, visitor),
            None => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Some(value) => from_json(value).deserialize_enum(name, variants, visitor),
            None => Err(de::Error::custom("missing")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Writes an event's args, field by field.
#[derive(Debug)]
pub struct ArgsWriter<'a> {
    out: &'a mut Vec<u8>,
    window_id: &'a str,
    written: OutputState,
}

/// The state of the output so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OutputState {
    Nothing,
    Fields,
    Whole,
}

impl<'a> ArgsWriter<'a> {
    /// The JSON object that `write` writes.
    pub(crate) fn encode(
        window_id: &str,
        write: impl FnOnce(&mut ArgsWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<String, EncodeError> {
        let mut out = Vec::with_capacity(128);
        ArgsWriter::object(&mut out, window_id, write)?;
        // serde_json writes nothing but UTF-8.
        String::from_utf8(out).map_err(|_| EncodeError::NotAnObject)
    }

    fn object(
        out: &'a mut Vec<u8>,
        window_id: &'a str,
        write: impl FnOnce(&mut ArgsWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut writer = ArgsWriter { out, window_id, written: OutputState::Nothing };
        write(&mut writer)?;
        match writer.written {
            OutputState::Nothing => writer.out.extend_from_slice(b"{}"),
            OutputState::Fields => writer.out.push(b'}'),
            OutputState::Whole => {}
        }
        Ok(())
    }

    /// Writes one field.
    ///
    /// # Errors
    /// When the value has no JSON form.
    pub fn field<T: Serialize + ?Sized>(
        &mut self,
        field: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.field_with(field, |serializer| value.serialize(serializer))
    }

    /// Writes one field through a function, as serde's `with`.
    ///
    /// # Errors
    /// When the function fails.
    pub fn field_with(
        &mut self,
        field: &'static str,
        serialize: impl FnOnce(FieldSerializer<'_, '_>) -> serde_json::Result<()>,
    ) -> Result<(), EncodeError> {
        self.key(field).and_then(|()| serialize(&mut js_serializer(self.out))).map_err(|error| {
            EncodeError::Field { field: field.to_owned(), reason: error.to_string() }
        })
    }

    /// Writes one value as the args: it must be a JSON object.
    ///
    /// # Errors
    /// When it is not, or has no JSON form.
    pub fn whole<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let start = self.out.len();
        value.serialize(&mut js_serializer(self.out)).map_err(|error| EncodeError::Field {
            field: "*".to_owned(),
            reason: error.to_string(),
        })?;
        self.written = OutputState::Whole;
        match self.out.get(start) {
            Some(b'{') => Ok(()),
            _ => Err(EncodeError::NotAnObject),
        }
    }

    /// Writes which client document to set, and the fields.
    pub(crate) fn document_fields(
        &mut self,
        id: &str,
        write: impl FnOnce(&mut ArgsWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.field("id", id)?;
        self.key("value").map_err(|_| EncodeError::NotAnObject)?;
        ArgsWriter::object(self.out, self.window_id, write)
    }

    /// The window that commits the event.
    pub fn window_id(&self) -> &'a str {
        self.window_id
    }

    fn key(&mut self, key: &str) -> serde_json::Result<()> {
        self.out.push(if self.written == OutputState::Nothing { b'{' } else { b',' });
        self.written = OutputState::Fields;
        key.serialize(&mut serde_json::Serializer::new(&mut *self.out))?;
        self.out.push(b':');
        Ok(())
    }
}

/// Writes numbers as JavaScript does: `1.0` is `1`.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsNumbers;

impl serde_json::ser::Formatter for JsNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        // Up to here JavaScript writes all digits, and i128 holds them.
        if value.fract() == 0.0 && value.abs() < 1e21 {
            #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
            let whole = value as i128;
            write!(writer, "{whole}")
        } else {
            serde_json::ser::CompactFormatter.write_f64(writer, value)
        }
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        if value.fract() == 0.0 && value.abs() < 1e21 {
            self.write_f64(writer, f64::from(value))
        } else {
            serde_json::ser::CompactFormatter.write_f32(writer, value)
        }
    }
}

fn js_serializer(out: &mut Vec<u8>) -> serde_json::Serializer<&mut Vec<u8>, JsNumbers> {
    serde_json::Serializer::with_formatter(out, JsNumbers)
}

/// An event's args, split into fields but not yet decoded.
#[derive(Debug, Clone)]
pub struct Args<'a> {
    json: &'a str,
    /// The names, and the values as JSON.
    fields: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Args<'a> {
    /// Splits a JSON object. `null` and nothing at all count as `{}`: LiveStore stores both for
    /// an event without args.
    ///
    /// # Errors
    /// [`DecodeError::NotAnObject`].
    pub fn parse(json: &'a str) -> Result<Self, DecodeError> {
        if matches!(json, "" | "null") {
            return Ok(Self { json: "{}", fields: Vec::new() });
        }
        if let Some(fields) = plain::split(json) {
            return Ok(Self { json, fields });
        }
        let ObjectFields(fields) = serde_json::from_str(json)
            .map_err(|error| DecodeError::NotAnObject { reason: error.to_string() })?;
        Ok(Self { json, fields })
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
        deserialize(FieldDeserializer(self.get(field))).map_err(|error| match self.get(field) {
            Some(_) => DecodeError::field(field, error),
            None => DecodeError::MissingField { field: field.to_owned() },
        })
    }

    /// A field with a default, read through a function.
    ///
    /// # Errors
    /// When the field is there and the function fails.
    pub fn field_with_or<T>(
        &self,
        field: &'static str,
        deserialize: impl FnOnce(FieldDeserializer<'_>) -> serde_json::Result<T>,
        default: impl FnOnce() -> T,
    ) -> Result<T, DecodeError> {
        match self.get(field) {
            Some(value) => deserialize(FieldDeserializer(Some(value)))
                .map_err(|error| DecodeError::field(field, error)),
            None => Ok(default()),
        }
    }

    /// The args as one value.
    ///
    /// # Errors
    /// When they are not a `T`.
    pub fn whole<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        serde_json::from_str(self.json).map_err(|error| DecodeError::field("*", error))
    }

    /// A client document's set event: which document, and the fields to set.
    ///
    /// # Errors
    /// When either is missing.
    pub fn document(&self) -> Result<(String, Args<'a>), DecodeError> {
        let value = self
            .get("value")
            .ok_or_else(|| DecodeError::MissingField { field: "value".to_owned() })?;
        Ok((self.field("id")?, Args::parse(value)?))
    }

    /// If a field occurs twice, the last one counts, as in JavaScript.
    fn get(&self, field: &str) -> Option<&'a str> {
        self.fields.iter().rev().find(|(name, _)| name == field).map(|(_, value)| *value)
    }
}

/// Stands for `T` where generated code asks whether `T` has a trait. Of a type of the user's, the
/// compiler would also show the definition.
#[derive(Debug)]
pub struct Subject<T>(PhantomData<fn() -> T>);

/// A type that can be a field of an event, or all of its args. For generated code: as one trait
/// with its own functions, a type that serde does not know is one error, at the field.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be a field of an event",
    label = "has no JSON form",
    note = "derive `Serialize` and `Deserialize` for it"
)]
#[expect(missing_docs, reason = "as the methods of `Args` and `ArgsWriter`")]
pub trait ArgsField<T> {
    fn write(value: &T, field: &'static str, args: &mut ArgsWriter<'_>) -> Result<(), EncodeError>;
    fn write_whole(value: &T, args: &mut ArgsWriter<'_>) -> Result<(), EncodeError>;
    fn read(field: &'static str, args: &Args<'_>) -> Result<T, DecodeError>;
    fn read_or(field: &'static str, default: fn() -> T, args: &Args<'_>) -> Result<T, DecodeError>;
    fn read_whole(args: &Args<'_>) -> Result<T, DecodeError>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> ArgsField<T> for Subject<T> {
    fn write(value: &T, field: &'static str, args: &mut ArgsWriter<'_>) -> Result<(), EncodeError> {
        args.field(field, value)
    }

    fn write_whole(value: &T, args: &mut ArgsWriter<'_>) -> Result<(), EncodeError> {
        args.whole(value)
    }

    fn read(field: &'static str, args: &Args<'_>) -> Result<T, DecodeError> {
        args.field(field)
    }

    fn read_or(field: &'static str, default: fn() -> T, args: &Args<'_>) -> Result<T, DecodeError> {
        args.field_or(field, default)
    }

    fn read_whole(args: &Args<'_>) -> Result<T, DecodeError> {
        args.whole()
    }
}

struct ObjectFields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for ObjectFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = ObjectFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(ObjectKey(name)) = map.next_key()? {
                    fields.push((name, map.next_value::<&RawValue>()?.get()));
                }
                Ok(ObjectFields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A key, borrowed unless it has escapes. (`Cow` itself always allocates in serde.)
struct ObjectKey<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for ObjectKey<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = ObjectKey<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<ObjectKey<'de>, E> {
                Ok(ObjectKey(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ObjectKey<'de>, E> {
                Ok(ObjectKey(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serializer as _;
    use serde_json::json;

    fn encode(
        write: impl FnOnce(&mut ArgsWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<String, EncodeError> {
        ArgsWriter::encode("session", write)
    }

    #[test]
    fn fields_become_one_object() {
        assert_eq!(encode(|_| Ok(())).unwrap(), "{}");
        let json = encode(|args| {
            args.field("id", "a\"b")?;
            args.field("n", &1.0)?;
            args.field("none", &None::<u8>)?;
            args.field_with("when", |s| s.collect_str("then"))
        });
        assert_eq!(json.unwrap(), r#"{"id":"a\"b","n":1,"none":null,"when":"then"}"#);
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, text) in [(0.5, "0.5"), (-0.0, "0"), (1e20, "100000000000000000000")] {
            let json = encode(|args| args.field("n", &number)).unwrap();
            assert_eq!(json, format!("{{\"n\":{text}}}"));
        }
    }

    #[test]
    fn a_whole_must_be_an_object() {
        assert_eq!(encode(|args| args.whole(&json!({"a": 1}))).unwrap(), r#"{"a":1}"#);
        assert_eq!(encode(|args| args.whole("text")), Err(EncodeError::NotAnObject));
    }

    #[test]
    fn a_missing_option_is_none_and_a_missing_value_an_error() {
        let args = Args::parse(r#"{"a":1,"a":2,"extra":{"x":[1]}}"#).unwrap();
        assert_eq!(args.field("a"), Ok(2));
        assert_eq!(args.field("b"), Ok(None::<u8>));
        assert_eq!(args.field_or("b", || 7), Ok(7));
        assert_eq!(args.field::<u8>("b"), Err(DecodeError::MissingField { field: "b".to_owned() }));
        assert!(matches!(args.field::<bool>("a"), Err(DecodeError::Field { .. })));
        assert!(matches!(Args::parse("[1]"), Err(DecodeError::NotAnObject { .. })));
    }

    #[test]
    fn no_args_are_no_fields() {
        for json in ["", "null", "{}"] {
            assert!(Args::parse(json).unwrap().fields.is_empty());
        }
    }
}
