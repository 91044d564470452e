//! Client documents: UI state that never leaves its client.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::{EventSet, Listed, Materialize, Schema};
use crate::event::{ArgsWriter, EncodeError, Subject};
use crate::table::{
    ColumnDef, MaterializeError, Query, QueryError, Reader, RowError, TableDef, Writer,
};
use crate::value::{ColumnType, ValueError, to_json};

/// A struct stored as one document per window, or under an explicit id.
///
/// `#[client_document]` implements it and generates [`Set`](Self::Set), the event that changes
/// some of its fields. The last write wins. A document that was never set is `Default::default()`.
///
/// ```
/// use livestore::prelude::*;
///
/// #[client_document]
/// #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
/// struct UiState { new_todo_text: String, zoom: u8 }
///
/// livestore::schema! { App { documents: [UiState] } }
///
/// let store = Store::<App>::builder("todos").open()?;
/// store.commit(UiState::set().new_todo_text("Buy milk"))?;
/// store.commit(UiState::set().zoom(2))?;
/// let ui = store.query(UiState::get())?;
/// assert_eq!(ui, UiState { new_todo_text: "Buy milk".into(), zoom: 2 });
/// # Ok::<(), livestore::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a client document",
    label = "not a client document",
    note = "add `#[client_document]` to the struct"
)]
pub trait Document: Default + Serialize + DeserializeOwned + 'static {
    /// The event that sets some fields.
    type Set: Materialize + Default;

    /// The document's name: its table's, and the start of its event's.
    const NAME: &'static str;

    /// The events of [`Set`](Self::Set). For generated code.
    #[doc(hidden)]
    const EVENTS: EventSet = <Subject<Self::Set> as Listed<Self::Set>>::EVENTS;

    /// The document's definition.
    fn def() -> &'static DocumentDef;

    /// The document of this window, or the one with the fixed id.
    fn get() -> GetDocument<Self> {
        GetDocument { id: None, of: PhantomData }
    }

    /// The document with this id.
    fn get_by(id: impl Into<String>) -> GetDocument<Self> {
        GetDocument { id: Some(id.into()), of: PhantomData }
    }

    /// The event that sets nothing yet; say what with its methods, and commit it.
    fn set() -> Self::Set {
        Self::Set::default()
    }

    /// Returns the event that makes this document equal to `after`: it sets the fields that differ.
    /// Returns `None` if none does.
    ///
    /// A screen that lets the user edit a copy of a document commits this event, so that the fields
    /// that were not edited stay what another screen makes them.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let before = store.query(UiState::get())?;
    /// let mut edited = before.clone();
    /// edited.new_todo_text.push_str("Milk");
    /// if let Some(set) = before.changes(&edited) {
    ///     store.commit(set)?;
    /// }
    /// assert_eq!(store.query(UiState::get())?, edited);
    /// assert!(edited.changes(&edited).is_none());
    /// # Ok(())
    /// # }
    /// ```
    fn changes(&self, after: &Self) -> Option<Self::Set>;
}

/// The fields of a client document that differ from another one's.
#[doc(hidden)]
pub struct ChangedFields {
    before: Map<String, Json>,
    after: Map<String, Json>,
}

impl ChangedFields {
    /// Compares two documents. Returns `None` if they are equal.
    pub fn between<D: Serialize>(before: &D, after: &D) -> Option<Self> {
        // A document without JSON differs in all fields: the commit says why it has none.
        let fields = |document: &D| {
            let json = to_json(document).ok()?;
            serde_json::from_str::<Map<String, Json>>(&json).ok()
        };
        let (before, after) =
            (fields(before).unwrap_or_default(), fields(after).unwrap_or_default());
        (before.is_empty() || before != after).then_some(Self { before, after })
    }

    /// Whether the field with this name differs.
    pub fn contains(&self, field: &str) -> bool {
        let (before, after) = (self.before.get(field), self.after.get(field));
        before.is_none() || before != after
    }
}

/// Proof that the client document `D` is part of the schema.
pub trait HasDocument<D>: Schema {}

/// A client document: its name, its key and its shape.
#[derive(Debug)]
pub struct DocumentDef {
    table: TableDef,
    key: DocumentKey,
    shape: &'static str,
}

/// The document that is meant when no id is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKey {
    /// One per window.
    Window,
    /// The one with this id.
    Fixed(&'static str),
}

impl DocumentDef {
    /// A document called `name`; `shape` changes when its fields do.
    pub const fn new(name: &'static str, key: DocumentKey, shape: &'static str) -> Self {
        const COLUMNS: &[ColumnDef] =
            &[ColumnDef::new("id", String::KIND), ColumnDef::new("value", String::KIND)];
        Self { table: TableDef::new(name, COLUMNS, &[0]), key, shape }
    }

    pub(crate) const fn table(&self) -> &TableDef {
        &self.table
    }

    pub(crate) const fn shape(&self) -> &'static str {
        self.shape
    }

    fn id<'a>(&self, id: Option<&'a str>, window_id: &'a str) -> &'a str {
        match (id, self.key) {
            (Some(id), _) => id,
            (None, DocumentKey::Window) => window_id,
            (None, DocumentKey::Fixed(id)) => id,
        }
    }
}

/// A client document, to be queried.
pub struct GetDocument<D> {
    id: Option<String>,
    of: PhantomData<fn() -> D>,
}

impl<D: Document> GetDocument<D> {
    /// The id of the document.
    pub(crate) fn document_id<'a>(&'a self, reader: &Reader<'a>) -> &'a str {
        D::def().id(self.id.as_deref(), reader.window_id())
    }
}

#[diagnostic::do_not_recommend]
impl<D: Document> Query for GetDocument<D> {
    type Output = D;

    fn run(&self, reader: &Reader<'_>) -> Result<D, QueryError> {
        let id = self.document_id(reader);
        match reader.document(D::def().table(), id)? {
            Some(json) => Ok(parse(&json)?),
            None => Ok(D::default()),
        }
    }
}

fn parse<D: Document>(json: &str) -> Result<D, RowError> {
    serde_json::from_str(json).map_err(|error| RowError {
        column: format!("{}.value", D::NAME),
        source: ValueError::Json(error.to_string()),
    })
}

impl ArgsWriter<'_> {
    /// Writes a set event of document `D`.
    ///
    /// # Errors
    /// When `write` fails.
    pub fn document<D: Document>(
        &mut self,
        id: Option<&str>,
        write: impl FnOnce(&mut ArgsWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let id = D::def().id(id, self.window_id()).to_owned();
        self.document_fields(&id, write)
    }
}

impl Writer<'_> {
    /// Changes a client document, from its default if it was never set.
    ///
    /// # Errors
    /// When the stored document does not decode or the new one does not encode.
    pub fn update_document<D: Document>(
        &mut self,
        id: Option<&str>,
        update: impl FnOnce(&mut D),
    ) -> Result<(), MaterializeError> {
        let id = D::def().id(id, self.window_id()).to_owned();
        let mut document = self.query(D::get_by(id.as_str()))?;
        update(&mut document);
        let json = to_json(&document).map_err(MaterializeError::custom)?;
        self.put_document(D::def().table(), &id, &json)
    }
}

impl<D> Clone for GetDocument<D> {
    fn clone(&self) -> Self {
        Self { id: self.id.clone(), of: PhantomData }
    }
}

impl<D> fmt::Debug for GetDocument<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetDocument").field("id", &self.id).finish()
    }
}
