//! `livestore mcp`: agents look into stores, by the Model Context Protocol on standard input and output.
//!
//! It speaks the protocol of 2026-07-28, which needs no `initialize`, and those before it. A client sees
//! the stores of one directory, and nothing else of the machine. What would write is not there unless the
//! command was started with `--allow-write`. Standard output belongs to the protocol: what there is to say
//! beside it goes to standard error.
//!
//! | file | contents |
//! |---|---|
//! | `tools` | the tools' names, descriptions and arguments |
//! | `session` | the store that a client is connected to, and what each tool does with it |
//! | `write` | the tools that write |

mod arguments;
mod session;
mod tools;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use livestore::schema::SchemaDef;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::stdio;
use rmcp::{RoleServer, ServerHandler, ServiceExt};
use serde_json::json;

use crate::args::Mcp;
use crate::exit::{Failure, Result};
use session::Session;
use tools::ToolName;

const INSTRUCTIONS: &str = "\
Connect to a store first. Its eventlog is the truth: what happened, in order. Its state follows from it, and is \
shown as of the app's last snapshot, which may be behind the log: each answer says as of which event it is. \
Reading changes nothing, and the app may have the store open meanwhile.";

/// Serves until the client closes the connection.
pub(crate) fn serve(args: &Mcp, schema: Option<&'static SchemaDef>) -> Result {
    let server = Server {
        session: Arc::new(Mutex::new(Session::new(args.directory.clone(), schema))),
        allow_write: args.allow_write,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let running = match server.serve(stdio()).await {
            Ok(running) => running,
            // A client that says nothing and goes is none.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(Failure::failed(error)),
        };
        running.waiting().await.map(drop).map_err(Failure::failed)
    });
    // A read of standard input cannot be ended.
    runtime.shutdown_background();
    served
}

struct Server {
    session: Arc<Mutex<Session>>,
    allow_write: bool,
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("livestore", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = ToolName::all(self.allow_write).map(ToolName::definition);
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        ToolName::find(name, self.allow_write).map(ToolName::definition)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = ToolName::find(&request.name, self.allow_write) else {
            let why = match ToolName::find(&request.name, true) {
                Some(_) => "needs `livestore mcp --allow-write`",
                None => "does not exist",
            };
            return Err(ErrorData::invalid_params(
                format!("the tool {:?} {why}", request.name),
                None,
            ));
        };
        let session = Arc::clone(&self.session);
        let arguments = request.arguments.unwrap_or_default();
        // A query may take seconds, and another request is to be answered meanwhile.
        let called = tokio::task::spawn_blocking(move || {
            session.lock().unwrap_or_else(PoisonError::into_inner).call(tool, arguments)
        });
        let result = match called.await {
            Ok(Ok(value)) => CallToolResult::structured(value),
            Ok(Err(failure)) => {
                let message = failure.message();
                let mut result = CallToolResult::structured_error(json!({ "error": message }));
                result.content = vec![ContentBlock::text(message)];
                result
            }
            Err(error) => return Err(ErrorData::internal_error(error.to_string(), None)),
        };
        Ok(result.into())
    }
}
