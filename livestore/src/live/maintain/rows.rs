//! Lists of one table: filtered, ordered, limited.

use std::cmp::Ordering;
use std::sync::Arc;

use super::gone::Gone;
use super::{Hit, LiveCardinality, Maintain};
use crate::live::diff::{Diff, DiffHub};
use crate::live::interest::Interest;
use crate::live::list::{List, Row};
use crate::sqlite::{Image, Rows};
use crate::table::{
    ColumnRef, Direction, Node, QueryError, Reader, RowError, RowReader, SelectAst, order,
};
use crate::value::Value;

/// Rows kept beyond a limit, so that one which moves up is at hand. Few in tests, to run out of.
const SPARE: usize = if cfg!(test) { 2 } else { 64 };

/// A list that follows each changed row.
pub(in crate::live) struct LiveRows<O, C> {
    /// The query with, behind its own columns, the row id and what it is ordered by.
    select: SelectAst,
    interest: Interest,
    /// Where the query's columns stand in the table; `None`: they are the table's.
    columns: Option<Vec<usize>>,
    decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    order: Vec<(usize, Direction)>,
    /// Of rows that are ordered alike.
    tie: Direction,
    /// How many of the query's own columns there are.
    width: usize,
    offset: usize,
    limit: Option<usize>,
    /// The keys of `rows`, in order.
    keys: List<Key>,
    /// Every row that meets the conditions, up to some beyond the limit.
    rows: List<O>,
    /// There are no rows beyond `rows`.
    complete: bool,
    /// What the query's value was made of last.
    shown: List<O>,
    diffs: Arc<DiffHub<O>>,
    steps: Vec<Diff<O>>,
    /// While changes are taken: rows that went, of which equal ones may come back.
    gone: Option<Gone<O>>,
    cardinality: std::marker::PhantomData<fn() -> C>,
}

/// What a row is ordered by.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    values: Box<[Value<'static>]>,
    rowid: i64,
}

/// The list cannot be followed step by step any more: it has to be read again.
struct Lost;

