//! `jiff` types, as sortable ISO text.

use jiff::{Timestamp, civil::Date};

use super::{ColumnType, Storage, Value, ValueError};

/// Stored as `2026-11-22T13:05:09.210000000Z`: all nine digits, so text order is time order.
#[diagnostic::do_not_recommend]
impl ColumnType for Timestamp {
    type Base = Self;
    const STORAGE: Storage = Storage::Text;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        let text = format!("{self:.9}");
        if text.starts_with('-') {
            return Err(ValueError::out_of_range(self, "a time of the years 0 to 9999"));
        }
        Ok(Value::text(text))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_text()?.parse().map_err(ValueError::custom)
    }
}

/// Stored as `2026-11-22`.
#[diagnostic::do_not_recommend]
impl ColumnType for Date {
    type Base = Self;
    const STORAGE: Storage = Storage::Text;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        if self.year() < 0 {
            return Err(ValueError::out_of_range(self, "a date of the years 0 to 9999"));
        }
        Ok(Value::text(self.to_string()))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_text()?.parse().map_err(ValueError::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_survive() {
        let time = Timestamp::from_nanosecond(1_000_000_001).unwrap();
        assert_eq!(time.encode(), Ok(Value::text("1970-01-01T00:00:01.000000001Z")));
        assert_eq!(Timestamp::decode(time.encode().unwrap()), Ok(time));
        assert!(Timestamp::MIN.encode().is_err());
    }
}
