//! The `livestore` command; see `livestore_cli` for the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    livestore_cli::run()
}