impl<O: Send + Sync + 'static, C: LiveCardinality<O>> LiveRows<O, C> {
    /// The list of a SELECT that has nothing but columns of one table.
    pub(in crate::live) fn new(
        select: &SelectAst,
        interest: Interest,
        decode: fn(&RowReader<'_>) -> Result<O, RowError>,
        diffs: Arc<DiffHub<O>>,
    ) -> Self {
        let table = select.from;
        let column = |node: &Node| match node {
            Node::Column(column) => Some(column.index),
            _ => None,
        };
        let columns: Option<Vec<usize>> =
            (!select.list.is_empty()).then(|| select.list.iter().filter_map(column).collect());
        let order: Vec<_> = select
            .order_by
            .iter()
            .filter_map(|(node, direction)| Some((column(node)?, *direction)))
            .collect();
        let tie = order.last().map_or(Direction::Ascending, |(_, direction)| *direction);
        let rows = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let at_most = select.limit.into_iter().chain(C::AT_MOST).min();
        let width = columns.as_ref().map_or(table.columns.len(), Vec::len);

        let mut select = select.clone();
        if select.list.is_empty() {
            let all =
                (0..table.columns.len()).map(|index| Node::Column(ColumnRef { table, index }));
            select.list = all.collect();
        }
        select.list.push(Node::RowId(table));
        select.list.extend(select.order_by.iter().map(|(node, _)| *node));
        let offset = rows(select.offset.take().unwrap_or(0));
        let limit = at_most.map(rows);
        select.limit =
            limit.map(|limit| (offset.saturating_add(limit).saturating_add(SPARE)) as u64);
        select.order_by.push((Node::RowId(table), tie));
        Self {
            select,
            interest,
            columns,
            decode,
            order,
            tie,
            width,
            offset,
            limit,
            keys: List::default(),
            rows: List::default(),
            complete: true,
            shown: List::default(),
            diffs,
            steps: Vec::new(),
            gone: None,
            cardinality: std::marker::PhantomData,
        }
    }

    fn load(&mut self, reader: &Reader<'_>) -> Result<(), QueryError> {
        let (width, decode, order) = (self.width, self.decode, self.order.len());
        let found = reader.select(&self.select, |row| {
            let values = (width + 1..width + 1 + order).map(|index| row.get_value(index));
            let key = Key { values: values.collect::<Result<_, _>>()?, rowid: row.get(width)? };
            Ok((key, decode(row)?))
        })?;
        self.complete = self.select.limit.is_none_or(|limit| (found.len() as u64) < limit);
        let (keys, rows): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        self.keys = keys.into_iter().map(Row::new).collect();
        self.rows = rows.into_iter().map(Row::new).collect();
        Ok(())
    }

    /// The part of the rows that the query asks for.
    fn visible(&self) -> List<O> {
        match (self.offset, self.limit) {
            (0, None) => self.rows.clone(),
            (offset, limit) => {
                let rows = self.rows.iter_from(offset).take(limit.unwrap_or(usize::MAX));
                rows.cloned().collect()
            }
        }
    }

    fn key(&self, image: &Image) -> Key {
        let value = |(column, _): &(usize, Direction)| {
            image.values.get(*column).cloned().unwrap_or(Value::Null)
        };
        Key { values: self.order.iter().map(value).collect(), rowid: image.rowid }
    }

    fn order(&self, left: &Key, right: &Key) -> Ordering {
        let directed = |ordering: Ordering, direction| match direction {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        };
        let by_value = left.values.iter().zip(&right.values).zip(&self.order);
        by_value
            .map(|((left, right), (_, direction))| directed(order(left, right), *direction))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| directed(left.rowid.cmp(&right.rowid), self.tie))
    }

    /// Where the key stands, or would.
    fn position(&self, key: &Key) -> usize {
        self.keys.partition_point(|other| self.order(other, key).is_lt())
    }

    fn change(&mut self, old: Option<&Image>, new: Option<&Image>) -> Result<bool, ChangeError> {
        let (was, is) = (self.interest.has(old), self.interest.has(new));
        match (old.filter(|_| was), new.filter(|_| is)) {
            (None, None) => Ok(false),
            (Some(old), None) => {
                let removed = self.remove(&self.key(old))?;
                if let (Some(gone), Some(row)) = (&mut self.gone, removed.row) {
                    gone.put(shown_of(self.columns.as_deref(), old), row);
                }
                Ok(removed.visible)
            }
            (None, Some(new)) => {
                let shown = shown_of(self.columns.as_deref(), new);
                let row = self.gone.as_mut().and_then(|gone| gone.take(shown));
                self.insert(self.key(new), new, row)
            }
            (Some(old), Some(new)) => self.update(old, new),
        }
    }

    /// Puts the row in; `row` if it is known already. Says whether that shows.
    fn insert(
        &mut self,
        key: Key,
        image: &Image,
        row: Option<Row<O>>,
    ) -> Result<bool, ChangeError> {
        let at = self.position(&key);
        if at == self.keys.len() && !self.complete {
            return Ok(false);
        }
        let row = row.map_or_else(|| self.row(image), Ok)?;
        let before = self.rows.len();
        self.keys.insert(at, Row::new(key));
        self.rows.insert(at, row);
        let visible = self.note_insert(at, before);
        self.trim();
        Ok(visible)
    }

    fn remove(&mut self, key: &Key) -> Result<Removed<O>, ChangeError> {
        let at = self.position(key);
        if self.keys.get(at).is_none_or(|found| **found != *key) {
            // It may be beyond what is kept; if all is kept, it must be there.
            let beyond = Removed { row: None, visible: false };
            return if self.complete { Err(ChangeError::Lost(Lost)) } else { Ok(beyond) };
        }
        let before = self.rows.len();
        self.keys.remove(at);
        let row = self.rows.remove(at);
        if !self.complete && self.rows.len() < self.end() {
            return Err(ChangeError::Lost(Lost));
        }
        Ok(Removed { row, visible: self.note_remove(at, before) })
    }

    fn update(&mut self, old: &Image, new: &Image) -> Result<bool, ChangeError> {
        let (from, to) = (self.key(old), self.key(new));
        let same = self.shows_the_same(old, new);
        if from != to {
            return self.relocate(&from, to, new, same);
        }
        if same {
            return Ok(false);
        }
        let at = self.position(&to);
        if self.keys.get(at).is_none_or(|found| **found != to) {
            return if self.complete { Err(ChangeError::Lost(Lost)) } else { Ok(false) };
        }
        let row = self.row(new)?;
        self.rows.replace(at, row.clone());
        let visible = (self.offset..self.end()).contains(&at);
        if visible {
            self.note(|offset| Diff::Update { index: at - offset, row });
        }
        Ok(visible)
    }

    /// The row stands elsewhere; `same`: and shows what it showed.
    fn relocate(
        &mut self,
        from: &Key,
        to: Key,
        new: &Image,
        same: bool,
    ) -> Result<bool, ChangeError> {
        if self.is_window() {
            let removed = self.remove(from)?;
            let inserted = self.insert(to, new, removed.row.filter(|_| same))?;
            return Ok(removed.visible || inserted);
        }
        let at = self.position(from);
        if self.keys.get(at).is_none_or(|found| **found != *from) {
            return Err(ChangeError::Lost(Lost));
        }
        self.keys.remove(at);
        let row = self.rows.remove(at).filter(|_| same).map_or_else(|| self.row(new), Ok)?;
        let target = self.position(&to);
        self.keys.insert(target, Row::new(to));
        self.rows.insert(target, row.clone());
        if at != target {
            self.note(|_| Diff::Move { from: at, to: target });
        }
        if !same {
            self.note(|_| Diff::Update { index: target, row });
        }
        Ok(at != target || !same)
    }

    fn shows_the_same(&self, old: &Image, new: &Image) -> bool {
        match &self.columns {
            None => old.values == new.values,
            Some(columns) => {
                columns.iter().all(|&column| old.values.get(column) == new.values.get(column))
            }
        }
    }

    fn row(&self, image: &Image) -> Result<Row<O>, RowError> {
        let row = RowReader::of_values(&image.values, self.columns.as_deref());
        (self.decode)(&row).map(Row::new)
    }

    /// Whether the query shows a part of the rows only.
    fn is_window(&self) -> bool {
        self.limit.is_some() || self.offset > 0
    }

    /// Where the visible part ends.
    fn end(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| self.offset.saturating_add(limit))
    }

    /// Does not let the spare rows become too many.
    fn trim(&mut self) {
        let most = self.end().saturating_add(2 * SPARE);
        while self.rows.len() > most {
            self.keys.remove(self.rows.len() - 1);
            self.rows.remove(self.rows.len() - 1);
            self.complete = false;
        }
    }

    /// A row came to stand at `at`; there were `before`. Says whether that shows.
    fn note_insert(&mut self, at: usize, before: usize) -> bool {
        let (shown, end) = (at.max(self.offset), self.end());
        if shown >= end {
            return false;
        }
        let Some(row) = self.rows.get(shown).cloned() else { return false };
        self.note(|offset| Diff::Insert { index: shown - offset, row });
        if before >= end {
            self.note(|offset| Diff::Remove { index: end - offset });
        }
        true
    }

    /// The row at `at` went; there were `before`. Says whether that shows.
    fn note_remove(&mut self, at: usize, before: usize) -> bool {
        let (shown, end) = (at.max(self.offset), self.end());
        if shown >= end.min(before) {
            return false;
        }
        self.note(|offset| Diff::Remove { index: shown - offset });
        if before > end
            && let Some(row) = self.rows.get(end - 1).cloned()
        {
            self.note(|offset| Diff::Insert { index: end - 1 - offset, row });
        }
        true
    }

    fn note(&mut self, step: impl FnOnce(usize) -> Diff<O>) {
        if self.diffs.is_wanted() {
            let step = step(self.offset);
            self.steps.push(step);
        }
    }
}

