//! What must hold in a page as it does natively, and which SQLite either has.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::page::Page;
use crate::world::{World, beside_this_program};
use crate::{Result, wait};

/// The list of functions that an app's SQL may call.
const FUNCTIONS: &str = include_str!("../../../livestore/src/sqlite/functions.rs");

/// Options that only one of them has, by their beginnings, and why no SQL that is accepted can tell.
const DIFFERENT_OPTIONS: &[(&str, &str)] = &[
    ("ATOMIC_INTRINSICS", "it depends on the C compiler"),
    ("COMPILER", "it is the C compiler"),
    ("DEFAULT_AUTOVACUUM", "a file's"),
    ("DEFAULT_CACHE_SIZE", "a file's"),
    ("DEFAULT_FOREIGN_KEYS", "the state sets it itself"),
    ("DEFAULT_PAGE_SIZE", "the state sets it itself"),
    ("ENABLE_API_ARMOR", "an interface of C"),
    ("ENABLE_BYTECODE_VTAB", "a table that no SQL of an app may read"),
    ("ENABLE_DBPAGE_VTAB", "a table that no SQL of an app may read"),
    ("ENABLE_DBSTAT_VTAB", "a table that no SQL of an app may read"),
    ("ENABLE_FTS3", "no virtual tables"),
    ("ENABLE_RTREE", "no virtual tables"),
    ("ENABLE_LOAD_EXTENSION", "no extensions"),
    ("OMIT_LOAD_EXTENSION", "no extensions"),
    ("ENABLE_MATH_FUNCTIONS", "functions that are refused"),
    ("ENABLE_OFFSET_SQL_FUNC", "a function that is refused"),
    ("SOUNDEX", "a function that is refused"),
    ("ENABLE_UNKNOWN_SQL_FUNCTION", "in `EXPLAIN` only"),
    ("ENABLE_PREUPDATE_HOOK", "an interface of C"),
    ("ENABLE_SESSION", "an interface of C"),
    ("ENABLE_STAT4", "after `ANALYZE` only"),
    ("ENABLE_STMTVTAB", "a table that no SQL of an app may read"),
    ("ENABLE_UNLOCK_NOTIFY", "an interface of C"),
    ("HAVE_ISNAN", "it depends on the C library"),
    ("MAX_MMAP_SIZE", "a file's"),
    ("MAX_SCHEMA", "only the newer one says it; no schema is that long"),
    ("MAX_WORKER_THREADS", "threads"),
    ("MUTEX_NOOP", "threads"),
    ("MUTEX_OMIT", "threads"),
    ("MUTEX_PTHREADS", "threads"),
    ("OMIT_DEPRECATED", "interfaces of C and pragmas"),
    ("OMIT_SHARED_CACHE", "an interface of C"),
    ("OS_OTHER", "files"),
    ("SYSTEM_MALLOC", "memory"),
    ("TEMP_STORE", "the state sets it itself"),
    ("THREADSAFE", "threads"),
];

/// Has both make their checks, and compares what they say of SQLite.
pub(crate) fn run(world: &mut World<'_>) -> Result {
    let page = world.open_page("ws")?;
    page.wait_for_sync("Synced")?;
    let (here, there) = (native()?, in_page(&page)?);
    for (place, report) in [("natively", &here), ("in the page", &there)] {
        if report["failures"] != serde_json::json!([]) {
            return Err(format!("{place}: {}", report["failures"]).into());
        }
    }
    same_functions(&here["sqlite"], &there["sqlite"])?;
    same_options(&here["sqlite"], &there["sqlite"])
}

fn native() -> Result<Value> {
    let output = Command::new(beside_this_program("livestore-web-probe")?).output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Starts the probe in a page, which leaves what it finds in the page's global `report`.
pub(crate) fn start(page: &Page, wanted: &str) -> Result {
    page.eval(&format!("globalThis.wanted = '{wanted}'"))?;
    page.import("/livestore-web-probe.js")
}

fn in_page(page: &Page) -> Result<Value> {
    start(page, "checks")?;
    wait::until("the probe's report", &Value::from("string"), || page.eval("typeof report"))?;
    let report = page.eval("report")?;
    Ok(serde_json::from_str(report.as_str().unwrap_or_default())?)
}

/// A function that an app's SQL may call is in both.
fn same_functions(here: &Value, there: &Value) -> Result {
    let (here, there) = (texts(&here["functions"]), texts(&there["functions"]));
    let is_permitted = |name: &&String| FUNCTIONS.contains(&format!("\"{name}\","));
    let wrong: Vec<_> = here.symmetric_difference(&there).filter(is_permitted).collect();
    match wrong.is_empty() && here.len() > 100 {
        true => Ok(()),
        false => Err(format!("permitted, and only on one side: {wrong:?}").into()),
    }
}

fn same_options(here: &Value, there: &Value) -> Result {
    let (here, there) = (texts(&here["options"]), texts(&there["options"]));
    let is_known =
        |option: &str| DIFFERENT_OPTIONS.iter().any(|(known, _)| option.starts_with(known));
    let different = here.symmetric_difference(&there);
    let wrong: Vec<_> = different.filter(|option| !is_known(option)).collect();
    match wrong.is_empty() && !here.is_empty() {
        true => Ok(()),
        false => Err(format!("options of SQLite that only one side has: {wrong:?}").into()),
    }
}

fn texts(list: &Value) -> BTreeSet<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
