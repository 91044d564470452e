use std::process::ExitCode;

use livestore::schema::Schema;

use super::SchemaBuilder;
use crate::cli::{self, Listening};
use crate::server::Builder;

/// Runs the `livestore-server` command, with all of its settings and commands, as a server that knows a
/// schema: the `main` of an app's own server.
///
/// ```no_run
/// # use livestore_testing::sample::todos::*;
/// use std::process::ExitCode;
/// use livestore_server::schema::QueryLimits;
///
/// fn main() -> ExitCode {
///     livestore_server::schema::run(|server| {
///         server.schema::<App>().http_queries(QueryLimits::default())
///     })
/// }
/// ```
#[must_use]
pub fn run<S: Schema>(configure: impl FnOnce(Builder) -> SchemaBuilder<S>) -> ExitCode {
    cli::run_with(|builder, address, stop| async move {
        let server = configure(builder).bind(&address).await?;
        Ok(Listening { address: server.local_addr()?, serving: Box::pin(server.serve(stop)) })
    })
}
