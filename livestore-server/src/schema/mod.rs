//! A server that knows the app's schema: it has the state of every store, and rules that no client can
//! talk its way around.
//!
//! The released `livestore-server` knows no schema. An app that wants this makes a small server of its
//! own, in which [`Server::builder`](crate::Server::builder) gets the schema that its clients share:
//!
//! ```
//! # use livestore_testing::sample::todos::*;
//! use std::sync::Arc;
//! use livestore::prelude::*;
//! use livestore_server::Server;
//! use livestore_server::schema::QueryLimits;
//! use livestore_server::store::{MemoryStore, StoreId, StoreLimits};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder(Arc::new(MemoryStore::new(StoreLimits::NONE)))
//!     .schema::<App>()
//!     .validate(|commit| {
//!         let todos = commit.query(Todo::all().count())?;
//!         if todos >= 10_000 { Err("a list has at most 10,000 todos")? }
//!         Ok(())
//!     })
//!     .http_queries(QueryLimits::default())
//!     .bind("127.0.0.1:0")
//!     .await?;
//!
//! let states = server.states();           // a handle, for the rest of the app's code
//! # let stop = std::future::ready(());
//! server.serve(stop).await;
//!
//! let open = states.query(&StoreId::new("team-1")?, Todo::filter(Todo::COMPLETED.eq(false))).await;
//! # assert!(open.is_err(), "there is no such store");
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! [`run`] makes it a command, with all of the settings that `livestore-server` has.
//!
//! # States
//!
//! A state is a pure function of the store's events. It is made when it is first [read](States), and
//! brought up to date before each read, from the storage. So with several servers over one Postgres or
//! NATS, each reads what the others have stored. It is in memory only, within [limits](StateLimits), and
//! any of it may be dropped at any time. Events that the schema does not know, and those that cannot be
//! applied, are quarantined in it, exactly as at a client: update the server before its clients.
//!
//! # Validation
//!
//! [`validate`](SchemaBuilder::validate) sets rules, which see each commit of a push, the state right
//! before it and who pushes, and accept or [reject](Rejection) it. What they have accepted is stored
//! behind the very state that they have seen, also if several servers append at the same time.
//!
//! A push is stored as a whole or not at all, so a push with one refused commit is refused. A Rust client
//! then pushes less, until it has found the commit. It takes that commit back, quarantines it with the
//! reason ([`QuarantineReason::Refused`](livestore::state::QuarantineReason::Refused)), and goes on with
//! what was committed after it. To LiveStore's client in TypeScript, a refused push dies with a defect
//! that has the reason; it has no way to take a commit back, and stops pushing.
//!
//! What a client says of itself, such as the client id of its events, is not checked. Who it is comes
//! from its token: [`Proposal::identity`]. An event that names its author in its args can be checked with
//! [`Proposal::check_author`].
//!
//! # Side effects
//!
//! [`SideEffects`] are handlers of events that act on the world: they send mail, call a webhook, take a
//! payment.
//!
//! ```
//! # use livestore_testing::sample::todos::*;
//! use livestore_server::schema::SideEffects;
//!
//! # struct Mailer;
//! # impl Mailer {
//! #     async fn send(&self, _: &str, _: &str) -> std::io::Result<()> { Ok(()) }
//! # }
//! # let mailer = std::sync::Arc::new(Mailer);
//! let mail = SideEffects::new("mail").on("v1.TodoCreated", move |delivery| {
//!     let mailer = mailer.clone();
//!     async move {
//!         if let TodoEvent::Created { text, .. } = delivery.decode()? {
//!             mailer.send(&delivery.key, &text).await?;
//!         }
//!         Ok(())
//!     }
//! });
//! # drop(mail);
//! ```
//!
//! - **At least once.** An event is done with once its handler has returned `Ok` and that is noted in the
//!   storage, as durably as the events. If the server is killed in between, the event is handled again, with
//!   the same [key](Delivery::key).
//! - **In the order of the store's events**, one at a time. Stores do not wait for one another.
//! - **An attempt that fails** is made again, after growing pauses, and the store's later events wait.
//!   It fails by an error, by a panic, or by taking longer than its [time](SideEffects::time). After as many
//!   [attempts](SideEffects::attempts) as there may be, the event is a [dead letter](DeadLetters), and the
//!   next one is handled.
//! - **With several servers** over one engine, one of them handles a store's events at a time. It notes that
//!   in the storage, where only one server can be next. If it notes nothing for twice the time of an attempt,
//!   another one takes over. A server that was merely frozen for that long may make its last
//!   attempt at the same time as the other one: the key is the same.
//! - **Only new events**: those that a store had when a server with side effects of this name was first
//!   [bound](SchemaBuilder::bind) are not handled, unless they are to be handled
//!   [from the beginning](SideEffects::from_the_beginning). What that server accepts is.
//!
//! Notes are in stores of their own, whose ids begin with `livestore:side-effects/`. They count towards the
//! storage's limits; clients have no access to them.
//!
//! # Queries over HTTP
//!
//! With [`http_queries`](SchemaBuilder::http_queries), `POST /query` answers one statement of SQL, which
//! can only read, to everyone whose token may read the store:
//!
//! ```text
//! curl http://127.0.0.1:8787/query -H 'authorization: Bearer …' \
//!   -d '{"storeId":"team-1","sql":"SELECT id, text FROM todo WHERE completed = ?","params":[false]}'
//!
//! {"head":17,"columns":["id","text"],"rows":[["a","Milk"]],"truncated":false}
//! ```
//!
//! `head` is the number of the last event that the state is made of. A blob is `{"base64":"…"}`. The
//! answer and the time are [bounded](QueryLimits), and so is the length of each value, but not all
//! of the memory that a query may need while it runs: who is not trusted should not have a token.

//! # Images for new clients
//!
//! A client that opens a store for the first time has to pull and replay all of its events. With
//! [`images`](SchemaBuilder::images), one whose app asks for
//! [an image](livestore::sync::InitialSync::Image) gets the state instead, in one piece, and then the events
//! after it:
//!
//! ```text
//! POST /image?storeId=team-1&transport=http&payload=…
//! livestore-schema-hash: -4711
//! ```
//!
//! It is for clients whose schema has the same hash as the server's, and whose token may read the store; all
//! others replay as ever. The state of a store is public to everyone who may read its events, so an image
//! shows nothing that those do not.

#![expect(clippy::disallowed_methods, reason = "a server has a clock and threads")]

mod builder;
mod command;
mod current;
mod error;
mod image;
mod query;
mod side_effects;
mod states;
#[cfg(test)]
mod tests;
mod validate;

pub use builder::{SchemaBuilder, SchemaServer};
pub use command::run;
pub use error::ReadError;
pub use image::ImageLimits;
pub use query::QueryLimits;
pub use side_effects::{DeadLetter, DeadLetters, Delivery, DeliveryError, RetryError, SideEffects};
pub use states::{StateLimits, States};
pub use validate::{Proposal, Rejection};
