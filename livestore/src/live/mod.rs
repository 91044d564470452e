//! Live queries: values that follow the store, at a cost that follows the change.
//!
//! [`Store::live`](crate::Store::live) makes a [`LiveQuery`] of any query. When a commit changes a
//! row, an index finds the queries that the row can matter to; each takes the change into its value
//! by itself if its shape allows, or is run again ([`Tier`] says which). [`signal`]s are values that
//! the app sets, [`computed`]s are made of other values; all three are [`Reactive`]: read them, or
//! subscribe.
//!
//! A live query's value is what a fresh query would give, after every commit. Where that is not
//! certain, the query is run again.

mod computed;
mod cycle;
mod diff;
mod index;
mod inspect;
mod interest;
mod list;
mod maintain;
mod plan;
pub(crate) mod primitives;
mod query;
mod reactive;
mod registry;
mod signal;
mod value;
mod wave;

pub use computed::{Computed, Get, computed};
pub use diff::{Diff, Diffs};
pub use inspect::{Derived, Edge, Inspection, LiveReport, NodeId, Origin, ValueReport};
pub use list::{List, Row};
pub use maintain::{LiveCardinality, Tier};
pub use query::{Live, LivePlan, LiveQuery};
pub use signal::{Signal, signal};
pub use value::{Reactive, Subscription, Values};
pub use wave::batch;
#[doc(hidden)]
pub use {diff::DiffHub, maintain::DiffLink, value::NodeRef};

pub(crate) use computed::computed_with;
pub(crate) use registry::Registry;
pub(crate) use wave::{deliver, enqueue};
