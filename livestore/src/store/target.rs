//! What a [`Feed`](super::Feed) writes to.

use std::error::Error;
use std::fmt;

use crate::event::SeqNum;
use crate::table::Table;

/// A place outside of the store that has the rows of one table: a search index, another database, a folder.
///
/// A [`Feed`](super::Feed) brings it up to date. The target stores the [`Cursor`] of what it has together with
/// it, in one transaction. The next feed continues there: it passes exactly the changes behind the cursor,
/// so that each event has its effect once, however often the process ends in between.
///
/// A target that cannot store both in one transaction is also right, as long as it stores the cursor last and
/// writing a row again does no harm: changes state what a row is, not what is done to it.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::convert::Infallible;
/// use livestore::prelude::*;
/// use livestore::store::{Cursor, RowChange, Target};
/// # use livestore_testing::sample::notes::{App, Note, NoteEvent, added};
///
/// /// The number of notes with each word.
/// #[derive(Default)]
/// struct Words {
///     counts: BTreeMap<String, usize>,
///     cursor: Option<Cursor>,
/// }
///
/// impl Words {
///     fn add(&mut self, note: &Note) {
///         note.text.split(' ').for_each(|word| *self.counts.entry(word.to_owned()).or_default() += 1);
///     }
///
///     fn remove(&mut self, note: &Note) {
///         for word in note.text.split(' ') {
///             self.counts.entry(word.to_owned()).and_modify(|count| *count -= 1);
///         }
///         self.counts.retain(|_, count| *count > 0);
///     }
/// }
///
/// impl Target for Words {
///     type Row = Note;
///     type Error = Infallible;
///
///     fn cursor(&mut self) -> Result<Option<Cursor>, Infallible> {
///         Ok(self.cursor.clone())
///     }
///
///     fn replace(&mut self, notes: Vec<Note>, cursor: &Cursor) -> Result<(), Infallible> {
///         self.counts.clear();
///         notes.iter().for_each(|note| self.add(note));
///         self.cursor = Some(cursor.clone());
///         Ok(())
///     }
///
///     fn apply(&mut self, changes: Vec<RowChange<Note>>, cursor: &Cursor) -> Result<(), Infallible> {
///         for change in &changes {
///             change.before().into_iter().for_each(|note| self.remove(note));
///             change.after().into_iter().for_each(|note| self.add(note));
///         }
///         self.cursor = Some(cursor.clone());
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Store::<App>::builder("notes").open()?;
/// store.commit(added("milk"))?;                                           // "text of milk"
/// let mut feed = store.feed(Words::default())?;
/// feed.update()?;
/// store.commit(NoteEvent::Changed { id: "milk".into(), text: "oat milk".into() })?;
/// feed.update()?;
/// assert_eq!(feed.target().counts, BTreeMap::from([("milk".into(), 1), ("oat".into(), 1)]));
/// # Ok(())
/// # }
/// ```
pub trait Target {
    /// The table whose rows it has.
    type Row: Table;
    /// Why it could not be read or written.
    type Error: Error + 'static;

    /// Returns the cursor that was stored last. `None` if there is none, or if what the target has is not to be
    /// trusted: then it gets [all rows](Self::replace).
    ///
    /// # Errors
    /// When it cannot be read.
    fn cursor(&mut self) -> Result<Option<Cursor>, Self::Error>;

    /// Makes these rows, and no others, the rows of the target, and stores the cursor.
    ///
    /// It is called when nothing, or nothing that still holds, is behind the target's cursor: for a new target,
    /// after the schema has changed, or where events that the target has were rebased while no feed was there.
    ///
    /// # Errors
    /// When it cannot be written. The feed passes the rows again with the next
    /// [`update`](super::Feed::update).
    fn replace(&mut self, rows: Vec<Self::Row>, cursor: &Cursor) -> Result<(), Self::Error>;

    /// Applies the changes that lead to the cursor, and stores it. Each row, named by its primary key, is
    /// changed once; deletions come first.
    ///
    /// `changes` is empty if the events since the last cursor have changed no row of the table. It costs
    /// nothing but time if the target does not store such a cursor.
    ///
    /// # Errors
    /// When it cannot be written. The feed passes the changes again with the next
    /// [`update`](super::Feed::update), together with later ones.
    fn apply(
        &mut self,
        changes: Vec<RowChange<Self::Row>>,
        cursor: &Cursor,
    ) -> Result<(), Self::Error>;
}

/// A place in the history of a store: an event, and a fingerprint of all events up to it.
///
/// It is a text, for the target to store. Two cursors are equal if the rows at both are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    pub(super) fn new(seq: SeqNum, identity: &str) -> Self {
        Self(format!("{seq} {identity}"))
    }

    /// Returns a cursor that was stored as text. One that no store has made is the cursor of nothing.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the number of its event.
    pub fn seq(&self) -> Option<SeqNum> {
        self.0.split_once(' ')?.0.parse().ok()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The change of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChange<T> {
    /// It is new.
    Inserted(T),
    /// It has other values.
    Updated {
        /// The row as it was.
        before: T,
        /// The row as it is.
        after: T,
    },
    /// It is gone.
    Deleted(T),
}

impl<T> RowChange<T> {
    /// Returns the row as it was, if it was there.
    pub fn before(&self) -> Option<&T> {
        match self {
            Self::Inserted(_) => None,
            Self::Updated { before, .. } | Self::Deleted(before) => Some(before),
        }
    }

    /// Returns the row as it is, if it is there.
    pub fn after(&self) -> Option<&T> {
        match self {
            Self::Inserted(after) | Self::Updated { after, .. } => Some(after),
            Self::Deleted(_) => None,
        }
    }
}
