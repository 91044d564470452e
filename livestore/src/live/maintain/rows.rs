//! Lists of one table: filtered, ordered, limited.

use std::cmp::Ordering;
use std::sync::Arc;

use super::gone::Gone;
use super::sorted::{Key, Sorted};
use super::{Hit, LiveCardinality, Maintain, News};
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

/// A list that follows each changed row, in steps.
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
    /// The rows that meet the conditions; in a window, the first of them, up to some beyond it.
    rows: Sorted<Entry<O>>,
    /// There are no rows beyond `rows`.
    complete: bool,
    /// From what the query's value was made of to what it is made of now.
    steps: Vec<Diff<O>>,
    /// The steps may lead back to where they began.
    may_cancel: bool,
    /// What the value was made of last, if it is not a list.
    shown: List<O>,
    diffs: Arc<DiffHub<O>>,
    cardinality: std::marker::PhantomData<fn() -> C>,
}

struct Entry<O> {
    key: Key,
    rowid: i64,
    row: Row<O>,
}

/// Why a change could not be followed.
enum Failed {
    /// A row is not where it must be: all have to be read again.
    Lost,
    Query(QueryError),
}

impl<O: Send + Sync + 'static, C: LiveCardinality<O>> Maintain<C::Value> for LiveRows<O, C> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<C::Value, QueryError> {
        self.complete = false;
        self.rows = self.read(0, &mut Gone::default(), reader)?.into_iter().collect();
        let rows = self.visible();
        self.diffs.reset(&rows);
        if !C::IS_LIST {
            self.shown = rows.clone();
        }
        C::value(&rows)
    }

    fn apply(
        &mut self,
        hits: &[Hit<'_>],
        reader: &Reader<'_>,
    ) -> Result<News<C::Value>, QueryError> {
        self.steps.clear();
        match self.follow(hits, reader) {
            Ok(()) if self.steps.is_empty() => Ok(News::Same),
            Ok(()) if C::IS_LIST => Ok(News::Edit),
            Ok(()) => {
                let rows = self.visible();
                if rows.is_same(&self.shown) {
                    return Ok(News::Same);
                }
                self.shown = rows;
                C::value(&self.shown).map(News::Another)
            }
            Err(Failed::Lost) => self.start(reader).map(News::Another),
            Err(Failed::Query(error)) => Err(error),
        }
    }

    fn edit(&mut self, value: &mut Arc<C::Value>) -> bool {
        let Some(list) = C::list_mut(value) else { return false };
        let before = self.steps_may_cancel().then(|| list.clone());
        self.steps.iter().for_each(|step| step.edit(list));
        if before.is_some_and(|before| before.is_same(list)) {
            // Rows moved about and ended where they were, as far as the query shows.
            return false;
        }
        self.diffs.send(&self.steps, list);
        true
    }
}

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
        select.order_by.push((Node::RowId(table), tie));
        Self {
            offset: rows(select.offset.unwrap_or(0)),
            limit: at_most.map(rows),
            select,
            interest,
            columns,
            decode,
            order,
            tie,
            width,
            rows: Sorted::default(),
            complete: false,
            steps: Vec::new(),
            may_cancel: false,
            shown: List::default(),
            diffs,
            cardinality: std::marker::PhantomData,
        }
    }

    /// Reads the rows from `from` on: all, or as many as a window wants.
    fn read(
        &mut self,
        from: usize,
        gone: &mut Gone<O>,
        reader: &Reader<'_>,
    ) -> Result<Vec<Entry<O>>, QueryError> {
        let most = self.limit.map(|_| self.end().saturating_add(SPARE) - from);
        self.select.limit = most.map(|most| most as u64);
        self.select.offset = most.map(|_| from as u64);
        let (width, decode, order) = (self.width, self.decode, self.order.len());
        let found = reader.select(&self.select, |row| {
            let values = |columns: std::ops::Range<usize>| {
                columns.map(|index| row.get_value(index)).collect::<Result<Vec<_>, _>>()
            };
            let known = match gone.is_empty() {
                true => None,
                false => gone.take(values(0..width)?.iter()),
            };
            let key = Key::new(values(width + 1..width + 1 + order)?);
            let row_id = row.get(width)?;
            Ok(Entry {
                key,
                rowid: row_id,
                row: known.map_or_else(|| decode(row).map(Row::new), Ok)?,
            })
        })?;
        self.complete = most.is_none_or(|most| found.len() < most);
        Ok(found)
    }

    /// Takes the changes in.
    fn follow(&mut self, hits: &[Hit<'_>], reader: &Reader<'_>) -> Result<(), Failed> {
        let mut gone = Gone::new(hits.len() > 1);
        let (mut freeing, mut others) = (Vec::new(), Vec::with_capacity(hits.len()));
        for hit in hits {
            let Rows::One { old, new } = hit.rows else { return Err(Failed::Lost) };
            let old = old.as_ref().filter(|old| self.interest.has(Some(old)));
            let new = new.as_ref().filter(|new| self.interest.has(Some(new)));
            match (old, new) {
                // A row id that one row gives up may be another's by now: it is freed first.
                (Some(before), after)
                    if hits.len() > 1 && after.is_none_or(|after| after.rowid != before.rowid) =>
                {
                    freeing.push(before);
                    others.push((None, after));
                }
                both => others.push(both),
            }
        }
        for image in freeing {
            if let Some(row) = self.remove(image)? {
                gone.put(shown_of(self.columns.as_deref(), image), row);
            }
        }
        for change in others {
            match change {
                (None, None) => {}
                (Some(old), None) => drop(self.remove(old)?),
                (None, Some(new)) => {
                    let row = gone.take(shown_of(self.columns.as_deref(), new));
                    self.insert(new, row, &mut gone)?;
                }
                (Some(old), Some(new)) => self.update(old, new, &mut gone)?,
            }
        }
        self.refill(&mut gone, reader)?;
        self.may_cancel = self.is_window() || gone.any_returned;
        Ok(())
    }

    /// Puts the row in; `row` if it is known already.
    fn insert(
        &mut self,
        image: &Image,
        row: Option<Row<O>>,
        gone: &mut Gone<O>,
    ) -> Result<(), Failed> {
        let Err(at) = self.search(image) else { return Err(Failed::Lost) };
        if at == self.rows.len() && !self.complete {
            gone.is_wanted |= self.is_short();
            if let Some(row) = row {
                gone.put(shown_of(self.columns.as_deref(), image), row);
            }
            return Ok(());
        }
        let row = row.map_or_else(|| self.row(image), Ok)?;
        self.rows.insert(at, Entry { key: self.key(image), rowid: image.rowid, row });
        self.note_insert(at);
        self.trim();
        Ok(())
    }

    /// Takes the row out, if it is among those that are kept.
    fn remove(&mut self, image: &Image) -> Result<Option<Row<O>>, Failed> {
        let Some(at) = self.find(image)? else { return Ok(None) };
        let entry = self.rows.remove(at);
        self.note_remove(at);
        Ok(entry.map(|entry| entry.row))
    }

    fn update(&mut self, old: &Image, new: &Image, gone: &mut Gone<O>) -> Result<(), Failed> {
        let same =
            shown_of(self.columns.as_deref(), old).eq(shown_of(self.columns.as_deref(), new));
        if !self.stands_the_same(old, new) {
            return match self.is_window() {
                true => {
                    let row = self.remove(old)?.filter(|_| same);
                    self.insert(new, row, gone)
                }
                false => self.relocate(old, new, same),
            };
        }
        if same {
            return Ok(());
        }
        let Some(at) = self.find(new)? else { return Ok(()) };
        let row = self.row(new)?;
        if let Some(entry) = self.rows.get_mut(at) {
            entry.row = row.clone();
        }
        if (self.offset..self.end()).contains(&at) {
            self.note(Diff::Update { index: at - self.offset, row });
        }
        Ok(())
    }

    /// The row of a whole list stands elsewhere; `same`: and shows what it showed.
    fn relocate(&mut self, old: &Image, new: &Image, same: bool) -> Result<(), Failed> {
        let from = self.find(old)?.ok_or(Failed::Lost)?;
        let row = self.rows.remove(from).map(|entry| entry.row).filter(|_| same);
        let row = row.map_or_else(|| self.row(new), Ok)?;
        let Err(to) = self.search(new) else { return Err(Failed::Lost) };
        self.rows.insert(to, Entry { key: self.key(new), rowid: new.rowid, row: row.clone() });
        if from != to {
            self.note(Diff::Move { from, to });
        }
        if !same {
            self.note(Diff::Update { index: to, row });
        }
        Ok(())
    }

    /// Reads what comes behind the rows that are kept, if they do not fill the window any more.
    fn refill(&mut self, gone: &mut Gone<O>, reader: &Reader<'_>) -> Result<(), Failed> {
        if self.is_short() {
            for entry in self.read(self.rows.len(), gone, reader)? {
                let at = self.rows.len();
                self.rows.insert(at, entry);
                self.note_insert(at);
            }
        }
        Ok(())
    }

    fn row(&self, image: &Image) -> Result<Row<O>, RowError> {
        let row = RowReader::of_values(&image.values, self.columns.as_deref());
        (self.decode)(&row).map(Row::new)
    }

    /// Whether the steps may lead back to where they began. A row that leaves here, and one that
    /// comes there, do not.
    fn steps_may_cancel(&self) -> bool {
        self.may_cancel
            && match &*self.steps {
                [Diff::Remove { index: from }, Diff::Insert { index: to, .. }] => from == to,
                steps => steps.len() > 1,
            }
    }

    /// The part of the rows that the query asks for.
    fn visible(&self) -> List<O> {
        let rows = self.rows.iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX));
        rows.map(|entry| entry.row.clone()).collect()
    }

    /// Whether the query shows a part of the rows only.
    fn is_window(&self) -> bool {
        self.limit.is_some() || self.offset > 0
    }

    /// Where the visible part ends.
    fn end(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| self.offset.saturating_add(limit))
    }

    /// Whether rows are missing that the query shows.
    fn is_short(&self) -> bool {
        !self.complete && self.rows.len() < self.end()
    }

    /// Does not let the spare rows become too many.
    fn trim(&mut self) {
        let most = self.end().saturating_add(2 * SPARE);
        while self.rows.len() > most {
            self.rows.remove(self.rows.len() - 1);
            self.complete = false;
        }
    }
}