/// What the row shows: these columns, or all.
fn shown_of<'a>(
    columns: Option<&'a [usize]>,
    image: &'a Image,
) -> impl Iterator<Item = &'a Value<'static>> + Clone {
    let chosen = columns.unwrap_or_default().iter().filter_map(|&column| image.values.get(column));
    let all = if columns.is_none() { &*image.values } else { &[] };
    chosen.chain(all)
}

/// What became of a row that went.
struct Removed<O> {
    /// The row, if it was among those that are kept.
    row: Option<Row<O>>,
    /// Whether it was seen.
    visible: bool,
}

/// Why a change could not be followed.
enum ChangeError {
    Lost(Lost),
    Row(RowError),
}

impl From<RowError> for ChangeError {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

impl<O: Send + Sync + 'static, C: LiveCardinality<O>> Maintain<C::Value> for LiveRows<O, C> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<C::Value, QueryError> {
        self.load(reader)?;
        let rows = self.visible();
        self.shown = rows.clone();
        self.diffs.send(&[Diff::Reset { rows: rows.clone() }], &rows);
        C::value(&rows)
    }

    fn apply(
        &mut self,
        hits: &[Hit<'_>],
        reader: &Reader<'_>,
    ) -> Result<Option<C::Value>, QueryError> {
        let mut changed = false;
        self.steps.clear();
        self.gone = Gone::among(hits);
        for hit in hits {
            let Rows::One { old, new } = hit.rows else {
                return self.start(reader).map(Some);
            };
            match self.change(old.as_ref(), new.as_ref()) {
                Ok(visible) => changed |= visible,
                Err(ChangeError::Lost(Lost)) => return self.start(reader).map(Some),
                Err(ChangeError::Row(error)) => {
                    // The rows are half changed; the next change reads them anew.
                    self.complete = false;
                    self.keys = List::default();
                    self.rows = List::default();
                    return Err(error.into());
                }
            }
        }
        if !changed {
            return Ok(None);
        }
        let rows = self.visible();
        let returned = self.gone.take().is_some_and(|gone| gone.any_returned);
        if (self.is_window() || returned) && rows.is_same(&self.shown) {
            // Rows moved about and ended where they were, as far as the query shows.
            return Ok(None);
        }
        self.shown = rows.clone();
        let steps = std::mem::take(&mut self.steps);
        if !steps.is_empty() {
            self.diffs.send(&steps, &rows);
        }
        C::value(&rows).map(Some)
    }
}
