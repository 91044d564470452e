//! Timestamps as columns.

use super::{ColumnType, Storage, Value, ValueError};

pub use livestore_protocol::{ParseTimestampError, Timestamp};

#[diagnostic::do_not_recommend]
impl ColumnType for Timestamp {
    type Base = Self;
    const STORAGE: Storage = Storage::Integer;
    const RANGE: Option<(i64, i64)> = Some((Self::MIN.as_millis(), Self::MAX.as_millis()));

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        Ok(Value::Integer(self.as_millis()))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        let millis = value.as_integer()?;
        let time = Self::from_millis(millis);
        if time.as_millis() == millis {
            Ok(time)
        } else {
            Err(ValueError::out_of_range(millis, "Timestamp"))
        }
    }
}
