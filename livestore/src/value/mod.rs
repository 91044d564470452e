//! Values that a column can hold, and the Rust types that are stored as them.
//!
//! [`Value`] is one SQL value. [`ColumnType`] maps a Rust type to it, in both directions and
//! checked: what does not fit is a [`ValueError`], never a wrapped or truncated number.
//! [`Operand`] says what may stand beside a column in a comparison.

mod builtin;
mod json;
mod json_writer;
mod operand;
mod timestamp;

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "uuid")]
mod uuid;

use std::borrow::Cow;
use std::fmt;

pub use json::Json;
pub(crate) use json_writer::{JsonWriter, Losses, Numbers, to_json};
pub use operand::Operand;
pub use timestamp::{ParseTimestampError, Timestamp};

/// One SQL value, borrowed where it can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `NULL`.
    Null,
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float; never NaN.
    Real(f64),
    /// UTF-8 text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
}

/// The type that a column is declared with in its `STRICT` table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// `INTEGER`
    Integer,
    /// `REAL`
    Real,
    /// `TEXT`
    Text,
    /// `BLOB`
    Blob,
}

/// A column type as SQL knows it. For generated code.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ColumnKind {
    pub(crate) storage: Storage,
    pub(crate) nullable: bool,
    pub(crate) variants: &'static [&'static str],
    pub(crate) numbers: &'static [(&'static str, i64)],
    pub(crate) range: Option<(i64, i64)>,
}

/// A Rust type that can be a column.
///
/// Implemented for the integers up to 64 bits, `f32`, `f64`, `bool`, `String`, `Vec<u8>`,
/// [`Timestamp`], [`Json`] and, behind features, types of `chrono`, `jiff` and `uuid`; `Option<V>`
/// makes any of them nullable. `#[derive(ColumnType)]` covers newtypes and field-less enums.
///
/// Implement it by hand for anything else:
///
/// ```
/// use livestore::value::{ColumnType, Storage, Value, ValueError};
///
/// /// A colour, stored as `#rrggbb`.
/// #[derive(Debug, PartialEq)]
/// struct Color([u8; 3]);
///
/// impl ColumnType for Color {
///     type Base = Self;
///     const STORAGE: Storage = Storage::Text;
///
///     fn encode(&self) -> Result<Value<'_>, ValueError> {
///         let [r, g, b] = self.0;
///         Ok(Value::text(format!("#{r:02x}{g:02x}{b:02x}")))
///     }
///
///     fn decode(value: Value<'_>) -> Result<Self, ValueError> {
///         let text = value.as_text()?;
///         let rgb = text.strip_prefix('#').and_then(|hex| u32::from_str_radix(hex, 16).ok());
///         let [_, r, g, b] = rgb.ok_or_else(|| ValueError::custom("not a colour"))?.to_be_bytes();
///         Ok(Color([r, g, b]))
///     }
/// }
///
/// let red = Color([255, 0, 0]);
/// assert_eq!(Color::decode(red.encode()?)?, red);
/// # Ok::<(), ValueError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column",
    label = "not a column type",
    note = "derive `ColumnType` for a newtype or a field-less enum; put what derives `Serialize` and `Deserialize` into `Json<…>`"
)]
pub trait ColumnType: Sized {
    /// The type without nullability: `V` for `Option<V>`, `Self` for everything else.
    type Base: ColumnType;

    /// The declared SQL type.
    const STORAGE: Storage;

    /// Whether `NULL` is a value of this type; true for `Option<V>` only.
    const NULLABLE: bool = false;

    /// The only texts the column may hold, when there is such a list: it becomes a `CHECK`.
    const VARIANTS: &'static [&'static str] = &[];

    /// The only integers the column may hold, each with the name of what it stands for, when there is
    /// such a list: it becomes a `CHECK`.
    const NUMBERS: &'static [(&'static str, i64)] = &[];

    /// The only integers the column may hold, from the first to the last, when there are such
    /// bounds: they become a `CHECK`.
    const RANGE: Option<(i64, i64)> = None;

    /// The constants above, together. For generated code.
    #[doc(hidden)]
    const KIND: ColumnKind = ColumnKind {
        storage: Self::STORAGE,
        nullable: Self::NULLABLE,
        variants: Self::VARIANTS,
        numbers: Self::NUMBERS,
        range: Self::RANGE,
    };

    /// Returns the SQL value.
    ///
    /// # Errors
    /// When the value has no SQL form, such as a `u64` above `i64::MAX` or a NaN.
    fn encode(&self) -> Result<Value<'_>, ValueError>;

    /// Returns the Rust value.
    ///
    /// # Errors
    /// When the SQL value is of another type or out of range.
    fn decode(value: Value<'_>) -> Result<Self, ValueError>;
}