/// Where rows stand.
impl<O, C> LiveRows<O, C> {
    fn key(&self, image: &Image) -> Key {
        Key::new(self.order.iter().map(|(column, _)| value(image, *column).clone()))
    }

    fn search(&self, image: &Image) -> Result<usize, usize> {
        self.rows.search(|entry| self.compare(entry, image))
    }

    /// Where the row is, if it is among those that are kept.
    fn find(&self, image: &Image) -> Result<Option<usize>, Failed> {
        match self.search(image) {
            Ok(at) => Ok(Some(at)),
            Err(_) if self.complete => Err(Failed::Lost),
            Err(_) => Ok(None),
        }
    }

    fn compare(&self, entry: &Entry<O>, image: &Image) -> Ordering {
        let by_value = entry.key.values().zip(&self.order);
        by_value
            .map(|(left, (column, direction))| {
                direct(order(left, value(image, *column)), *direction)
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| direct(entry.rowid.cmp(&image.rowid), self.tie))
    }

    fn stands_the_same(&self, old: &Image, new: &Image) -> bool {
        let same =
            |(column, _): &(usize, _)| order(value(old, *column), value(new, *column)).is_eq();
        old.rowid == new.rowid && self.order.iter().all(same)
    }
}

/// What the query shows of it.
impl<O, C> LiveRows<O, C>
where
    O: Send + Sync + 'static,
    C: LiveCardinality<O>,
{
    /// A row came to stand at `at`.
    fn note_insert(&mut self, at: usize) {
        let (shown, end) = (at.max(self.offset), self.end());
        if shown >= end {
            return;
        }
        let Some(row) = self.rows.get(shown).map(|entry| entry.row.clone()) else { return };
        self.note(Diff::Insert { index: shown - self.offset, row });
        if self.rows.len() > end {
            self.note(Diff::Remove { index: end - self.offset });
        }
    }

    /// The row at `at` went.
    fn note_remove(&mut self, at: usize) {
        let (shown, end) = (at.max(self.offset), self.end());
        let before = self.rows.len() + 1;
        if shown >= end.min(before) {
            return;
        }
        self.note(Diff::Remove { index: shown - self.offset });
        if before > end
            && let Some(row) = self.rows.get(end - 1).map(|entry| entry.row.clone())
        {
            self.note(Diff::Insert { index: end - 1 - self.offset, row });
        }
    }

    fn note(&mut self, step: Diff<O>) {
        self.steps.push(step);
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

fn value(image: &Image, column: usize) -> &Value<'static> {
    image.values.get(column).unwrap_or(&Value::Null)
}

fn direct(ordering: Ordering, direction: Direction) -> Ordering {
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}

impl From<RowError> for Failed {
    fn from(error: RowError) -> Self {
        Self::Query(error.into())
    }
}

impl From<QueryError> for Failed {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}
