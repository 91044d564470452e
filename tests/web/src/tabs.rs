//! What happens to what is stored, and between tabs.

use crate::page::{Page, Profile};
use crate::scenario::is_quiet;
use crate::world::World;
use crate::{Result, wait};

/// How often what depends on the moment is tried: `WEB_TRIES`, or a few times.
fn tries() -> usize {
    std::env::var("WEB_TRIES").ok().and_then(|tries| tries.parse().ok()).unwrap_or(8)
}

/// The todos that the page shows when there are `count` of them, without their boxes.
fn wait_for_count(page: &Page, count: usize) -> Result<Vec<String>> {
    let waited = wait::until("the number of todos", &count, || Ok(page.todos()?.len()));
    waited.map_err(|error| format!("{error}\n{}", page.complaints().join("\n")))?;
    page.todos()
}

pub(crate) fn reload(world: &mut World<'_>) -> Result {
    let page = world.open_page("ws")?;
    page.wait_for_sync("Synced")?;
    page.add("Milk")?;
    page.add("Bread")?;
    page.wait_for_sync("Synced")?;
    world.stop_backend();
    page.reload()?;
    page.wait_for_sync("Offline")?;
    page.wait_for_todos(&["[ ] Milk", "[ ] Bread"])?;
    page.click("#todos li:first-child input")?;
    page.wait_for_sync("Offline · 1 to push")?;
    page.reload()?;
    page.wait_for_sync("Offline · 1 to push")?;
    page.wait_for_todos(&["[x] Milk", "[ ] Bread"])?;
    if page.says_nothing_is_stored()? {
        return Err("it says that nothing is stored".into());
    }
    world.start_backend()?;
    page.eval("dispatchEvent(new Event('online'))")?;
    page.wait_for_sync("Synced")
}

pub(crate) fn two_tabs(world: &mut World<'_>) -> Result {
    let one = world.open_page("ws")?;
    one.wait_for_sync("Synced")?;
    one.add("from one")?;
    let two = one.open_tab()?;
    two.wait_for_todos(&["[ ] from one"])?;
    world.stop_backend();
    two.add("from two")?;
    one.wait_for_todos(&["[ ] from one", "[ ] from two"])?;
    one.wait_for_sync("Offline · 1 to push")?;
    two.wait_for_sync("Offline · 1 to push")?;
    // What is typed is each window's own.
    one.eval("document.querySelector('#text').focus()")?;
    one.type_text("half a")?;
    two.add("again from two")?;
    one.wait_for_todos(&["[ ] from one", "[ ] from two", "[ ] again from two"])?;
    same("half a", &one.typed()?)?;
    same("", &two.typed()?)?;
    one.reload()?;
    wait::until("what was typed", &"half a".to_owned(), || one.typed())?;
    is_quiet(&one)?;
    is_quiet(&two)
}

pub(crate) fn at_the_same_moment(world: &mut World<'_>) -> Result {
    let url = world.url("ws");
    for n in 0..tries() {
        let profile = Profile::new(&world.browser)?;
        let open = || Page::open(&world.browser, &profile, &url);
        let pages = [open()?, open()?, open()?];
        for page in &pages {
            page.wait_for_sync("Synced").map_err(|error| format!("try {n}: {error}"))?;
        }
        let before = pages[0].todos()?.len();
        pages[n % 3].add(&format!("todo {n}"))?;
        for page in pages {
            wait_for_count(&page, before + 1)?;
            page.close()?;
        }
    }
    Ok(())
}

pub(crate) fn immediate_reload(world: &mut World<'_>) -> Result {
    world.stop_backend();
    let page = world.open_page("ws")?;
    page.wait_for_sync("Offline")?;
    for n in 1..=tries() {
        page.add_and_reload(&format!("todo {n}"))?;
        wait_for_count(&page, n)?;
    }
    page.wait_for_sync(&to_push(tries()))?;
    world.start_backend()?;
    page.eval("dispatchEvent(new Event('online'))")?;
    page.wait_for_sync("Synced")?;
    wait_for_count(&page, tries()).map(drop)
}

