//! Rows, each with the rows that belong to it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use super::ast::{ColumnRef, Comparison, Direction, Expression, OrderBy, SelectAst};
use super::predicate::Predicate;
use super::{On, Query, QueryError, Reader, Row, RowError, RowReader, Select, Table, order};
use crate::value::Value;

/// A query for rows of the table `P`, each with the rows of the table `C` that belong to it.
/// [`Select::nest`] makes it.
pub struct Nested<P: Table, C: Table> {
    parents: SelectAst,
    pub(crate) children: Children,
    of: PhantomData<fn() -> (P, C)>,
}

impl<P: Table> Select<P> {
    /// With the rows of another table that belong to each row: all of `children` whose columns are equal to
    /// the row's, as `on` says. A row without any has an empty list.
    ///
    /// Filters, the order and the limit of `children` are for the rows of each parent: the three newest
    /// comments of each issue are `Comment::all().order_by(Comment::CREATED_AT.desc()).limit(3)`.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # #[table] #[derive(Debug)] struct Issue { #[column(primary_key)] id: String, title: String }
    /// # #[table] #[derive(Debug)] struct Comment { #[column(primary_key)] id: String, #[column(index)] issue: String, text: String }
    /// # #[derive(Event)] #[event(name = "v1.Commented")] struct Commented { issue: String, text: String }
    /// # impl Materialize for Commented {
    /// #     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
    /// #         let Self { issue, text } = self;
    /// #         state.upsert(&Issue { id: issue.clone(), title: String::new() })?;
    /// #         state.insert(&Comment { id: text.clone(), issue: issue.clone(), text: text.clone() })
    /// #     }
    /// # }
    /// # livestore::schema! { App { tables: [Issue, Comment], events: [Commented] } }
    /// # let store = Store::<App>::builder("issues").open()?;
    /// let with_comments = Issue::all()
    ///     .order_by(Issue::TITLE)
    ///     .nest(Issue::ID.on(Comment::ISSUE), Comment::all().order_by(Comment::TEXT));
    /// let issues = store.live(with_comments)?;
    /// store.commit(Commented { issue: "a".into(), text: "Me, too".into() })?;
    /// let issue = &issues.get()[0];                       // derefs to the row
    /// assert_eq!((&*issue.id, issue.children().len()), ("a", 1));
    /// # Ok::<(), livestore::Error>(())
    /// ```
    ///
    /// [`Store::query`](crate::Store::query) returns a `Vec<(Issue, Vec<Comment>)>`. As a live query, it is a
    /// list of [`Parent`](crate::live::Parent)s, updated row by row: a change of a child costs
    /// reading that parent's children. An index of the child's column serves that, and one of the parent's, if
    /// it is not the primary key.
    #[must_use]
    pub fn nest<C: Table>(self, on: On<P, C>, children: Select<C>) -> Nested<P, C> {
        Nested::new(self.ast, on.pairs, children.ast)
    }
}

impl<P: Table, C: Table> Nested<P, C> {
    pub(crate) fn new(
        mut parents: SelectAst,
        on: Vec<(ColumnRef, ColumnRef)>,
        children: SelectAst,
    ) -> Self {
        let (links, columns): (Vec<_>, Vec<_>) = on.into_iter().unzip();
        parents.list = parents.all_columns().chain(links).map(Expression::Column).collect();
        Self { parents, children: Children { select: children, columns }, of: PhantomData }
    }

    /// The query for the parents. Behind their own columns, it has those of their link.
    pub(crate) fn parents(&self) -> &SelectAst {
        &self.parents
    }

    /// The parents' columns that link them.
    pub(crate) fn links(&self) -> Vec<ColumnRef> {
        let links = self.parents.list.iter().skip(self.parents.from.columns.len());
        links.filter_map(|node| node.column()).collect()
    }
}

