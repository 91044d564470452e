//! The devtools in a browser: every panel is used once, beside a real app that syncs, and what it shows is
//! what the store has.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::page::{Look, Page, Profile};
use crate::world::{World, beside_this_program};
use crate::{Result, probe, scenario, wait};

/// The app with its devtools. It is killed when dropped.
struct App {
    child: Child,
    url: String,
}

impl App {
    fn start(world: &World<'_>) -> Result<Self> {
        let mut todo = Command::new(beside_this_program("todo")?);
        todo.args(["--devtools", "--sync", &world.backend_url(), "--dir"]).arg(world.native_dir());
        let mut child = todo.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stderr.take().ok_or("no stderr")?).read_line(&mut line)?;
        let url = line.trim_end().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What has this text, among the elements that a selector finds.
fn click(page: &Page, selector: &str, text: &str) -> Result {
    let (selector, text) = (json!(selector), json!(text));
    let found = format!(
        "[...document.querySelectorAll({selector})].find(it => it.textContent.includes({text}))"
    );
    wait::until(&format!("{text} among {selector}"), &json!(true), || {
        page.eval(&format!("{found} !== undefined"))
    })?;
    page.eval(&format!("{found}.click()")).map(drop)
}

/// Waits until the page shows a text within what a selector finds.
fn shows(page: &Page, selector: &str, text: &str) -> Result {
    let looked = json!(selector);
    let script = format!("document.querySelector({looked})?.textContent ?? ''");
    let shown = || Ok(page.eval(&script)?.as_str().unwrap_or_default().contains(text));
    wait::until(&format!("{text} in {selector}"), &true, shown).map_err(|error| {
        let (shown, all) = (page.eval(&script), page.eval("document.body.innerText"));
        let complaints = page.complaints().join("\n");
        format!("{error}; there is {shown:?}, in all {all:?}\n{complaints}").into()
    })
}

fn panel(page: &Page, name: &str) -> Result {
    click(page, ".rail button, .rail a", name)
}

fn rows(page: &Page) -> Result<Value> {
    page.eval("document.querySelectorAll('.rows .row').length")
}

pub(crate) fn devtools(world: &mut World<'_>) -> Result {
    let texts = [
        "Buy milk",
        "Call the dentist about Thursday",
        "<img src=x onerror=alert(1)>",
        "Water the plants",
        "Read about SQLite's query planner",
    ];
    for text in texts {
        world.todo(&["add", text])?;
    }
    let first = world.todo(&["list"])?;
    let id = first.first().and_then(|line| line.rsplit(' ').next()).ok_or("no todo")?.to_owned();
    world.todo(&["done", &id])?;
    let app = App::start(world)?;
    let page = Page::open(&world.browser, &Profile::new(&world.browser)?, &app.url)?;

    // Data: the rows are those of the list, and one of them has a history.
    shows(&page, ".rail", "Data")?;
    wait::until("the rows", &json!(texts.len()), || rows(&page))?;
    for text in texts {
        shows(&page, "main", text)?;
    }
    assert_no_token(&page)?;
    click(&page, ".rows .row", "Buy milk")?;
    click(&page, "aside button", "History")?;
    shows(&page, "aside", "v1.TodoCompleted")?;
    let look = |name, scheme, width, height| Look { name, scheme, width, height };
    let pictures = &world.programs.pictures;
    page.picture(&look("devtools-data-dark", "dark", 1280, 760), pictures)?;

    // Eventlog: what the app commits meanwhile is there by itself.
    panel(&page, "Eventlog")?;
    shows(&page, "main", "6 events")?;
    world.todo(&["add", "from a shell"])?;
    shows(&page, "main", "7 events")?;
    click(&page, ".rows .row", "v1.TodoCompleted")?;
    shows(&page, "aside", &id)?;
    page.picture(&look("devtools-log-light", "light", 1280, 760), pictures)?;

    // Time travel: one step back, the todo from the shell is not there.
    panel(&page, "Time travel")?;
    shows(&page, "main", "from a shell")?;
    press(&page, "[")?;
    shows(&page, "body", "You see the state after e6")?;
    wait::until("the rows of then", &json!(texts.len()), || rows(&page))?;
    page.picture(&look("devtools-time-dark", "dark", 1280, 760), pictures)?;
    page.picture(&look("devtools-time-narrow", "light", 900, 760), pictures)?;
    click(&page, "button", "Back to now")?;

    panel(&page, "Live queries")?;
    shows(&page, "main", "Live queries")?;

    // Sync: paused, what is committed waits; resumed, it is pushed.
    panel(&page, "Sync")?;
    shows(&page, "main", "online")?;
    click(&page, "main button", "Pause")?;
    shows(&page, "main", "paused")?;
    click(&page, "main button", "Resume")?;
    shows(&page, "main", "online")?;
    page.picture(&look("devtools-sync-light", "light", 1280, 760), pictures)?;

    panel(&page, "SQL")?;
    page.eval("document.querySelector('.editor textarea').focus()")?;
    page.eval("document.querySelector('.editor textarea').select()")?;
    page.type_text("SELECT count(*) AS n FROM todo WHERE completed")?;
    click(&page, "main button", "Run")?;
    wait::until("a row", &json!(1), || rows(&page))?;
    shows(&page, ".rows .row", "1")?;

    panel(&page, "Performance")?;
    shows(&page, "main", "v1.TodoCreated")?;
    scenario::is_quiet(&page)
}

/// An app in a page opens them in a tab, which has the page from it, and asks it.
pub(crate) fn in_a_tab(world: &mut World<'_>) -> Result {
    let app = world.open_page("ws")?;
    app.wait_for_sync("Synced")?;
    let page = app.opens(|| {
        // A browser lets a page open tabs for a moment after a click.
        app.click_at(5, 5)?;
        probe::start(&app, "devtools")?;
        wait::until("the devtools to be opened", &json!("null"), || {
            app.eval("globalThis.report ?? ''")
        })
    })?;
    shows(&page, ".rail", "Data")?;
    wait::until("the rows", &json!(3), || rows(&page))?;
    panel(&page, "Eventlog")?;
    shows(&page, "main", "3 events")?;
    panel(&page, "Time travel")?;
    press(&page, "[")?;
    shows(&page, "body", "You see the state after e2")?;
    wait::until("the rows of then", &json!(2), || rows(&page))?;
    scenario::is_quiet(&page)
}

/// The token does not stay where it is seen or copied.
fn assert_no_token(page: &Page) -> Result {
    let address = page.eval("location.href")?;
    match address.as_str().is_some_and(|address| address.contains("token")) {
        true => Err(format!("the token is in the address: {address}").into()),
        false => Ok(()),
    }
}

fn press(page: &Page, key: &str) -> Result {
    page.eval("document.activeElement?.blur()")?;
    let key = json!(key);
    let event = format!("new KeyboardEvent('keydown', {{ key: {key}, bubbles: true }})");
    page.eval(&format!("void document.body.dispatchEvent({event})")).map(drop)
}