pub(crate) fn leader_closes(world: &mut World<'_>) -> Result {
    world.stop_backend();
    let mut leader = world.open_page("ws")?;
    leader.wait_for_sync("Offline")?;
    for n in 0..tries() {
        let other = leader.open_tab()?;
        other.wait_for_sync(&to_push(2 * n))?;
        other.add(&format!("other {n}"))?;
        leader.add(&format!("leader {n}"))?;
        leader.close()?;
        wait_for_count(&other, 2 * n + 2).map_err(|error| format!("try {n}: {error}"))?;
        other.wait_for_sync(&to_push(2 * n + 2))?;
        leader = other;
    }
    world.start_backend()?;
    leader.eval("dispatchEvent(new Event('online'))")?;
    leader.wait_for_sync("Synced")?;
    let elsewhere = world.open_page("ws")?;
    wait_for_count(&elsewhere, 2 * tries()).map(drop)
}

fn to_push(count: usize) -> String {
    match count {
        0 => "Offline".to_owned(),
        _ => format!("Offline · {count} to push"),
    }
}

/// Another one leads, whether it was open or not, and back again.
pub(crate) fn leader_is_frozen(world: &mut World<'_>) -> Result {
    let leader = world.open_page("ws")?;
    leader.wait_for_sync("Synced")?;
    leader.add("before")?;
    leader.freeze(true)?;
    let other = leader.open_tab()?;
    other.wait_for_todos(&["[ ] before"])?;
    other.add("meanwhile")?;
    other.wait_for_sync("Synced")?;
    other.reload()?;
    other.wait_for_todos(&["[ ] before", "[ ] meanwhile"])?;
    leader.freeze(false)?;
    leader.wait_for_todos(&["[ ] before", "[ ] meanwhile"])?;
    other.freeze(true)?;
    leader.add("again")?;
    leader.wait_for_sync("Synced")?;
    other.freeze(false)?;
    other.wait_for_todos(&["[ ] before", "[ ] meanwhile", "[ ] again"])?;
    other.wait_for_sync("Synced")
}

/// A tab whose worker stops without a word keeps the files: the others' commits wait, and who comes new is
/// told.
pub(crate) fn leader_hangs(world: &mut World<'_>) -> Result {
    let (profile, url) = (Profile::new(&world.browser)?, world.url("ws"));
    let unaware = "const add = EventTarget.prototype.addEventListener; \
                   EventTarget.prototype.addEventListener = function (type, ...rest) { \
                     if (type !== 'freeze') add.call(this, type, ...rest) }";
    let leader = Page::open_with(&world.browser, &profile, &url, unaware)?;
    leader.wait_for_sync("Synced")?;
    let other = leader.open_tab()?;
    other.wait_for_sync("Synced")?;
    leader.freeze(true)?;
    other.add("meanwhile")?;
    wait_for_count(&other, 1)?;
    let new = leader.open_tab()?;
    let names_it = || Ok(new.problem()?.contains("does not answer"));
    wait::until("the problem", &true, names_it)?;
    leader.freeze(false)?;
    new.reload()?;
    for page in [&leader, &other, &new] {
        page.wait_for_todos(&["[ ] meanwhile"])?;
        page.wait_for_sync("Synced")?;
    }
    Ok(())
}

pub(crate) fn duplicated(world: &mut World<'_>) -> Result {
    let page = world.open_page("ws")?;
    page.wait_for_sync("Synced")?;
    page.eval("document.querySelector('#text').focus()")?;
    page.type_text("mine")?;
    let other = page.duplicate()?;
    other.wait_for_sync("Synced")?;
    same("", &other.typed()?)?;
    other.add("from the duplicate")?;
    page.wait_for_todos(&["[ ] from the duplicate"])?;
    same("mine", &page.typed()?)
}

pub(crate) fn full_quota(world: &mut World<'_>) -> Result {
    world.stop_backend();
    let page = world.open_page("ws")?;
    page.wait_for_sync("Offline")?;
    page.add("stored")?;
    page.wait_for_sync("Offline · 1 to push")?;
    page.limit_storage(Some(1))?;
    // More than what SQLite has left in the file's last pages.
    let long = "x".repeat(200_000);
    for n in 0..3 {
        page.paste(&format!("{n} {long}"))?;
    }
    wait_for_count(&page, 4)?;
    // Had they been written, they would soon be gone from there.
    std::thread::sleep(std::time::Duration::from_secs(1));
    if page.journal_entries()? == 0 {
        return Err("the limit has no effect".into());
    }
    page.limit_storage(None)?;
    wait::until("all to be in the log", &0, || page.journal_entries())?;
    let another = page.open_tab()?;
    wait_for_count(&another, 4)?;
    page.reload()?;
    wait_for_count(&page, 4).map(drop)
}

