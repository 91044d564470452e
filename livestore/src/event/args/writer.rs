//! Writes an event's args, field by field.

use serde::Serialize;

use super::EncodeError;
use crate::value::{JsonWriter, Losses, Numbers};

/// The serde `Serializer` that the closure of [`ArgsWriter::field_with`] gets.
pub type FieldSerializer<'s, 'o> = &'s mut JsonWriter<'o>;

/// Writes an event's args, field by field.
#[derive(Debug)]
pub struct ArgsWriter<'a> {
    out: &'a mut Vec<u8>,
    window_id: &'a str,
    numbers: Numbers,
    losses: &'a mut Losses,
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
    /// Returns the JSON that `write` writes, and records in `losses` what it does not show.
    pub(crate) fn encode(
        window_id: &str,
        numbers: Numbers,
        losses: &mut Losses,
        write: impl FnOnce(&mut ArgsWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<String, EncodeError> {
        let mut out = Vec::with_capacity(128);
        let written = OutputState::Nothing;
        ArgsWriter { out: &mut out, window_id, numbers, losses, written }.object(write)?;
        String::from_utf8(out).map_err(|error| EncodeError::Field {
            field: "*".to_owned(),
            reason: error.to_string(),
        })
    }

    fn object(
        mut self,
        write: impl FnOnce(&mut ArgsWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        write(&mut self)?;
        match self.written {
            OutputState::Nothing => self.out.extend_from_slice(b"{}"),
            OutputState::Fields => self.out.push(b'}'),
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

    /// Writes one field, unless it is `None`.
    ///
    /// # Errors
    /// When the value has no JSON form.
    pub fn optional<T: Serialize>(
        &mut self,
        field: &'static str,
        value: &Option<T>,
    ) -> Result<(), EncodeError> {
        value.as_ref().map_or(Ok(()), |value| self.field(field, value))
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
        self.key(field).and_then(|()| serialize(&mut self.value(field))).map_err(|error| {
            EncodeError::Field { field: field.to_owned(), reason: error.to_string() }
        })
    }

    /// Writes one value as the args.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn whole<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.written = OutputState::Whole;
        value.serialize(&mut self.value("*")).map_err(|error| EncodeError::Field {
            field: "*".to_owned(),
            reason: error.to_string(),
        })
    }

    /// Writes which client document to set, and the fields.
    pub(crate) fn document_fields(
        &mut self,
        id: &str,
        write: impl FnOnce(&mut ArgsWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.field("id", id)?;
        self.key("value").map_err(|error| EncodeError::Field {
            field: "value".to_owned(),
            reason: error.to_string(),
        })?;
        let Self { window_id, numbers, .. } = *self;
        let (out, losses, written) = (&mut *self.out, &mut *self.losses, OutputState::Nothing);
        ArgsWriter { out, window_id, numbers, losses, written }.object(write)
    }

    /// The window that commits the event.
    pub fn window_id(&self) -> &'a str {
        self.window_id
    }

    fn value(&mut self, field: &'static str) -> JsonWriter<'_> {
        self.losses.field = field;
        JsonWriter::new(self.out, self.numbers, self.losses)
    }

    fn key(&mut self, key: &str) -> serde_json::Result<()> {
        self.out.push(if self.written == OutputState::Nothing { b'{' } else { b',' });
        self.written = OutputState::Fields;
        key.serialize(&mut serde_json::Serializer::new(&mut *self.out))?;
        self.out.push(b':');
        Ok(())
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
        ArgsWriter::encode("session", Numbers::JavaScript, &mut Losses::default(), write)
    }

    #[test]
    fn fields_become_one_object() {
        assert_eq!(encode(|_| Ok(())).unwrap(), "{}");
        let json = encode(|args| {
            args.field("id", "a\"b")?;
            args.field("n", &1.0)?;
            args.field("none", &None::<u8>)?;
            args.optional("absent", &None::<u8>)?;
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
        assert_eq!(encode(|args| args.field("n", &2.0f32)).unwrap(), r#"{"n":2}"#);
    }

    #[test]
    fn a_whole_is_any_json() {
        assert_eq!(encode(|args| args.whole(&json!({"a": 1}))).unwrap(), r#"{"a":1}"#);
        assert_eq!(encode(|args| args.whole("text")).unwrap(), r#""text""#);
    }
}
