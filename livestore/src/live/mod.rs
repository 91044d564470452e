//! Live queries: values that follow the store, at a cost that follows the change.
//!
//! [`Store::live`](crate::Store::live) makes a [`LiveQuery`] of any query. When a commit changes a
//! row, an index finds the queries that the row can matter to; each takes the change into its value
//! by itself if its shape allows, or is run again ([`Tier`] says which). [`signal`]s are values that
//! the app sets, [`computed`]s are made of other values; all three are [`Reactive`]: read them, or
//! subscribe.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
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
//! A live query's value is what a fresh query would give, after every commit. Where that is not
//! certain, the query is run again. [`Store::inspect`](crate::Store::inspect) shows all there is.
//!
//! **Who is called.** A commit, a [`batch`], a rebase or a signal's `set` calls each subscriber
//! whose value it changed, once, when everything has its new value; nobody is called without a
//! change. No lock is held meanwhile.
//!
//! **Threads.** All handles go to any thread. A callback is never in two threads at once, and always
//! hears of the last change. A computed that is made while *another* thread commits may see one
//! query before and one after that commit; it is made again when the commit is done.

mod computed;
mod cycle;
mod diff;
mod index;
mod inspect;
mod interest;
mod list;
mod maintain;
#[cfg(test)]
mod oracle;
mod plan;
mod query;
mod reactive;
mod registry;
mod row;
mod signal;
mod value;
mod wave;

pub use computed::{Computed, Get, computed};
pub use diff::{Diff, Diffs};
pub use inspect::{Derived, Edge, Inspection, LiveReport, NodeId, Origin, ValueReport};
pub use list::List;
pub use maintain::{LiveCardinality, Tier};
pub use query::{Live, LivePlan, LiveQuery};
pub use row::Row;
pub use signal::{Signal, signal};
pub use value::{Reactive, Subscription, Values};
pub use wave::batch;
#[doc(hidden)]
pub use {diff::DiffHub, maintain::DiffLink, value::NodeRef};

pub(crate) use computed::computed_with;
pub(crate) use registry::Registry;
pub(crate) use wave::{deliver, enqueue};
