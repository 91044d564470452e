//! A type that can be a field of an event.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Args, ArgsWriter, DecodeError, EncodeError};
use crate::value::Timestamp;

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

/// A type of which every value is read from JSON as it was written: an event of such fields need not
/// be read back to know that.
pub trait Lossless {}

/// A [`Lossless`] type of which no value is written as `null`, so that an `Option` of it is lossless.
trait NeverNull: Lossless {}

macro_rules! lossless {
    ($($ty:ty)*) => {$(
        impl Lossless for $ty {}
        impl NeverNull for $ty {}
    )*};
}

// A float that is not finite is written as `null`, but then the event is read back in any case.
lossless!(bool char f32 f64 i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 String Box<str> Timestamp);

#[cfg(feature = "uuid")]
lossless!(::uuid::Uuid);

impl Lossless for () {}
impl<T: NeverNull> Lossless for Option<T> {}
impl<T: Lossless> Lossless for Vec<T> {}
impl<T: Lossless> NeverNull for Vec<T> {}
impl<A: Lossless, B: Lossless> Lossless for (A, B) {}
impl<A: Lossless, B: Lossless> NeverNull for (A, B) {}

impl<T: Lossless> Subject<T> {
    /// Whether values of the type are certain to be read as they were written.
    pub const IS_LOSSLESS: bool = true;
}

/// The constant for every other type. That of [`Subject`] itself goes first where it exists.
pub trait MaybeLossless {
    /// Whether values of the type are certain to be read as they were written.
    const IS_LOSSLESS: bool = false;
}

impl<T> MaybeLossless for Subject<T> {}

/// A field as it was committed, and as it was read back.
#[derive(Debug)]
pub struct Same<'a, T>(pub &'a T, pub &'a T);

/// Compares the two by `==`, where the type has it.
pub trait SameByValue {
    /// Whether they are equal, or not even equal to themselves, as a NaN.
    fn is_same(&self) -> bool;
}

impl<T: PartialEq> SameByValue for Same<'_, T> {
    #[expect(clippy::eq_op, reason = "a NaN differs from itself")]
    fn is_same(&self) -> bool {
        self.0 == self.1 || self.0 != self.0
    }
}

/// Stands in for a type without `==`, whose JSON alone is compared. The compiler tries it last, since
/// it is for one more reference.
pub trait SameJson {
    /// Always.
    fn is_same(&self) -> bool {
        true
    }
}

impl<T> SameJson for &Same<'_, T> {}
