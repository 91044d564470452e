//! A store's live queries: which there are, and which a change reaches.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::index::{NodeId, TableIndex};
use super::inspect::Roots;
use super::interest::Access;
use super::maintain::Hit;
use super::primitives::lock;
use super::query::{AnyLive, Freed, Live, LiveNode, LiveQuery};
use super::reactive::Node;
use super::wave::Wave;
use crate::edge::Stopwatch;
use crate::schema::SchemaDef;
use crate::sqlite::{Change, Db, SqliteError};
use crate::table::{QueryError, Reader, TableDef};

/// All live queries of a store.
pub(crate) struct Registry {
    schema: &'static SchemaDef,
    /// By the tables' positions in the schema.
    tables: Vec<TableIndex>,
    nodes: HashMap<NodeId, Slot>,
    by_key: HashMap<Key, NodeId>,
    /// Nodes that nobody holds any more.
    freed: Freed,
}

/// Equal queries have equal keys.
type Key = (TypeId, u128);

struct Slot {
    node: Weak<dyn AnyLive>,
    key: Key,
    /// Where it stands in the index: table and access.
    interests: Vec<(usize, Access)>,
}

impl Registry {
    pub(crate) fn new(schema: &'static SchemaDef) -> Self {
        Self {
            schema,
            tables: Vec::new(),
            nodes: HashMap::new(),
            by_key: HashMap::new(),
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
        let key = (TypeId::of::<Q>(), query.key(reader)?);
        if let Some(node) = self.find::<Q::Value>(&key) {
            return Ok(LiveQuery(node));
        }
        let plan = query.plan(reader, self.schema)?.0;
        let (node, interests) = LiveNode::start(plan, reader, &self.freed)?;
        let id = node.hub().id();
        let mut placed = Vec::with_capacity(interests.len());
        for interest in interests {
            let tables = self.schema.tables();
            let position =
                tables.enumerate().find(|(_, table)| std::ptr::eq(*table, interest.table));
            if let Some((position, table)) = position {
                self.watch(reader.db(), position, table)?;
                self.index(position).insert(&interest.access, id);
                placed.push((position, interest.access));
            }
        }
        let any: Arc<dyn AnyLive> = Arc::clone(&node) as Arc<dyn AnyLive>;
        self.nodes.insert(id, Slot { node: Arc::downgrade(&any), key, interests: placed });
        self.by_key.insert(key, id);
        Ok(LiveQuery(node))
    }

    /// Takes the changes into every query that they reach; says which have another value.
    pub(crate) fn apply(&mut self, changes: &[Change], reader: &Reader<'_>) -> Wave {
        if let Err(error) = self.purge(reader.db()) {
            tracing::warn!(%error, "a table could not be unwatched");
        }
        let mut reached: Vec<(NodeId, usize)> = Vec::new();
        for (position, change) in changes.iter().enumerate() {
            if let Some(index) = self.tables.get_mut(change.table) {
                index.affected(&change.rows, |node| reached.push((node, position)));
            }
        }
        reached.sort_unstable();
        reached.dedup();
        if reached.is_empty() {
            return Wave::new();
        }
        let (mut wave, mut watch) = (Wave::new(), Stopwatch::start());
        for run in reached.chunk_by(|left, right| left.0 == right.0) {
            let Some((node, slot)) = run.first().and_then(|(id, _)| self.node(*id)) else {
                continue;
            };
            let hits: Vec<Hit<'_>> = run
                .iter()
                .filter_map(|(_, position)| {
                    let change = changes.get(*position)?;
                    let interest =
                        slot.interests.iter().position(|(table, _)| *table == change.table)?;
                    Some(Hit { interest, rows: &change.rows })
                })
                .collect();
            if node.apply(&hits, reader, &mut watch) {
                wave.push(node);
            }
        }
        wave
    }

    /// Starts every query anew, over another state.
    pub(crate) fn restart(&mut self, reader: &Reader<'_>) -> Result<Wave, SqliteError> {
        self.purge(reader.db())?;
        for (position, table) in self.schema.tables().enumerate() {
            if self.tables.get(position).is_some_and(|index| !index.is_empty()) {
                reader.db().watch(position, table)?;
            }
        }
        let mut watch = Stopwatch::start();
        let nodes = self.nodes.values().filter_map(|slot| slot.node.upgrade());
        let changed = nodes.filter(|node| node.restart(reader, &mut watch));
        Ok(changed.map(|node| node as Arc<dyn Node>).collect())
    }

    /// What there is.
    pub(crate) fn roots(&mut self, reader: &Reader<'_>) -> Result<Roots, SqliteError> {
        self.purge(reader.db())?;
        let names: Vec<_> = self.schema.tables().map(TableDef::name).collect();
        let name = |position: usize| names.get(position).copied();
        let queries = self.nodes.values().filter_map(|slot| {
            let tables = slot.interests.iter().filter_map(|(table, _)| name(*table));
            Some((slot.node.upgrade()? as Arc<dyn Node>, tables.collect()))
        });
        let watched = self.tables.iter().enumerate().filter(|(_, index)| !index.is_empty());
        let watched = watched.filter_map(|(position, _)| name(position));
        Ok(Roots { queries: queries.collect(), watched: watched.collect() })
    }

    fn find<V: Send + Sync + 'static>(&self, key: &Key) -> Option<Arc<LiveNode<V>>> {
        let (node, _) = self.node(*self.by_key.get(key)?)?;
        node.as_any().downcast().ok()
    }

    fn node(&self, id: NodeId) -> Option<(Arc<dyn AnyLive>, &Slot)> {
        let slot = self.nodes.get(&id)?;
        Some((slot.node.upgrade()?, slot))
    }

    fn index(&mut self, position: usize) -> &mut TableIndex {
        if self.tables.len() <= position {
            self.tables.resize_with(position + 1, TableIndex::default);
        }
        #[expect(clippy::indexing_slicing, reason = "made on the line before")]
        &mut self.tables[position]
    }

    fn watch(
        &mut self,
        db: &Db,
        position: usize,
        table: &'static TableDef,
    ) -> Result<(), QueryError> {
        if self.index(position).is_empty() {
            db.watch(position, table).map_err(watching)?;
        }
        Ok(())
    }

    /// Forgets the queries that nobody holds any more.
    fn purge(&mut self, db: &Db) -> Result<(), SqliteError> {
        let freed = std::mem::take(&mut *lock(&self.freed));
        for id in freed {
            let Some(slot) = self.nodes.remove(&id) else { continue };
            if self.by_key.get(&slot.key) == Some(&id) {
                self.by_key.remove(&slot.key);
            }
            for (position, access) in slot.interests {
                let Some(index) = self.tables.get_mut(position) else { continue };
                index.remove(&access, id);
                if index.is_empty() {
                    db.unwatch(position)?;
                }
            }
        }
        Ok(())
    }
}

fn watching(source: SqliteError) -> QueryError {
    QueryError::Sql { sql: "the triggers that watch a table".to_owned(), source }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}
