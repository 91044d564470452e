//! The live queries of a store, and those that a change affects.

use std::any::TypeId;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Weak};

use super::cell::LiveValue;
use super::dependency::Dependency;
use super::graph::GraphNode;
use super::index::{DependencyId, IndexPlace, PassThrough, QueryId, TableIndex};
use super::inspect::Roots;
use super::maintain::TableChange;
use super::propagation::Propagation;
use super::query::{AnyQuery, Dropped, Live, LiveQuery, QueryNode};
use crate::edge::Stopwatch;
use crate::edge::primitives::lock;
use crate::schema::SchemaDef;
use crate::sqlite::{Change, ColumnSet, Db, SqliteError};
use crate::table::{QueryError, Reader, TableDef};

/// All live queries of a store.
pub(crate) struct Registry {
    schema: &'static SchemaDef,
    /// By the tables' positions in the schema.
    tables: Vec<TableIndex>,
    /// By their ids.
    queries: Vec<Option<RegisteredQuery>>,
    free_ids: Vec<QueryId>,
    /// The tables that are watched whether or not a query reads them.
    pinned: BTreeSet<usize>,
    by_key: HashMap<QueryKey, QueryId, BuildHasherDefault<PassThrough>>,
    dropped: Dropped,
}

struct RegisteredQuery {
    node: Weak<dyn AnyQuery>,
    key: QueryKey,
    /// Its places in the indexes of tables, with the positions of those.
    places: Box<[(usize, IndexPlace)]>,
}

/// A hash of a query and its type, by which equal queries are found.
type QueryKey = u128;

fn key_of<Q: Live>(query: &Q, reader: &Reader<'_>) -> Result<QueryKey, QueryError> {
    let mut kind = PassThrough::default();
    TypeId::of::<Q>().hash(&mut kind);
    Ok(query.key(reader)? ^ QueryKey::from(kind.finish()))
}

impl Registry {
    pub(crate) fn new(schema: &'static SchemaDef) -> Self {
        Self {
            schema,
            tables: Vec::new(),
            queries: Vec::new(),
            free_ids: Vec::new(),
            pinned: BTreeSet::new(),
            by_key: HashMap::default(),
            dropped: Dropped::default(),
        }
    }

    /// Starts a live query, or returns the one that is equal to it. One that fails is an error, unless
    /// there is a value to `begin_with`: that it has until it works.
    pub(crate) fn start<Q: Live>(
        &mut self,
        query: Q,
        begin_with: Option<Arc<Q::Value>>,
        reader: &Reader<'_>,
    ) -> Result<LiveQuery<Q::Value>, QueryError> {
        self.remove_dropped(reader.db()).map_err(trigger_error)?;
        let key = key_of(&query, reader)?;
        if let Some(node) = self.find::<Q>(key) {
            return match node.error() {
                Some(error) if begin_with.is_none() => Err((*error).clone()),
                _ => Ok(LiveQuery(node)),
            };
        }
        let plan = query.plan(reader, self.schema)?.0;
        let id = self.free_ids.last().copied().unwrap_or(self.queries.len());
        let (node, dependencies) = QueryNode::start(plan, reader, begin_with, id, &self.dropped)?;
        self.register(id, key, Arc::downgrade(&node) as _, dependencies, reader.db())?;
        Ok(LiveQuery(node))
    }

    /// Registers a node by its key and by its dependencies.
    fn register(
        &mut self,
        id: QueryId,
        key: QueryKey,
        node: Weak<dyn AnyQuery>,
        dependencies: Vec<Dependency>,
        db: &Db,
    ) -> Result<(), QueryError> {
        let mut places = Vec::with_capacity(dependencies.len());
        let placed = dependencies.into_iter().enumerate().try_for_each(|(position, dependency)| {
            let target = DependencyId { query: id, dependency: position };
            self.place(dependency, target, &mut places, db)
        });
        // If that failed, our caller drops the node, and then it is removed from its places.
        let registered = Some(RegisteredQuery { node, key, places: places.into() });
        match self.free_ids.pop().and_then(|id| self.queries.get_mut(id)) {
            Some(free) => *free = registered,
            None => self.queries.push(registered),
        }
        self.by_key.insert(key, id);
        placed
    }

    fn place(
        &mut self,
        Dependency { table, lookup, columns, .. }: Dependency,
        target: DependencyId,
        places: &mut Vec<(usize, IndexPlace)>,
        db: &Db,
    ) -> Result<(), QueryError> {
        let position = self.schema.tables().position(|other| std::ptr::eq(other, table));
        let Some(position) = position else { return Ok(()) };
        if self.tables.len() <= position {
            self.tables.resize_with(position + 1, TableIndex::default);
        }
        let Some(index) = self.tables.get_mut(position) else { return Ok(()) };
        let columns = columns.map_or(ColumnSet::ALL, |columns| ColumnSet::of(&columns));
        index.insert(lookup, columns, target, |place| places.push((position, place)));
        match index.captured() {
            Some(columns) => {
                db.watch(position, columns, || table.table_names()).map_err(trigger_error)
            }
            None => Ok(()),
        }
    }

    /// Has all rows of a table captured from now on.
    pub(crate) fn pin(
        &mut self,
        position: usize,
        table: &'static TableDef,
        reader: &Reader<'_>,
    ) -> Result<(), SqliteError> {
        reader.db().watch(position, ColumnSet::ALL, || table.table_names())?;
        self.pinned.insert(position);
        Ok(())
    }

    /// Has the rows of a table captured only as long as a query reads it.
    pub(crate) fn unpin(
        &mut self,
        position: usize,
        reader: &Reader<'_>,
    ) -> Result<(), SqliteError> {
        self.pinned.remove(&position);
        match self.tables.get(position).is_none_or(TableIndex::is_empty) {
            true => reader.db().unwatch(position),
            false => Ok(()),
        }
    }

