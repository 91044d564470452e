//! Arrays and objects.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Result};

use super::JsonWriter;

/// The order in which entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As they come.
    Given,
    /// By their text.
    Sorted,
}

/// The elements of an array, or the entries of an object, that is being written.
#[derive(Debug)]
pub struct Entries<'s, 'o> {
    writer: &'s mut JsonWriter<'o>,
    close: &'static [u8],
    order: Order,
    is_empty: bool,
    /// Where each entry begins and its key ends; only for those that are sorted.
    places: Vec<(usize, usize)>,
}

impl<'s, 'o> Entries<'s, 'o> {
    pub(super) fn new(writer: &'s mut JsonWriter<'o>, close: &'static [u8], order: Order) -> Self {
        Self { writer, close, order, is_empty: true, places: Vec::new() }
    }

    fn begin(&mut self) -> usize {
        if !std::mem::take(&mut self.is_empty) {
            self.writer.out.push(b',');
        }
        self.writer.out.len()
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let start = self.begin();
        value.serialize(&mut *self.writer)?;
        if self.order == Order::Sorted {
            self.places.push((start, self.writer.out.len()));
        }
        Ok(())
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        let start = self.begin();
        // serde_json knows which keys a map may have. It begins with the brace of the map.
        SerializeMap::serialize_key(&mut self.writer.plain().serialize_map(Some(1))?, key)?;
        self.writer.out.remove(start);
        if self.order == Order::Sorted {
            // Without the quote, which is greater than some characters.
            self.places.push((start, self.writer.out.len().saturating_sub(1)));
        }
        self.writer.out.push(b':');
        Ok(())
    }

    fn named<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.begin();
        self.writer.plain().serialize_str(name)?;
        self.writer.out.push(b':');
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> Result<()> {
        let out = &mut *self.writer.out;
        if let Some(sorted) = sorted(out, &self.places) {
            let start = self.places.first().map_or(out.len(), |(start, _)| *start);
            out.truncate(start);
            out.extend_from_slice(&sorted);
        }
        out.extend_from_slice(self.close);
        Ok(())
    }
}

/// Returns the entries in order; `None` if they are in order already.
fn sorted(out: &[u8], places: &[(usize, usize)]) -> Option<Vec<u8>> {
    let key = |(start, end): &(usize, usize)| out.get(*start..*end);
    if places.is_sorted_by_key(key) {
        return None;
    }
    let ends = places.iter().skip(1).map(|(start, _)| start.saturating_sub(1)).chain([out.len()]);
    let mut entries: Vec<_> = places.iter().zip(ends).collect();
    entries.sort_by_key(|(place, _)| key(place));
    let texts = entries.iter().filter_map(|((start, _), end)| out.get(*start..*end));
    Some(texts.collect::<Vec<_>>().join(&b','))
}

impl SerializeSeq for Entries<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

impl SerializeTuple for Entries<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

impl SerializeTupleStruct for Entries<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

impl SerializeTupleVariant for Entries<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

impl SerializeMap for Entries<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

impl SerializeStructVariant for Entries<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        self.named(name, value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

/// A struct, or a type of serde_json's own that passes for one.
#[derive(Debug)]
pub enum Fields<'s, 'o> {
    /// An object.
    Object(Entries<'s, 'o>),
    /// A type of serde_json's, by the name that it goes by.
    Private(&'s mut JsonWriter<'o>, &'static str),
}

impl SerializeStruct for Fields<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        match self {
            Self::Object(entries) => entries.named(name, value),
            Self::Private(writer, of) => {
                let mut serializer = writer.plain();
                let mut fields = serializer.serialize_struct(of, 1)?;
                SerializeStruct::serialize_field(&mut fields, name, value)?;
                SerializeStruct::end(fields)
            }
        }
    }

    fn end(self) -> Result<()> {
        match self {
            Self::Object(entries) => entries.close(),
            Self::Private(..) => Ok(()),
        }
    }
}
