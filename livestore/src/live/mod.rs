//! Live queries: values that are kept up to date, at a cost that depends on what changed.
//!
//! [`Store::live`](crate::Store::live) makes a [`LiveQuery`] from any query. When a commit changes a
//! row, an index finds the queries that the row can matter to. Each of them applies the change to
//! its value if its shape allows that, or is run again; [`Tier`] says which. [`signal`]s are values
//! that the app sets, [`computed`]s are computed from other values. All three are [`Reactive`]: read
//! them, or subscribe to them.
//!
//! ```
//! # use livestore::prelude::*;
//! # use livestore_testing::sample::todos::*;
//! # fn main() -> livestore::Result<()> {
//! # let store = Store::<App>::builder("todos").open()?;
//! let open = store.live(Todo::filter(Todo::COMPLETED.eq(false)))?;
//! let wanted = signal(String::from("milk"));
//! let found = {
//!     let wanted = wanted.clone();
//!     computed(move |get| {
//!         let wanted = get.of(&wanted);
//!         get.of(&open).iter().filter(|todo| todo.text.contains(&**wanted)).count()
//!     })
//! };
//! let _guard = found.subscribe(|found| println!("{found} found"));
//! store.commit(TodoEvent::Created { id: new_id(), text: "Oat milk".into(), created_at: now() })?;
//! assert_eq!(*found.get(), 1);
//! wanted.set("bread".into());
//! assert_eq!(*found.get(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! After every commit, a live query has the value that a fresh query would return. Where that is not
//! certain, the query is run again. [`Store::inspect`](crate::Store::inspect) returns the whole graph
//! of values.
//!
//! **Long lists.** A [`LiveWindow`] shows some rows of a list, at a cost that does not depend on the others.
//!
//! **Nested rows.** [`Select::nest`](crate::table::Select::nest) gives each row of a list the rows that belong to
//! it, as one live query.
//!
//! **Failures.** Where a fresh query would fail, because a sum overflows or a row cannot be decoded,
//! the live query fails visibly: [`error`](Reactive::error) says why, subscribers are called, and the
//! last value stays. So do the values that are computed from it. It works again as soon as a fresh query
//! does.
//!
//! **Notifications.** A commit, a [`batch`], a rebase or a signal's `set` calls each subscriber whose
//! value it changed, once, after all values are up to date. Subscribers whose value did not change
//! are not called. No lock is held during the calls.
//!
//! **Threads.** All handles can be sent to and read from any thread. A callback never runs in two
//! threads at once, and is always called for the last change. A computed that is computed while
//! *another* thread commits may see one query before and another after that commit; it is computed
//! again when the commit is done.

mod cell;
mod chunked;
mod computed;
mod cycle;
mod dependency;
mod diff;
mod graph;
mod index;
mod inspect;
mod keyed;
mod list;
mod maintain;
mod nested;
mod observers;
#[cfg(test)]
mod oracle;
mod pending_rows;
mod plan;
mod propagation;
mod query;
mod reactive;
mod registry;
mod row;
mod signal;
mod subscription;
mod window;

pub use cell::LiveValue;
pub use computed::{Computed, Getter, computed};
pub use diff::{Diff, Diffs};
pub use inspect::{Edge, Inspection, LiveReport, NodeId, Origin, ValueKind, ValueReport};
pub use list::List;
pub use maintain::{LiveCardinality, Tier};
pub use nested::Parent;
pub use pending_rows::PendingRows;
pub use propagation::batch;
pub use query::{Live, LivePlan, LiveQuery};
pub use reactive::{Reactive, Values};
pub use row::SharedRow;
pub use signal::{Signal, signal};
pub use subscription::Subscription;
pub use window::{LiveWindow, Window};
#[doc(hidden)]
pub use {
    diff::{DiffReaders, DiffSink},
    maintain::cardinality::{ListMaintainer, Maintainer},
    reactive::NodeRef,
};

pub(crate) use computed::computed_with;
pub(crate) use pending_rows::{PendingTracker, Tracking, key_bytes};
pub(crate) use propagation::{deliver, enqueue};
pub(crate) use registry::Registry;
#[cfg(test)]
pub(crate) use window::SharedRange;
pub(crate) use window::WindowQuery;
