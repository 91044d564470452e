//! A store in a page, whose devtools are in a second tab.

use livestore::prelude::*;
use serde_json::Value;

use crate::checks::{App, WordSaid};

/// Says some words, and opens the devtools. Returns what went wrong; the store stays open.
pub(crate) fn open() -> Value {
    match try_open() {
        Ok(()) => Value::Null,
        Err(error) => error.to_string().into(),
    }
}

fn try_open() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::<App>::builder("words").open()?;
    for text in ["one", "two", "three"] {
        store.commit(WordSaid { text: text.to_owned() })?;
    }
    livestore_devtools::open_tab(&store)?;
    // For as long as the page is.
    std::mem::forget(store);
    Ok(())
}
