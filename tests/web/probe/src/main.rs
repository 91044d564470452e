//! What must hold in a browser as it does elsewhere. Natively it prints its report; in a browser
//! it is `report`, a global.

mod checks;
mod sqlite;

use serde_json::{Value, json};

async fn report() -> Value {
    let failures = checks::run().await;
    match sqlite::describe() {
        Ok(sqlite) => json!({ "failures": failures, "sqlite": sqlite }),
        Err(error) => json!({ "failures": [error.to_string()] }),
    }
}

#[cfg(target_family = "wasm")]
fn main() {
    if livestore_web::worker(checks::builder) {
        return;
    }
    wasm_bindgen_futures::spawn_local(async {
        let report = report().await.to_string();
        let _ = js_sys::Reflect::set(&js_sys::global(), &"report".into(), &report.into());
    });
}

#[cfg(not(target_family = "wasm"))]
fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    println!("{}", runtime.block_on(report()));
    Ok(())
}
