//! Numbers, text, bytes and `Option`.

use super::{ColumnType, Storage, Value, ValueError};

macro_rules! integers {
    ($($int:ty: $range:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl ColumnType for $int {
            type Base = Self;
            const STORAGE: Storage = Storage::Integer;
            const RANGE: Option<(i64, i64)> = $range;

            fn encode(&self) -> Result<Value<'_>, ValueError> {
                i64::try_from(*self)
                    .map(Value::Integer)
                    .map_err(|_| ValueError::out_of_range(self, "an SQL integer"))
            }

            fn decode(value: Value<'_>) -> Result<Self, ValueError> {
                let integer = value.as_integer()?;
                <$int>::try_from(integer)
                    .map_err(|_| ValueError::out_of_range(integer, stringify!($int)))
            }
        }
    )*};
}

integers! {
    i8: Some((i8::MIN as i64, i8::MAX as i64));
    i16: Some((i16::MIN as i64, i16::MAX as i64));
    i32: Some((i32::MIN as i64, i32::MAX as i64));
    i64: None;
    u8: Some((0, u8::MAX as i64));
    u16: Some((0, u16::MAX as i64));
    u32: Some((0, u32::MAX as i64));
    u64: Some((0, i64::MAX));
}

#[diagnostic::do_not_recommend]
impl ColumnType for f64 {
    type Base = Self;
    const STORAGE: Storage = Storage::Real;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        if self.is_nan() { Err(ValueError::NotANumber) } else { Ok(Value::Real(*self)) }
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.as_real()
    }
}

#[diagnostic::do_not_recommend]
impl ColumnType for f32 {
    type Base = Self;
    const STORAGE: Storage = Storage::Real;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        if self.is_nan() { Err(ValueError::NotANumber) } else { Ok(Value::Real(f64::from(*self))) }
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        let real = value.as_real()?;
        #[expect(clippy::cast_possible_truncation, reason = "checked on the next line")]
        let narrow = real as f32;
        if narrow.is_infinite() && real.is_finite() {
            return Err(ValueError::out_of_range(real, "f32"));
        }
        Ok(narrow)
    }
}

#[diagnostic::do_not_recommend]
impl ColumnType for bool {
    type Base = Self;
    const STORAGE: Storage = Storage::Integer;
    const RANGE: Option<(i64, i64)> = Some((0, 1));

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        Ok(Value::Integer(i64::from(*self)))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        match value.as_integer()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(ValueError::out_of_range(other, "bool")),
        }
    }
}

#[diagnostic::do_not_recommend]
impl ColumnType for String {
    type Base = Self;
    const STORAGE: Storage = Storage::Text;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        Ok(Value::text(self.as_str()))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.into_text()
    }
}

#[diagnostic::do_not_recommend]
impl ColumnType for Vec<u8> {
    type Base = Self;
    const STORAGE: Storage = Storage::Blob;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        Ok(Value::blob(self.as_slice()))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        value.into_blob()
    }
}

#[diagnostic::do_not_recommend]
impl<const N: usize> ColumnType for [u8; N] {
    type Base = Self;
    const STORAGE: Storage = Storage::Blob;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        Ok(Value::blob(self.as_slice()))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        let bytes = value.into_blob()?;
        let found = bytes.len();
        bytes
            .try_into()
            .map_err(|_| ValueError::custom(format_args!("expected {N} bytes, found {found}")))
    }
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType> ColumnType for Option<V> {
    type Base = V::Base;
    const STORAGE: Storage = V::STORAGE;
    const NULLABLE: bool = true;
    const VARIANTS: &'static [&'static str] = V::VARIANTS;
    const NUMBERS: &'static [(&'static str, i64)] = V::NUMBERS;
    const RANGE: Option<(i64, i64)> = V::RANGE;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        self.as_ref().map_or(Ok(Value::Null), V::encode)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        match value {
            Value::Null => Ok(None),
            value => V::decode(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip<V: ColumnType>(value: &V) -> Result<V, ValueError> {
        V::decode(value.encode()?)
    }

    #[test]
    fn numbers_that_do_not_fit_are_errors() {
        assert_eq!(u64::MAX.encode(), Err(ValueError::out_of_range(u64::MAX, "an SQL integer")));
        assert!(u8::decode(Value::Integer(256)).is_err());
        assert!(u32::decode(Value::Integer(-1)).is_err());
        assert!(bool::decode(Value::Integer(2)).is_err());
        assert!(f32::decode(Value::Real(1e300)).is_err());
        assert_eq!(f64::NAN.encode(), Err(ValueError::NotANumber));
    }

    #[test]
    fn null_is_only_for_options() {
        assert!(String::decode(Value::Null).is_err());
        assert_eq!(Option::<String>::decode(Value::Null), Ok(None));
    }

    proptest! {
        #[test]
        fn every_value_comes_back(int: i64, small: i8, real in proptest::num::f64::NORMAL, text: String, bytes: Vec<u8>, maybe: Option<u32>) {
            prop_assert_eq!(round_trip(&int), Ok(int));
            prop_assert_eq!(round_trip(&small), Ok(small));
            prop_assert_eq!(round_trip(&real), Ok(real));
            prop_assert_eq!(round_trip(&text), Ok(text));
            prop_assert_eq!(round_trip(&bytes), Ok(bytes));
            prop_assert_eq!(round_trip(&maybe), Ok(maybe));
        }
    }
}
