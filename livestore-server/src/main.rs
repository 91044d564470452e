//! The `livestore-server` command; see `livestore_server` for the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    livestore_server::cli::run()
}