    /// Applies the changes to every query that they can matter to. Returns the nodes whose values
    /// have changed, and those that fail now, or no longer.
    pub(crate) fn apply(&mut self, changes: &[Change], reader: &Reader<'_>) -> Propagation {
        if let Err(error) = self.remove_dropped(reader.db()) {
            tracing::warn!(%error, "the triggers that watch a table could not be dropped");
        }
        let affected = self.affected(changes);
        if affected.is_empty() {
            return Propagation::new();
        }
        let (mut changed, mut watch) = (Propagation::new(), Stopwatch::start());
        for of_query in affected.chunk_by(|left, right| left.query == right.query) {
            let Some(node) = of_query.first().and_then(|first| self.node(first.query)) else {
                continue;
            };
            let has_changed = match of_query {
                [one] => node.apply(&[one.table_change], reader, &mut watch),
                all => {
                    let all: Vec<_> = all.iter().map(|affected| affected.table_change).collect();
                    node.apply(&all, reader, &mut watch)
                }
            };
            if has_changed {
                changed.push(node);
            }
        }
        changed
    }

    /// The queries that the changes can matter to, each with its changes in order.
    fn affected<'a>(&mut self, changes: &'a [Change]) -> Vec<Affected<'a>> {
        let mut affected = Vec::new();
        for (change, Change { table, rows }) in changes.iter().enumerate() {
            if let Some(index) = self.tables.get_mut(*table) {
                index.affected(rows, |DependencyId { query, dependency }| {
                    let table_change = TableChange { dependency, rows };
                    affected.push(Affected { query, change, table_change });
                });
            }
        }
        let order = |it: &Affected<'_>| (it.query, it.change, it.table_change.dependency);
        affected.sort_unstable_by_key(order);
        affected.dedup_by_key(|affected| order(affected));
        affected
    }

    /// Adjusts the value of a query that has changed by itself. Returns the node if its value has.
    pub(crate) fn adjust<V: LiveValue>(
        &self,
        live: &LiveQuery<V>,
        reader: &Reader<'_>,
    ) -> Propagation {
        let has_changed = live.0.adjust(reader);
        has_changed.then(|| Arc::clone(&live.0) as Arc<dyn GraphNode>).into_iter().collect()
    }

    /// Runs every query again, over a different state.
    pub(crate) fn restart(&mut self, reader: &Reader<'_>) -> Result<Propagation, SqliteError> {
        self.remove_dropped(reader.db())?;
        for (position, table) in self.schema.tables().enumerate() {
            if self.pinned.contains(&position) {
                reader.db().watch(position, ColumnSet::ALL, || table.table_names())?;
            } else if let Some(columns) = self.tables.get(position).and_then(TableIndex::captured) {
                reader.db().watch(position, columns, || table.table_names())?;
            }
        }
        let mut watch = Stopwatch::start();
        let nodes = self.queries.iter().flatten().filter_map(|query| query.node.upgrade());
        let changed = nodes.filter(|node| node.rerun(reader, &mut watch));
        Ok(changed.map(|node| node as Arc<dyn GraphNode>).collect())
    }

    /// Returns the live queries and the tables that they read, from which the graph is walked.
    pub(crate) fn roots(&mut self, reader: &Reader<'_>) -> Result<Roots, SqliteError> {
        self.remove_dropped(reader.db())?;
        let names: Vec<_> = self.schema.tables().map(TableDef::name).collect();
        let name = |position: usize| names.get(position).copied();
        let queries = self.queries.iter().flatten().filter_map(|query| {
            // A query has several places in a table's index if it looks up several values.
            let mut tables: Vec<_> = query.places.iter().map(|(table, _)| *table).collect();
            tables.dedup();
            let names = tables.into_iter().filter_map(name).collect();
            Some((query.node.upgrade()? as Arc<dyn GraphNode>, names))
        });
        let watched = self.tables.iter().enumerate().filter(|(_, index)| !index.is_empty());
        let watched = watched.filter_map(|(position, _)| name(position));
        Ok(Roots { queries: queries.collect(), watched: watched.collect() })
    }

    fn find<Q: Live>(&self, key: QueryKey) -> Option<Arc<QueryNode<Q::Value>>> {
        self.node(*self.by_key.get(&key)?)?.as_any().downcast().ok()
    }

    fn node(&self, id: QueryId) -> Option<Arc<dyn AnyQuery>> {
        self.queries.get(id)?.as_ref()?.node.upgrade()
    }

    fn remove_dropped(&mut self, db: &Db) -> Result<(), SqliteError> {
        let dropped = std::mem::take(&mut *lock(&self.dropped));
        for id in dropped {
            let Some(query) = self.queries.get_mut(id).and_then(Option::take) else { continue };
            self.free_ids.push(id);
            if self.by_key.get(&query.key) == Some(&id) {
                self.by_key.remove(&query.key);
            }
            for (position, place) in query.places {
                let Some(index) = self.tables.get_mut(position) else { continue };
                index.remove(place, id);
                if index.is_empty() && !self.pinned.contains(&position) {
                    db.unwatch(position)?;
                }
            }
        }
        Ok(())
    }
}

/// A query that a change can matter to.
struct Affected<'a> {
    query: QueryId,
    /// The position of the change.
    change: usize,
    table_change: TableChange<'a>,
}

fn trigger_error(source: SqliteError) -> QueryError {
    QueryError::Sql { sql: "the triggers that watch a table".to_owned(), source }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("queries", &self.by_key.len()).finish_non_exhaustive()
    }
}
