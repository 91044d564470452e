//! Any serde type as a column.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{ColumnType, Storage, Value, ValueError, to_json};

/// A column that holds any serde type, as JSON text.
///
/// ```
/// use livestore::value::{ColumnType, Json};
///
/// let tags = Json(vec!["a", "b"]);
/// assert_eq!(tags.len(), 2);                       // derefs to what it holds
/// assert_eq!(serde_json::to_string(&tags).unwrap(), r#"["a","b"]"#);
/// ```
///
/// Equal values have equal texts: the keys of maps and the elements of hash sets are sorted. A value that
/// would be read as another one, such as a NaN or `Some(None)`, is an error.
///
/// A `Json<Vec<E>>` column can be filtered with
/// [`contains`](crate::table::Column::contains).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Json<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> ColumnType for Json<T> {
    type Base = Self;
    const STORAGE: Storage = Storage::Text;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        to_json(&self.0).map(Value::text).map_err(ValueError::Json)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        serde_json::from_str(value.as_text()?)
            .map(Self)
            .map_err(|error| ValueError::Json(error.to_string()))
    }
}

impl<T> std::ops::Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}
