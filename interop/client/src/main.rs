//! The client in Rust of `cargo xtask interop`. Natively, it reads commands from stdin; in a page, the
//! global function `answer` takes them. Either way it is the same app with the same API.

mod app;
mod client;
mod kinds;
#[cfg(target_family = "wasm")]
mod page;
mod state;

/// Answers commands until stdin ends.
#[cfg(not(target_family = "wasm"))]
fn main() -> std::io::Result<()> {
    use std::io::{BufRead as _, Write as _};
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut client = client::Client::default();
    for line in std::io::stdin().lock().lines() {
        let answer = runtime.block_on(client.answer(&line?));
        writeln!(std::io::stdout().lock(), "{answer}")?;
    }
    Ok(())
}

#[cfg(target_family = "wasm")]
fn main() {
    page::run();
}