/// Why a value could not be stored or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The SQL value has another type than the column's.
    #[error("expected {expected}, found {found}")]
    Type {
        /// The SQL type that the Rust type is stored as.
        expected: Storage,
        /// The SQL type of the value.
        found: &'static str,
    },
    /// A number does not fit.
    #[error("{value} is out of range for {target}")]
    OutOfRange {
        /// The number.
        value: String,
        /// The type it does not fit into.
        target: &'static str,
    },
    /// A NaN, which SQL cannot hold.
    #[error("NaN cannot be stored; use an Option to say that a number is missing")]
    NotANumber,
    /// A text that is not one of an enum's variants.
    #[error("\"{found}\" is not one of {variants:?}")]
    NotAVariant {
        /// The text.
        found: String,
        /// The texts of the enum's variants.
        variants: &'static [&'static str],
    },
    /// JSON that does not encode or decode.
    #[error("JSON: {0}")]
    Json(String),
    /// An error of an app's own [`ColumnType`].
    #[error("{0}")]
    Custom(String),
}

impl ValueError {
    /// Returns an error with a message of your own.
    #[must_use]
    pub fn custom(message: impl fmt::Display) -> Self {
        Self::Custom(message.to_string())
    }

    /// Returns the error for a text that is not one of `variants`.
    #[must_use]
    pub fn not_a_variant(found: &str, variants: &'static [&'static str]) -> Self {
        Self::NotAVariant { found: found.to_owned(), variants }
    }

    pub(crate) fn out_of_range(value: impl fmt::Display, target: &'static str) -> Self {
        Self::OutOfRange { value: value.to_string(), target }
    }
}

impl<'a> Value<'a> {
    /// Returns a text value.
    #[must_use]
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Returns a value of bytes.
    #[must_use]
    pub fn blob(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::Blob(bytes.into())
    }

    /// Returns the integer.
    ///
    /// # Errors
    /// [`ValueError::OutOfRange`] when it is a sum or product of integers that left 64 bits,
    /// [`ValueError::Type`] when it is something else.
    pub fn as_integer(&self) -> Result<i64, ValueError> {
        match self {
            Self::Integer(integer) => Ok(*integer),
            // Integers that leave 64 bits become a real number in SQLite.
            Self::Real(real) if real.abs() >= 2_f64.powi(63) => {
                Err(ValueError::out_of_range(format_args!("{real:e}"), "i64"))
            }
            other => Err(other.unexpected(Storage::Integer)),
        }
    }

    /// Returns the float; an integer is converted.
    ///
    /// # Errors
    /// [`ValueError::Type`] when it is something else.
    pub fn as_real(&self) -> Result<f64, ValueError> {
        match self {
            Self::Real(real) => Ok(*real),
            #[expect(clippy::cast_precision_loss, reason = "SQL's own conversion")]
            Self::Integer(integer) => Ok(*integer as f64),
            other => Err(other.unexpected(Storage::Real)),
        }
    }

    /// Returns the text.
    ///
    /// # Errors
    /// [`ValueError::Type`] when it is something else.
    pub fn as_text(&self) -> Result<&str, ValueError> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(other.unexpected(Storage::Text)),
        }
    }

    /// Returns the text, owned.
    ///
    /// # Errors
    /// [`ValueError::Type`] when it is something else.
    pub fn into_text(self) -> Result<String, ValueError> {
        match self {
            Self::Text(text) => Ok(text.into_owned()),
            other => Err(other.unexpected(Storage::Text)),
        }
    }

    /// Returns the bytes.
    ///
    /// # Errors
    /// [`ValueError::Type`] when it is something else.
    pub fn into_blob(self) -> Result<Vec<u8>, ValueError> {
        match self {
            Self::Blob(bytes) => Ok(bytes.into_owned()),
            other => Err(other.unexpected(Storage::Blob)),
        }
    }

    /// Returns the same value, borrowed from this one.
    #[must_use]
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(integer) => Value::Integer(*integer),
            Self::Real(real) => Value::Real(*real),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Blob(bytes) => Value::Blob(Cow::Borrowed(bytes)),
        }
    }

    /// Returns the same value, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(integer) => Value::Integer(integer),
            Self::Real(real) => Value::Real(real),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Blob(bytes) => Value::Blob(Cow::Owned(bytes.into_owned())),
        }
    }

    fn unexpected(&self, expected: Storage) -> ValueError {
        let found = match self {
            Self::Null => "NULL",
            Self::Integer(_) => "INTEGER",
            Self::Real(_) => "REAL",
            Self::Text(_) => "TEXT",
            Self::Blob(_) => "BLOB",
        };
        ValueError::Type { expected, found }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
            Self::Text => "TEXT",
            Self::Blob => "BLOB",
        })
    }
}
