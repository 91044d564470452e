//! A server that knows the schema of the todo examples: it refuses todos that are too long or too many,
//! answers queries over HTTP, and does something about each todo that is completed.

use livestore::prelude::*;
use livestore_server::Builder;
use livestore_server::schema::{
    Delivery, DeliveryError, Proposal, QueryLimits, Rejection, SchemaBuilder, SideEffects,
};
use todo_schema::{App, Todo, TodoEvent};

/// The most characters of a todo.
pub const MAX_CHARS: usize = 500;
/// The most todos of a store.
pub const MAX_TODOS: u64 = 10_000;

/// Makes a server that knows the schema.
pub fn configure(server: Builder) -> SchemaBuilder<App> {
    server
        .schema::<App>()
        .validate(rules)
        .side_effects(SideEffects::new("congratulations").on("v1.TodoCompleted", congratulate))
        .http_queries(QueryLimits::default())
}

/// What no client can talk its way around. It sees a commit and the state before it; who pushes would be
/// `commit.identity()`.
fn rules(commit: &Proposal<'_, App>) -> Result<(), Rejection> {
    let mut todos = commit.query(Todo::all().count())?;
    for event in commit.events() {
        // A newer version of the app may have events that this server does not know.
        let Ok(TodoEvent::Created { text, .. }) = event.decode() else { continue };
        todos += 1;
        if text.chars().count() > MAX_CHARS {
            return Err(format!("a todo has at most {MAX_CHARS} characters").into());
        }
    }
    if todos > MAX_TODOS {
        return Err(format!("a list has at most {MAX_TODOS} todos").into());
    }
    Ok(())
}

/// A real one would send a mail, with the key, so that its sender notices a repetition.
async fn congratulate(delivery: Delivery) -> Result<(), DeliveryError> {
    if let TodoEvent::Completed { id } = delivery.decode()? {
        let Delivery { store, key, attempt, .. } = &delivery;
        tracing::info!(%store, id, key, attempt, "well done");
    }
    Ok(())
}
