//! Opens the store, and shows the app.

#[cfg(target_family = "wasm")]
mod web;

fn main() {
    #[cfg(target_family = "wasm")]
    web::main();
    #[cfg(not(target_family = "wasm"))]
    eprintln!(
        "This is for a browser: `cargo xtask web serve tracker`. A window is in `examples/tracker/desktop`."
    );
}