/// The values that link a parent to its children.
#[derive(Debug, Clone)]
pub(crate) struct LinkValue(Vec<Value<'static>>);

impl LinkValue {
    /// Reads the link of a parent, which has `columns` columns, behind the parent's own.
    pub(crate) fn read<P: Table>(row: &RowReader<'_>, columns: usize) -> Result<Self, RowError> {
        let width = P::def().columns.len();
        (width..width + columns)
            .map(|index| row.get_value(index))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// `NULL` links nothing.
    fn is_null(&self) -> bool {
        self.0.contains(&Value::Null)
    }

    /// The conditions that the columns have these values.
    pub(crate) fn filters(&self, columns: &[ColumnRef]) -> impl Iterator<Item = Predicate> {
        let both = columns.iter().zip(&self.0);
        both.map(|(column, value)| Predicate::Compare(*column, Comparison::Is, value.clone()))
    }
}

impl Ord for LinkValue {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_value = self.0.iter().zip(&other.0).map(|(left, right)| order(left, right));
        by_value.fold(Ordering::Equal, Ordering::then)
    }
}

impl PartialOrd for LinkValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for LinkValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for LinkValue {}

/// The query for the children of all parents.
#[derive(Debug, Clone)]
pub(crate) struct Children {
    pub(crate) select: SelectAst,
    /// The columns that are equal to the parent's.
    pub(crate) columns: Vec<ColumnRef>,
}

impl Children {
    /// The link that a row, with these values, has to its parents; `None` if it has none.
    pub(crate) fn link(&self, values: &[Value<'static>]) -> Option<LinkValue> {
        let value = |column: &ColumnRef| values.get(column.index).cloned();
        self.columns
            .iter()
            .map(value)
            .collect::<Option<_>>()
            .map(LinkValue)
            .filter(|it| !it.is_null())
    }

    /// Reads the children of one parent.
    pub(crate) fn of<R>(
        &self,
        link: &LinkValue,
        reader: &Reader<'_>,
        read: impl FnMut(&RowReader<'_>) -> Result<R, RowError>,
    ) -> Result<Vec<R>, QueryError> {
        if link.is_null() {
            return Ok(Vec::new());
        }
        let mut select = self.select.clone();
        select.filters.extend(link.filters(&self.columns));
        reader.select(&select, read)
    }

    /// Reads the children of several parents, if possible in one query.
    pub(crate) fn of_all<R>(
        &self,
        links: impl IntoIterator<Item = LinkValue>,
        reader: &Reader<'_>,
        mut read: impl FnMut(&RowReader<'_>) -> Result<R, RowError>,
    ) -> Result<BTreeMap<LinkValue, Vec<R>>, QueryError> {
        let mut found: BTreeMap<_, _> = links.into_iter().map(|link| (link, Vec::new())).collect();
        let select = &self.select;
        let of_each = select.limit.is_some() || select.offset.is_some() || select.distinct;
        match &*self.columns {
            [column] if found.len() > 1 && !of_each && !select.is_grouped() => {
                let width = select.from.columns.len();
                let values = found.keys().filter(|link| !link.is_null());
                let values = values.flat_map(|link| link.0.iter().cloned()).collect();
                let mut select = select.clone();
                select.list =
                    select.all_columns().chain([*column]).map(Expression::Column).collect();
                select.filters.push(Predicate::is_in(*column, values));
                // Else the row ids would decide in which order the children of different parents are read, and a
                // live query, which compares what is read, would notice a change where there is none.
                let node = Expression::Column(*column);
                select.order_by.insert(0, OrderBy { node, sorting: Direction::Ascending.into() });
                let rows = reader.select(&select, |row| {
                    Ok((LinkValue(vec![row.get_value(width)?]), read(row)?))
                })?;
                for (link, row) in rows {
                    found.entry(link).or_default().push(row);
                }
            }
            _ => {
                for (link, children) in &mut found {
                    *children = self.of(link, reader, &mut read)?;
                }
            }
        }
        Ok(found)
    }
}

#[diagnostic::do_not_recommend]
impl<P: Table, C: Table> Query for Nested<P, C> {
    type Output = Vec<(P, Vec<C>)>;

    fn run(&self, reader: &Reader<'_>) -> Result<Self::Output, QueryError> {
        let columns = self.children.columns.len();
        let parents = reader.select(&self.parents, |row| {
            Ok((P::decode(row)?, LinkValue::read::<P>(row, columns)?))
        })?;
        let links = parents.iter().map(|(_, link)| link.clone());
        let mut children = self.children.of_all(links, reader, <C as Row>::decode)?;
        let nested = parents.into_iter().map(|(parent, link)| match children.remove(&link) {
            Some(children) => Ok((parent, children)),
            // They went to a parent with the same link.
            None => Ok((parent, self.children.of(&link, reader, <C as Row>::decode)?)),
        });
        nested.collect()
    }
}

impl<P: Table, C: Table> Clone for Nested<P, C> {
    fn clone(&self) -> Self {
        Self { parents: self.parents.clone(), children: self.children.clone(), of: PhantomData }
    }
}

impl<P: Table, C: Table> fmt::Debug for Nested<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Nested").field(&self.parents).field(&self.children).finish()
    }
}
