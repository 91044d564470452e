//! A store's live queries: which there are, and which a change reaches.

use std::any::TypeId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Weak};

use super::index::{Hashed, NodeId, Place, TableIndex, Target};
use super::inspect::Roots;
use super::interest::Interest;
use super::maintain::Hit;
use super::query::{AnyLive, Freed, Live, LiveNode, LiveQuery};
use super::reactive::Node;
use super::wave::Wave;
use crate::edge::Stopwatch;
use crate::edge::primitives::lock;
use crate::schema::SchemaDef;
use crate::sqlite::{Change, Columns, Db, SqliteError};
use crate::table::{QueryError, Reader, TableDef};

/// All live queries of a store.
pub(crate) struct Registry {
    schema: &'static SchemaDef,
    /// By the tables' positions in the schema.
    tables: Vec<TableIndex>,
    /// By their ids.
    nodes: Vec<Option<Slot>>,
    /// Ids that are free again.
    vacant: Vec<NodeId>,
    by_key: HashMap<Key, NodeId, BuildHasherDefault<Hashed>>,
    /// Nodes that nobody holds any more.
    freed: Freed,
}

struct Slot {
    node: Weak<dyn AnyLive>,
    key: Key,
    /// Where it stands: the tables, and the places in their indexes.
    places: Box<[(usize, Place)]>,
}

/// Equal queries have equal keys, others others.
type Key = u128;

fn key_of<Q: Live>(query: &Q, reader: &Reader<'_>) -> Result<Key, QueryError> {
    let mut kind = Hashed::default();
    TypeId::of::<Q>().hash(&mut kind);
    Ok(query.key(reader)? ^ Key::from(kind.finish()))
}

impl Registry {
    pub(crate) fn new(schema: &'static SchemaDef) -> Self {
        Self {
            schema,
            tables: Vec::new(),
            nodes: Vec::new(),
            vacant: Vec::new(),
            by_key: HashMap::default(),
            freed: Freed::default(),
        }
    }

    /// The live query; the same as before if there is an equal one.
    pub(crate) fn start<Q: Live>(
        &mut self,
        query: Q,
        reader: &Reader<'_>,
    ) -> Result<LiveQuery<Q::Value>, QueryError> {
        self.purge(reader.db()).map_err(watching)?;
        let key = key_of(&query, reader)?;
        if let Some(node) = self.find::<Q::Value>(key) {
            return Ok(LiveQuery(node));
        }
        let plan = query.plan(reader, self.schema)?.0;
        let id = self.vacant.last().copied().unwrap_or(self.nodes.len());
        let (node, interests) = LiveNode::start(plan, reader, id, &self.freed)?;
        self.keep(id, key, Arc::downgrade(&node) as _, interests, reader.db())?;
        Ok(LiveQuery(node))
    }

    /// Has the node found, by its key and by changes of what it must hear of.
    fn keep(
        &mut self,
        id: NodeId,
        key: Key,
        node: Weak<dyn AnyLive>,
        interests: Vec<Interest>,
        db: &Db,
    ) -> Result<(), QueryError> {
        let mut places = Vec::with_capacity(interests.len());
        let placed = interests.into_iter().enumerate().try_for_each(|(position, interest)| {
            let target = Target { node: id, interest: position };
            self.place(interest, target, &mut places, db)
        });
        // If that failed, the node is dropped by our caller, and then what was placed is removed.
        let slot = Some(Slot { node, key, places: places.into() });
        match self.vacant.pop().and_then(|id| self.nodes.get_mut(id)) {
            Some(vacant) => *vacant = slot,
            None => self.nodes.push(slot),
        }
        self.by_key.insert(key, id);
        placed
    }

    fn place(
        &mut self,
        Interest { table, access, columns, .. }: Interest,
        target: Target,
        places: &mut Vec<(usize, Place)>,
        db: &Db,
    ) -> Result<(), QueryError> {
        let position = self.schema.tables().position(|other| std::ptr::eq(other, table));
        let Some(position) = position else { return Ok(()) };
        if self.tables.len() <= position {
            self.tables.resize_with(position + 1, TableIndex::default);
        }
        let Some(index) = self.tables.get_mut(position) else { return Ok(()) };
        let columns = columns.map_or(Columns::ALL, |columns| Columns::of(&columns));
        index.insert(access, columns, target, |place| places.push((position, place)));
        match index.captured() {
            Some(columns) => db.watch(position, table, columns).map_err(watching),
            None => Ok(()),
        }
    }

