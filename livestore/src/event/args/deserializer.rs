//! The deserializer of one field, which may be missing.

use serde::Deserializer;
use serde::de::{self, Visitor};

/// The serde `Deserializer` that the closure of [`Args::field_with`](super::Args::field_with) gets. A field that is missing
/// deserializes as an `Option` only.
#[derive(Debug, Clone, Copy)]
pub struct FieldDeserializer<'a>(pub(super) Option<&'a str>);

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

    // As any number, one past 64 bits would be a floating-point number.

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Some(value) => from_json(value).deserialize_i128(visitor),
            None => Err(de::Error::custom("missing")),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Some(value) => from_json(value).deserialize_u128(visitor),
            None => Err(de::Error::custom("missing")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
