//! Lists of rows, each with the rows that belong to it.
//!
//! The parents are a [`TableList`]. Of their children, none are indexed here: those of a parent are read again
//! when one of them has changed.

use std::collections::{BTreeMap, BTreeSet};

use super::list::TableList;
use super::{MaintainList, MustRerun, Steps, TableChange, included};
use crate::live::chunked::OwnedChunks;
use crate::live::dependency::Dependency;
use crate::live::diff::Diff;
use crate::live::list::List;
use crate::live::nested::Parent;
use crate::live::row::SharedRow;
use crate::table::{
    Children, ColumnRef, LinkValue, QueryError, Reader, Row, RowError, RowReader, Table,
};

/// A parent, with what links it to its children.
pub(in crate::live) struct Linked<P> {
    pub(in crate::live) row: P,
    /// `None` if it is not updated row by row.
    pub(in crate::live) link: Option<LinkValue>,
}

type Decode<P> = fn(&RowReader<'_>) -> Result<Linked<P>, RowError>;

/// Returns the function that reads a parent whose link has this many columns.
pub(in crate::live) fn decoder<P: Table>(columns: usize) -> Option<Decode<P>> {
    fn read<P: Table, const COLUMNS: usize>(row: &RowReader<'_>) -> Result<Linked<P>, RowError> {
        Ok(Linked { row: P::decode(row)?, link: Some(LinkValue::read::<P>(row, COLUMNS)?) })
    }
    match columns {
        1 => Some(read::<P, 1>),
        2 => Some(read::<P, 2>),
        3 => Some(read::<P, 3>),
        4 => Some(read::<P, 4>),
        _ => None,
    }
}

/// A nested list that is updated row by row.
pub(in crate::live) struct NestedList<P, C> {
    parents: TableList<Linked<P>>,
    /// The parents' columns that link them.
    links: Vec<ColumnRef>,
    children: Children,
    of_children: Dependency,
    rows: OwnedChunks<SharedRow<Parent<P, C>>>,
    /// From the list before the last changes to the list after them.
    steps: Steps<Parent<P, C>>,
}

/// The children of parents, once they are read.
type Read<C> = BTreeMap<LinkValue, List<C>>;

impl<P, C: Table> NestedList<P, C> {
    pub(in crate::live) fn new(
        parents: TableList<Linked<P>>,
        links: Vec<ColumnRef>,
        children: Children,
        of_children: Dependency,
    ) -> Self {
        let (rows, steps) = (OwnedChunks::default(), Steps::default());
        Self { parents, links, children, of_children, rows, steps }
    }

    /// The links of the children that have changed.
    fn changed_links(&self, changes: &[TableChange<'_>]) -> Result<BTreeSet<LinkValue>, MustRerun> {
        let mut links = BTreeSet::new();
        for change in changes {
            let (old, new) = included(&self.of_children, change)?;
            let rows = old.into_iter().chain(new);
            links.extend(rows.filter_map(|row| self.children.link(&row.values)));
        }
        Ok(links)
    }

    /// Returns the children of a parent, which are read if they are not yet.
    fn children(
        &self,
        link: &LinkValue,
        read: &mut Read<C>,
        reader: &Reader<'_>,
    ) -> Result<List<C>, QueryError> {
        if let Some(children) = read.get(link) {
            return Ok(children.clone());
        }
        let children: List<C> = self.children.of(link, reader, read_child)?.into_iter().collect();
        read.insert(link.clone(), children.clone());
        Ok(children)
    }

    /// Takes a step of the parents. `changed` are the links whose children have changed.
    fn step(
        &mut self,
        step: &Diff<Linked<P>>,
        changed: &BTreeSet<LinkValue>,
        read: &mut Read<C>,
        reader: &Reader<'_>,
    ) -> Result<(), MustRerun> {
        match step {
            Diff::Insert { index, row } => {
                let children = self.children(link(row)?, read, reader)?;
                let row = parent(row.clone(), children);
                self.rows.insert(*index, row.clone());
                self.steps.insert(*index, row);
            }
            Diff::Remove { index } => {
                let row = self.rows.remove(*index).ok_or(MustRerun)?;
                self.steps.remove(*index, &row);
            }
            Diff::Update { index, row } => {
                let old = self.rows.get(*index).ok_or(MustRerun)?;
                let link = link(row)?;
                let children = match old.row.link.as_ref() == Some(link) && !changed.contains(link)
                {
                    true => old.children.clone(),
                    false => self.children(link, read, reader)?,
                };
                self.replace(*index, parent(row.clone(), children))?;
            }
            Diff::Move { from, to } => {
                let row = self.rows.remove(*from).ok_or(MustRerun)?;
                self.rows.insert(*to, row);
                self.steps.relocate(*from, *to);
            }
            Diff::Reset { .. } => return Err(MustRerun),
        }
        Ok(())
    }

    /// Gives the parents that have this link their new children.
    fn refresh(
        &mut self,
        link: &LinkValue,
        read: &mut Read<C>,
        reader: &Reader<'_>,
    ) -> Result<(), MustRerun> {
        for index in self.parents.positions(link.filters(&self.links), reader)? {
            let children = self.children(link, read, reader)?;
            let old = self.rows.get(index).ok_or(MustRerun)?;
            self.replace(index, parent(old.row.clone(), children))?;
        }
        Ok(())
    }

    fn replace(&mut self, index: usize, row: SharedRow<Parent<P, C>>) -> Result<(), MustRerun> {
        let slot = self.rows.get_mut(index).ok_or(MustRerun)?;
        let old = std::mem::replace(slot, row.clone());
        if !old.matches(&row) {
            self.steps.update(index, &old, row);
        }
        Ok(())
    }
}

impl<P, C> MaintainList<Parent<P, C>> for NestedList<P, C>
where
    P: Send + Sync + 'static,
    C: Table + Send + Sync,
{
    fn start(&mut self, reader: &Reader<'_>) -> Result<List<Parent<P, C>>, QueryError> {
        let parents = self.parents.start(reader)?;
        let links = parents.iter().filter_map(|row| row.link.clone());
        let read = self.children.of_all(links, reader, read_child)?;
        let read: Read<C> =
            read.into_iter().map(|(link, rows)| (link, rows.into_iter().collect())).collect();
        let children =
            |row: &SharedRow<Linked<P>>| row.link.as_ref().and_then(|link| read.get(link));
        let rows = parents
            .iter()
            .map(|row| parent(row.clone(), children(row).cloned().unwrap_or_default()));
        self.rows = rows.collect();
        Ok(self.rows.iter().cloned().collect())
    }

    fn apply(
        &mut self,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
    ) -> Result<&Steps<Parent<P, C>>, MustRerun> {
        self.steps.clear();
        let (of_parents, of_children): (Vec<_>, Vec<_>) =
            changes.iter().copied().partition(|change| change.dependency == 0);
        let changed = self.changed_links(&of_children)?;
        let mut read = Read::new();
        let steps = self.parents.apply(&of_parents, reader)?.all().to_vec();
        for step in &steps {
            self.step(step, &changed, &mut read, reader)?;
        }
        for link in &changed {
            self.refresh(link, &mut read, reader)?;
        }
        Ok(&self.steps)
    }
}

fn read_child<C: Table>(row: &RowReader<'_>) -> Result<SharedRow<C>, RowError> {
    SharedRow::read(row, C::def().columns.len(), <C as Row>::decode)
}

fn link<P>(row: &SharedRow<Linked<P>>) -> Result<&LinkValue, MustRerun> {
    row.link.as_ref().ok_or(MustRerun)
}

/// A parent is the same if its values and those of its children are.
fn parent<P, C>(row: SharedRow<Linked<P>>, children: List<C>) -> SharedRow<Parent<P, C>> {
    let parts = std::iter::once(row.fingerprint());
    let parts: Vec<_> = parts.chain(children.iter().map(SharedRow::fingerprint)).collect();
    SharedRow::of_parts(Parent { row, children }, &parts)
}
