//! What must hold in a browser as it does elsewhere. Natively it prints its report; in a browser
//! it is `report`, a global. With the argument `backend` it is a server, for clients that get an image.

#[cfg(not(target_family = "wasm"))]
mod backend;
#[cfg(target_family = "wasm")]
mod bench;
mod checks;
#[cfg(target_family = "wasm")]
mod devtools;
mod images;
#[cfg(target_family = "wasm")]
mod page;
mod sqlite;

use serde_json::{Value, json};

async fn report() -> Value {
    let failures = checks::run().await;
    match sqlite::describe() {
        Ok(sqlite) => json!({ "failures": failures, "sqlite": sqlite }),
        Err(error) => json!({ "failures": [error.to_string()] }),
    }
}

/// What the page wants is in its global `wanted`.
#[cfg(target_family = "wasm")]
fn main() {
    if livestore_web::worker(checks::builder) {
        return;
    }
    let wanted = js_sys::Reflect::get(&js_sys::global(), &"wanted".into()).ok();
    let wanted = wanted.and_then(|wanted| wanted.as_string()).unwrap_or_default();
    wasm_bindgen_futures::spawn_local(async move {
        let report = match wanted.as_str() {
            "images" => page::answer_commands(),
            "bench" => bench::run().await,
            "devtools" => devtools::open(),
            "listen" => bench::listen(COMMITS_TO_SEND).await,
            "send" => bench::send(COMMITS_TO_SEND).await,
            _ => report().await,
        };
        let report = report.to_string();
        let _ = js_sys::Reflect::set(&js_sys::global(), &"report".into(), &report.into());
    });
}

/// The number of commits whose way to another tab is measured.
#[cfg(target_family = "wasm")]
const COMMITS_TO_SEND: usize = 100;

#[cfg(not(target_family = "wasm"))]
fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [word, events] if word == "backend" => {
            tokio::runtime::Runtime::new()?.block_on(backend::run(events.parse()?))
        }
        _ => {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            println!("{}", runtime.block_on(report()));
            Ok(())
        }
    }
}