    /// Takes the changes into every query that they reach; says which have another value.
    pub(crate) fn apply(&mut self, changes: &[Change], reader: &Reader<'_>) -> Wave {
        if let Err(error) = self.purge(reader.db()) {
            tracing::warn!(%error, "a table could not be unwatched");
        }
        let reached = self.reached(changes);
        if reached.is_empty() {
            return Wave::new();
        }
        let (mut wave, mut watch) = (Wave::new(), Stopwatch::start());
        for run in reached.chunk_by(|left, right| left.node == right.node) {
            let Some(node) = run.first().and_then(|first| self.node(first.node)) else { continue };
            let is_new = match run {
                [one] => node.apply(&[one.hit], reader, &mut watch),
                all => {
                    let hits: Vec<_> = all.iter().map(|reached| reached.hit).collect();
                    node.apply(&hits, reader, &mut watch)
                }
            };
            if is_new {
                wave.push(node);
            }
        }
        wave
    }

    /// Which queries the changes may matter to; for each, in the order of the changes.
    fn reached<'a>(&mut self, changes: &'a [Change]) -> Vec<Reached<'a>> {
        let mut reached = Vec::new();
        for (change, Change { table, rows }) in changes.iter().enumerate() {
            if let Some(index) = self.tables.get_mut(*table) {
                index.affected(rows, |Target { node, interest }| {
                    reached.push(Reached { node, change, hit: Hit { interest, rows } });
                });
            }
        }
        let order = |reached: &Reached<'_>| (reached.node, reached.change, reached.hit.interest);
        reached.sort_unstable_by_key(order);
        reached.dedup_by_key(|reached| order(reached));
        reached
    }

    /// Starts every query anew, over another state.
    pub(crate) fn restart(&mut self, reader: &Reader<'_>) -> Result<Wave, SqliteError> {
        self.purge(reader.db())?;
        for (position, table) in self.schema.tables().enumerate() {
            if let Some(columns) = self.tables.get(position).and_then(TableIndex::captured) {
                reader.db().watch(position, table, columns)?;
            }
        }
        let mut watch = Stopwatch::start();
        let nodes = self.nodes.iter().flatten().filter_map(|slot| slot.node.upgrade());
        let changed = nodes.filter(|node| node.restart(reader, &mut watch));
        Ok(changed.map(|node| node as Arc<dyn Node>).collect())
    }

    /// What there is.
    pub(crate) fn roots(&mut self, reader: &Reader<'_>) -> Result<Roots, SqliteError> {
        self.purge(reader.db())?;
        let names: Vec<_> = self.schema.tables().map(TableDef::name).collect();
        let name = |position: usize| names.get(position).copied();
        let queries = self.nodes.iter().flatten().filter_map(|slot| {
            // A query has several places in a table's index if it asks for several values.
            let mut tables: Vec<_> = slot.places.iter().map(|(table, _)| *table).collect();
            tables.dedup();
            let names = tables.into_iter().filter_map(name).collect();
            Some((slot.node.upgrade()? as Arc<dyn Node>, names))
        });
        let watched = self.tables.iter().enumerate().filter(|(_, index)| !index.is_empty());
        let watched = watched.filter_map(|(position, _)| name(position));
        Ok(Roots { queries: queries.collect(), watched: watched.collect() })
    }

    fn find<V: Send + Sync + 'static>(&self, key: Key) -> Option<Arc<LiveNode<V>>> {
        self.node(*self.by_key.get(&key)?)?.as_any().downcast().ok()
    }

    fn node(&self, id: NodeId) -> Option<Arc<dyn AnyLive>> {
        self.nodes.get(id)?.as_ref()?.node.upgrade()
    }

    /// Forgets the queries that nobody holds any more.
    fn purge(&mut self, db: &Db) -> Result<(), SqliteError> {
        let freed = std::mem::take(&mut *lock(&self.freed));
        for id in freed {
            let Some(slot) = self.nodes.get_mut(id).and_then(Option::take) else { continue };
            self.vacant.push(id);
            if self.by_key.get(&slot.key) == Some(&id) {
                self.by_key.remove(&slot.key);
            }
            for (position, place) in slot.places {
                let Some(index) = self.tables.get_mut(position) else { continue };
                index.remove(place, id);
                if index.is_empty() {
                    db.unwatch(position)?;
                }
            }
        }
        Ok(())
    }
}

/// A query that a change reaches.
struct Reached<'a> {
    node: NodeId,
    /// The change's position.
    change: usize,
    hit: Hit<'a>,
}

fn watching(source: SqliteError) -> QueryError {
    QueryError::Sql { sql: "the triggers that watch a table".to_owned(), source }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("nodes", &self.by_key.len()).finish_non_exhaustive()
    }
}
