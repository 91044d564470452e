//! `chrono` types, as sortable ISO text.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use super::{ColumnType, Storage, Value, ValueError};

/// Stored as `2026-11-22T13:05:09.210000000Z`: all nine digits, so text order is time order.
#[diagnostic::do_not_recommend]
impl ColumnType for DateTime<Utc> {
    type Base = Self;
    const STORAGE: Storage = Storage::Text;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        if !(0..=9999).contains(&chrono::Datelike::year(self)) {
            return Err(ValueError::out_of_range(self, "a time of the years 0 to 9999"));
        }
        Ok(Value::text(self.to_rfc3339_opts(SecondsFormat::Nanos, true)))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_text()?.parse().map_err(ValueError::custom)
    }
}

/// Stored as `2026-11-22`.
#[diagnostic::do_not_recommend]
impl ColumnType for NaiveDate {
    type Base = Self;
    const STORAGE: Storage = Storage::Text;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        if !(0..=9999).contains(&chrono::Datelike::year(self)) {
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
    use crate::value::Operand;

    #[test]
    fn nanoseconds_survive_and_text_order_is_time_order() {
        let early = DateTime::from_timestamp_nanos(1_000_000_001);
        let late = DateTime::from_timestamp_nanos(1_000_000_100);
        assert_eq!(DateTime::<Utc>::decode(early.encode().unwrap()), Ok(early));
        let text = |time: DateTime<Utc>| Operand::<DateTime<Utc>>::into_value(time).unwrap();
        assert!(text(early).as_text().unwrap() < text(late).as_text().unwrap());
        assert!(DateTime::<Utc>::MAX_UTC.encode().is_err());
    }
}
