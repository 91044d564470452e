//! TodoMVC in a browser: a small app on LiveStore, without any UI framework.
//!
//! It shares its schema with the terminal's `todo`, so both may use one store. `app` opens the store
//! and has the actions, `view` is what the page shows, and `page` is the page itself: `index.html`.

#[cfg(target_family = "wasm")]
mod app;
#[cfg(target_family = "wasm")]
mod page;
#[cfg(target_family = "wasm")]
mod view;

#[cfg(target_family = "wasm")]
fn main() {
    if livestore_web::worker(|request| app::builder(request.store_id, &request.page_url)) {
        return;
    }
    std::panic::set_hook(Box::new(|panic| page::complain(&panic.to_string())));
    wasm_bindgen_futures::spawn_local(async {
        if let Err(error) = app::run().await {
            page::complain(&error.to_string());
        }
    });
}

#[cfg(not(target_family = "wasm"))]
fn main() {
    eprintln!("This is for a browser: `cargo xtask web serve`.");
}
