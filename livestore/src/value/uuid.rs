//! `uuid::Uuid`, as hyphenated text.

use uuid::Uuid;

use super::{ColumnType, Storage, Value, ValueError};

/// Stored as `67e55044-10b1-426f-9247-bb680e5fe0c8`, as it stands in an event's JSON.
#[diagnostic::do_not_recommend]
impl ColumnType for Uuid {
    type Base = Self;
    const STORAGE: Storage = Storage::Text;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        Ok(Value::text(self.hyphenated().to_string()))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        Uuid::parse_str(value.as_text()?).map_err(ValueError::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_come_back() {
        let id = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
        assert_eq!(id.encode(), Ok(Value::text("67e55044-10b1-426f-9247-bb680e5fe0c8")));
        assert_eq!(Uuid::decode(id.encode().unwrap()), Ok(id));
    }
}
