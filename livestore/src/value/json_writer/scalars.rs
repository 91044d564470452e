//! The `Serializer` itself: scalars are written at once, and the rest entry by entry.

use std::any::type_name;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Error, Result};

use super::entries::{Entries, Fields, Order};
use super::{JsonWriter, Loss, is_hash_ordered};

/// The start of the names by which serde_json knows its own types.
const PRIVATE: &str = "$serde_json::private::";

/// The largest whole number of which JavaScript writes all digits.
const ALL_DIGITS: f64 = 1e21;

macro_rules! as_serde_json {
    ($($method:ident($ty:ty);)*) => {$(
        fn $method(self, value: $ty) -> Result<()> {
            self.plain().$method(value)
        }
    )*};
}

impl<'s, 'o> Serializer for &'s mut JsonWriter<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Entries<'s, 'o>;
    type SerializeTuple = Entries<'s, 'o>;
    type SerializeTupleStruct = Entries<'s, 'o>;
    type SerializeTupleVariant = Entries<'s, 'o>;
    type SerializeMap = Entries<'s, 'o>;
    type SerializeStruct = Fields<'s, 'o>;
    type SerializeStructVariant = Entries<'s, 'o>;

    as_serde_json! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
    }

    fn serialize_f32(self, value: f32) -> Result<()> {
        let whole = (value.fract() == 0.0).then_some(f64::from(value));
        let whole = whole.filter(|whole| whole.abs() < ALL_DIGITS);
        self.write_float(value.is_finite(), whole)
            .unwrap_or_else(|| self.plain().serialize_f32(value))
    }

    fn serialize_f64(self, value: f64) -> Result<()> {
        let whole = (value.fract() == 0.0 && value.abs() < ALL_DIGITS).then_some(value);
        self.write_float(value.is_finite(), whole)
            .unwrap_or_else(|| self.plain().serialize_f64(value))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<()> {
        self.plain().collect_str(value)
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        let start = self.out.len();
        value.serialize(&mut *self)?;
        if self.out.get(start..) == Some(b"null") {
            self.losses.add(Loss::SomeNull);
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<()> {
        self.plain().serialize_unit()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Entries<'s, 'o>> {
        Ok(self.entries(b"[", b"]", Order::Given))
    }

    fn collect_seq<I: IntoIterator<Item: Serialize>>(self, elements: I) -> Result<()> {
        let is_hashed = is_hash_ordered(type_name::<I>());
        let order = if is_hashed { Order::Sorted } else { Order::Given };
        let mut entries = self.entries(b"[", b"]", order);
        elements
            .into_iter()
            .try_for_each(|element| SerializeSeq::serialize_element(&mut entries, &element))?;
        SerializeSeq::end(entries)
    }

    fn serialize_tuple(self, _: usize) -> Result<Entries<'s, 'o>> {
        Ok(self.entries(b"[", b"]", Order::Given))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Entries<'s, 'o>> {
        Ok(self.entries(b"[", b"]", Order::Given))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries<'s, 'o>> {
        self.open_variant(variant)?;
        Ok(self.entries(b"[", b"]}", Order::Given))
    }

    /// Sorted, since it may come from a hash map behind `flatten`, which does not say so.
    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'s, 'o>> {
        Ok(self.entries(b"{", b"}", Order::Sorted))
    }

    fn collect_map<K: Serialize, V: Serialize, I: IntoIterator<Item = (K, V)>>(
        self,
        entries: I,
    ) -> Result<()> {
        let is_hashed = is_hash_ordered(type_name::<I>());
        let order = if is_hashed { Order::Sorted } else { Order::Given };
        let mut map = self.entries(b"{", b"}", order);
        entries.into_iter().try_for_each(|(key, value)| map.serialize_entry(&key, &value))?;
        SerializeMap::end(map)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'s, 'o>> {
        if name.starts_with(PRIVATE) {
            return Ok(Fields::Private(self, name));
        }
        Ok(Fields::Object(self.entries(b"{", b"}", Order::Given)))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries<'s, 'o>> {
        self.open_variant(variant)?;
        Ok(self.entries(b"{", b"}}", Order::Given))
    }
}
