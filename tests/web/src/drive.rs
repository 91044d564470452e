//! A program in a page, for others to drive: a line that they write is given to the page's function
//! `answer`, and what it returns is written back.

use std::io::{BufRead as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::devtools::Browser;
use crate::page::{Page, Profile};
use crate::world::serve;
use crate::{Result, wait};

/// Serves the folder `site`, and drives the program `module` of it until stdin ends. Each new `dir` in a
/// line is a new page, in which nothing is stored.
pub(crate) fn run(tool: &Path, site: &Path, module: &str) -> Result {
    let folder = TempDir::new()?;
    let site = serve(tool, site)?;
    let browser = Browser::start(&folder.path().join("profile"), &[])?;
    // A page of the same origin in which nothing else happens.
    let plain = format!("{}/style.css", site.address);
    let mut current: Option<(Value, Page)> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let dir = serde_json::from_str::<Value>(&line)?["dir"].take();
        let is_new = current.as_ref().is_none_or(|(last, _)| !dir.is_null() && *last != dir);
        if is_new {
            if let Some((_, page)) = current.take() {
                page.close()?;
            }
            let page = Page::open(&browser, &Profile::new(&browser)?, &plain)?;
            page.import(module)?;
            let is_ready = || page.eval("typeof answer === 'function'");
            wait::until("the program in the page", &Value::Bool(true), is_ready)?;
            current = Some((dir, page));
        }
        let (_, page) = current.as_ref().ok_or("no page is open")?;
        let answer = page.eval(&format!("answer({})", json!(line)))?;
        writeln!(std::io::stdout().lock(), "{}", answer.as_str().unwrap_or_default())?;
        page.complaints().iter().for_each(|complaint| eprintln!("{complaint}"));
    }
    Ok(())
}