/// Runs this JavaScript in each worker before anything else.
pub(crate) fn in_workers(script: &str) -> String {
    format!(
        "const Native = Worker; \
         window.Worker = class extends Native {{ constructor(url, options) {{ \
           const request = new XMLHttpRequest(); request.open('GET', url, false); request.send(); \
           const script = `{script};` + request.responseText; \
           super(URL.createObjectURL(new Blob([script], {{ type: 'text/javascript' }})), options); \
         }} }}"
    )
}

/// Has a browser store nothing, as in some private windows.
pub(crate) fn deny_storage() -> &'static str {
    "StorageManager.prototype.getDirectory = \
     () => Promise.reject(new DOMException('not here', 'SecurityError'))"
}

pub(crate) fn denied(world: &mut World<'_>) -> Result {
    let (profile, url) = (Profile::new(&world.browser)?, world.url("ws"));
    let page = Page::open_with(&world.browser, &profile, &url, &in_workers(deny_storage()))?;
    page.wait_for_sync("Synced")?;
    wait::until("that nothing is stored", &true, || page.says_nothing_is_stored())?;
    page.add("Milk")?;
    page.wait_for_sync("Synced")?;
    page.wait_for_todos(&["[ ] Milk"])
}

pub(crate) fn not_loaded(world: &mut World<'_>) -> Result {
    let other_url = "const post = Worker.prototype.postMessage; \
                     Worker.prototype.postMessage = function (message) { \
                       post.call(this, { ...message, url: location.origin + '/missing.js' }) }";
    let (profile, url) = (Profile::new(&world.browser)?, world.url("ws"));
    let page = Page::open_with(&world.browser, &profile, &url, other_url)?;
    let names_it = || Ok(page.problem()?.contains("the worker that stores events"));
    wait::until("the problem", &true, names_it)
}

/// A bundle that starts itself with a URL that is relative to the page, as `dx` makes it.
pub(crate) fn starts_itself(world: &mut World<'_>) -> Result {
    let site = &world.programs.site;
    let bundle = std::fs::read_to_string(site.join("todo-web.js"))?;
    let start = "__wbg_init({ module_or_path: '/./todo-web_bg.wasm' }).then(() => 'started', String)\
                   .then(text => new BroadcastChannel('start').postMessage(\
                     text + (self.document ? ' in a page' : ' in a worker')));";
    std::fs::write(site.join("self-starting.js"), format!("{bundle}\n{start}\n"))?;
    let html = std::fs::read_to_string(site.join("index.html"))?;
    let (before, after) = html.split_once("<script").ok_or("a page without a script")?;
    let (_, after) = after.split_once("</script>").ok_or("a script without an end")?;
    let script = "<script type=module src=/./self-starting.js></script>";
    std::fs::write(site.join("self-starting.html"), format!("{before}{script}{after}"))?;
    let listen = "globalThis.starts = []; \
                  new BroadcastChannel('start').onmessage = ({ data }) => starts.push(data);";
    let (profile, url) = (Profile::new(&world.browser)?, world.url("ws"));
    let url = url.replace("/?", "/self-starting.html?");
    let page = Page::open_with(&world.browser, &profile, &url, listen)?;
    page.wait_for_sync("Synced")?;
    page.add("Milk")?;
    let starts = || page.eval("starts.toSorted().join()");
    wait::until("both", &"started in a page,started in a worker".into(), starts)?;
    page.load_again()?;
    page.wait_for_todos(&["[ ] Milk"])?;
    match page.says_nothing_is_stored()? {
        true => Err("it is in memory".into()),
        false => is_quiet(&page),
    }
}

fn same(wanted: &str, found: &str) -> Result {
    match wanted == found {
        true => Ok(()),
        false => Err(format!("wanted {wanted:?}, found {found:?}").into()),
    }
}
