//! Full-text search.

use super::predicate::Predicate;
use super::{Condition, Relation, Table, alias};
use crate::sqlite::words_of;
use crate::value::ColumnType;

/// A table with columns that are searched: those that are marked `#[column(search)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no columns to search",
    label = "mark its texts that are to be searched with `#[column(search)]`"
)]
pub trait Searchable: Table {}

/// Full-text search in a table, or in an alias of it.
pub trait Search: Relation {
    /// Has all words of the text, in the columns that are marked `#[column(search)]`. It is a condition
    /// like any other: [`filter`](super::Narrow::filter) by it, and add others, an order and a limit.
    ///
    /// ```
    /// use livestore::prelude::*;
    ///
    /// #[table]
    /// struct Issue {
    ///     #[column(primary_key)]
    ///     id: String,
    ///     #[column(search)]
    ///     title: String,
    ///     #[column(search)]
    ///     description: Option<String>,
    ///     closed: bool,
    /// }
    /// # #[derive(Event)] #[event(name = "v1.Reported")] struct Reported { title: String, description: String }
    /// # impl Materialize for Reported {
    /// #     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
    /// #         let Self { title, description } = self;
    /// #         state.insert(&Issue { id: title.clone(), title: title.clone(), description: Some(description.clone()), closed: false })
    /// #     }
    /// # }
    /// # livestore::schema! { App { tables: [Issue], events: [Reported] } }
    /// # let store = Store::<App>::builder("issues").open()?;
    /// # store.commit(Reported { title: "Crash at startup".into(), description: "A réport from the café".into() })?;
    /// // As somebody types it: each word may be the beginning of a word.
    /// let found = Issue::filter(Issue::search("crash rep").and(Issue::CLOSED.eq(false)));
    /// assert_eq!(store.query(found.count())?, 1);
    /// # Ok::<(), livestore::Error>(())
    /// ```
    ///
    /// A row is found if each word of the text is the beginning of one of the row's words, in whichever
    /// column. Case and accents make no difference: `"cafe"` finds `"Café"`. Words are what stands between
    /// spaces and punctuation; one that has punctuation in it, such as `"re-open"`, finds its parts side by side.
    /// Nothing is syntax: quotes, `AND`, `*` or `-` are never an error.
    ///
    /// A text without a letter or digit finds every row, as an empty search field should. Of a text, the
    /// first 1,000 characters and 32 words count. In languages that put no spaces between words, such as
    /// Chinese, a word is found by what its sentence begins with: use
    /// [`contains_text`](super::Column::contains_text) for these.
    ///
    /// The first search of a table makes an index of its texts in memory, and the next ones read again
    /// what has changed. As a live query, a search runs again when a text changes.
    ///
    /// A materializer cannot search, since what is found depends on the version of SQLite: that is a
    /// [`SearchInMaterializer`](super::QueryError::SearchInMaterializer).
    fn search(text: impl AsRef<str>) -> Condition<Self>
    where
        Self: Sized,
        Self::Table: Searchable,
    {
        let words = words_of(text.as_ref());
        Condition::new(match words.is_empty() {
            true => Predicate::all([]),
            false => Predicate::Search(alias::reference::<Self>(), words),
        })
    }
}

#[diagnostic::do_not_recommend]
impl<T: Relation> Search for T {}

/// A type of column that can be searched.
#[diagnostic::on_unimplemented(
    message = "a column of type `{Self}` cannot be searched",
    label = "expected `String` or `Option<String>`"
)]
pub trait SearchedColumn {}

#[diagnostic::do_not_recommend]
impl<V: ColumnType<Base = String>> SearchedColumn for V {}

/// Fails to compile if columns of this type cannot be searched.
pub const fn assert_searched<V: SearchedColumn>() {}
