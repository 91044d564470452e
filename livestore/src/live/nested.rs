//! Live lists of rows, each with the rows that belong to it.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::LivePlan;
use super::dependency::Dependency;
use super::list::List;
use super::maintain::cardinality::{ListMaintainer, LiveCardinality, Maintainer};
use super::maintain::list::TableList;
use super::maintain::nested::{Linked, NestedList, decoder};
use super::maintain::rerun::Rerun;
use super::maintain::{Maintain, Plan, Tier};
use super::plan::{hash, label, tier};
use super::query::Live;
use super::row::SharedRow;
use crate::schema::SchemaDef;
use crate::table::{Many, Nested, Query, QueryError, Reader, Table};

/// A row of a [nested](crate::table::Select::nest) live query: it derefs to the row, and has the rows that
/// belong to it.
pub struct Parent<P, C> {
    pub(super) row: SharedRow<Linked<P>>,
    pub(super) children: List<C>,
}

impl<P, C> Parent<P, C> {
    /// Returns the rows that belong to it.
    pub fn children(&self) -> &List<C> {
        &self.children
    }
}

impl<P, C> Deref for Parent<P, C> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.row.row
    }
}

impl<P, C> Live for Nested<P, C>
where
    P: Table + Send + Sync,
    C: Table + Send + Sync,
{
    type Value = List<Parent<P, C>>;

    fn key(&self, _: &Reader<'_>) -> Result<u128, QueryError> {
        let (mut sql, mut binds) = self.parents().to_sql(None)?;
        let (children, more) = self.children.select.to_sql(None)?;
        let columns = self.children.columns.iter().map(|column| column.index);
        sql.push_str(&format!(" -- {:?} {children}", columns.collect::<Vec<_>>()));
        binds.extend(more);
        Ok(hash(&sql, &binds))
    }

    fn plan(
        self,
        _: &Reader<'_>,
        _: &'static SchemaDef,
    ) -> Result<LivePlan<Self::Value>, QueryError> {
        let (parents, children) = (self.parents(), &self.children);
        let asked = (parents.clone(), children.select.clone());
        let label = Box::new(move || {
            let both =
                asked.0.to_sql(None).and_then(|parents| Ok((parents, asked.1.to_sql(None)?)));
            match both {
                Ok(((parents, binds), (children, more))) => {
                    format!("{} with {}", label(&parents, &binds), label(&children, &more))
                }
                Err(error) => crate::error::ErrorChain::new(&error).to_string(),
            }
        });
        let all = Dependency { columns: None, ..Dependency::all(children.select.from) };
        let of = |select| Dependency::of_select(select).into_iter().next();
        let of_parents = of(parents).map(|it| Dependency { columns: None, ..it });
        let of_children = of(&children.select).map_or(all, |it| Dependency { columns: None, ..it });
        let dependencies: Vec<_> = of_parents.into_iter().chain([of_children.clone()]).collect();
        let (tier, reason) = tier(parents, None);
        let (tier, maintain) = match (tier, dependencies.first(), decoder(children.columns.len())) {
            (Tier::Rows, Some(dependency), Some(decode)) => {
                let parents = TableList::new(parents, dependency.clone(), decode, None);
                let links = self.links();
                let list = NestedList::new(parents, links, self.children, of_children);
                let Maintainer(maintain) = Many::maintain(ListMaintainer(Box::new(list)));
                (Tier::Rows, maintain)
            }
            _ => {
                let run = Box::new(move |reader: &Reader<'_>| {
                    Ok(self.run(reader)?.into_iter().map(Parent::unlinked).collect())
                });
                let rerun = Rerun::new(run, dependencies.clone());
                (Tier::Rerun, Box::new(rerun) as Box<dyn Maintain<Self::Value>>)
            }
        };
        Ok(LivePlan(Plan { tier, reason, label, dependencies, maintain }))
    }
}

impl<P, C> Parent<P, C> {
    /// A row that is never compared.
    fn unlinked((row, children): (P, Vec<C>)) -> SharedRow<Self> {
        SharedRow::new(Self {
            row: SharedRow::new(Linked { row, link: None }),
            children: children.into_iter().map(SharedRow::new).collect(),
        })
    }
}

impl<P: PartialEq, C: PartialEq> PartialEq for Parent<P, C> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other && self.children == other.children
    }
}

impl<P: fmt::Debug, C: fmt::Debug> fmt::Debug for Parent<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parent").field(&**self).field(&self.children).finish()
    }
}

/// As a pair of the row and its children.
impl<P: Serialize, C: Serialize> Serialize for Parent<P, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&**self, &self.children).serialize(serializer)
    }
}
