//! Rust values that may stand beside a column, in a comparison or an assignment.

use super::{ColumnType, Value, ValueError};

/// A Rust value that may be compared with, or assigned to, a column of type `V`.
///
/// That is `V`, `&V`, for a nullable column also the value without its `Option`, and for text
/// columns `&str`.
#[diagnostic::on_unimplemented(
    message = "a column of type `{V}` cannot be compared with or set to `{Self}`",
    label = "expected a `{V}`"
)]
pub trait Operand<V> {
    /// The SQL value.
    ///
    /// # Errors
    /// When the value has no SQL form.
    fn into_value(self) -> Result<Value<'static>, ValueError>;
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType> Operand<V> for V {
    fn into_value(self) -> Result<Value<'static>, ValueError> {
        self.encode().map(Value::into_owned)
    }
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType> Operand<V> for &V {
    fn into_value(self) -> Result<Value<'static>, ValueError> {
        self.encode().map(Value::into_owned)
    }
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType> Operand<Option<V>> for V {
    fn into_value(self) -> Result<Value<'static>, ValueError> {
        self.encode().map(Value::into_owned)
    }
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType> Operand<Option<V>> for &V {
    fn into_value(self) -> Result<Value<'static>, ValueError> {
        self.encode().map(Value::into_owned)
    }
}

/// The borrowed forms of text.
macro_rules! text_operand {
    ($($column:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Operand<$column> for &str {
            fn into_value(self) -> Result<Value<'static>, ValueError> {
                Ok(Value::text(self.to_owned()))
            }
        }
    )*};
}

text_operand!(String, Option<String>);
