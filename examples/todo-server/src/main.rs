//! The sync backend of the todo examples, with rules of its own: see `todo_server`.
//!
//! ```sh
//! cargo run -p todo-server -- --listen 127.0.0.1:8787 --data ./server-data
//! cargo run -p todo -- --sync ws://127.0.0.1:8787 add "Buy milk"
//! curl http://127.0.0.1:8787/query -d '{"storeId":"todos","sql":"SELECT text FROM todo"}'
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    livestore_server::schema::run(todo_server::configure)
}
