//! What happens in a browser.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::Result;
use crate::page::{Look, Page};
use crate::world::{Programs, World};
use crate::{bindings, images, panels, probe, tabs, tracker};

type Scenario = fn(&mut World<'_>) -> Result;

const SCENARIOS: &[(&str, Scenario)] = &[
    ("todos are added, done, filtered and deleted", todos),
    ("two pages converge over WebSocket", |world| two_pages(world, "ws")),
    ("two pages converge over HTTP", |world| two_pages(world, "http")),
    ("a page works offline, and syncs when the backend is back", offline),
    ("a page pauses, and goes on", paused),
    ("pages and the terminal's app agree", with_native),
    ("what holds natively holds in a page", probe::run),
    ("it looks as it should", looks),
    ("what was stored is there after a reload", tabs::reload),
    ("two tabs are sessions of one client", tabs::two_tabs),
    ("tabs that open at the same moment agree", tabs::at_the_same_moment),
    ("a commit survives an immediate reload", tabs::immediate_reload),
    ("a tab that leads is closed", tabs::leader_closes),
    ("a tab that leads is frozen", tabs::leader_is_frozen),
    ("a tab that leads hangs", tabs::leader_hangs),
    ("a duplicated tab is a window of its own", tabs::duplicated),
    ("a full quota loses nothing", tabs::full_quota),
    ("without storage, the page says so", tabs::denied),
    ("a worker that cannot be loaded is named", tabs::not_loaded),
    ("a bundle that starts itself does so in the worker, too", tabs::starts_itself),
    ("a new client opens from an image", images::opens_from_an_image),
    ("an image is slow", images::is_slow),
    ("broken images are not used", images::broken_images_are_not_used),
    ("an image in memory", images::in_memory),
    ("an image without its backend", images::without_the_backend),
    ("the example of Dioxus", bindings::dioxus),
    ("the example of Leptos", bindings::leptos),
    ("the example of Yew", bindings::yew),
    ("the devtools show what the store has", panels::devtools),
    ("the devtools are in a second tab", panels::in_a_tab),
    ("tracker: two browsers have one board", tracker::one_board),
    ("tracker: of two who take an issue, one gets it", tracker::both_take),
    ("tracker: the keyboard does it", tracker::keyboard),
    ("tracker: a long list shows what is in sight", tracker::long_list),
    ("tracker: it looks as it should", tracker::looks),
];

/// Whether all scenarios passed whose names have every word. As many run at once as there are cores.
pub(crate) fn run_all(programs: &Programs, words: &[&str]) -> Result<bool> {
    let chosen = SCENARIOS.iter().filter(|(name, _)| words.iter().all(|word| name.contains(*word)));
    let chosen: Vec<_> = chosen.collect();
    let (next, passed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some((name, scenario)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let begun = Instant::now();
            let done = World::new(programs).and_then(|mut world| scenario(&mut world));
            let seconds = begun.elapsed().as_secs();
            match done {
                Ok(()) => {
                    passed.fetch_add(1, Ordering::Relaxed);
                    println!("{name} ({seconds} s)");
                }
                Err(error) => println!("FAILED: {name} ({seconds} s): {error}"),
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let passed = passed.into_inner();
    println!("{passed} passed, {} failed", chosen.len() - passed);
    Ok(passed > 0 && passed == chosen.len())
}

/// Nothing went wrong that a person would not see.
pub(crate) fn is_quiet(page: &Page) -> Result {
    let complaints = page.complaints();
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
}

fn todos(world: &mut World<'_>) -> Result {
    let page = world.open_page("ws")?;
    page.wait_for_sync("Synced")?;
    page.add("Milk")?;
    page.add("  ")?;
    page.add("<b>Bread</b> & \u{1f35e}")?;
    page.wait_for_todos(&["[ ] Milk", "[ ] <b>Bread</b> & \u{1f35e}"])?;
    page.click("#todos li:first-child input")?;
    page.wait_for_todos(&["[x] Milk", "[ ] <b>Bread</b> & \u{1f35e}"])?;
    page.click("#active")?;
    page.wait_for_todos(&["[ ] <b>Bread</b> & \u{1f35e}"])?;
    page.click("#completed")?;
    page.wait_for_todos(&["[x] Milk"])?;
    page.click("#all")?;
    page.click("#todos li:last-child .delete")?;
    page.click("#clear")?;
    page.wait_for_todos(&[])?;
    page.wait_for_sync("Synced")?;
    is_quiet(&page)
}

fn two_pages(world: &mut World<'_>, transport: &str) -> Result {
    let [one, two] = [world.open_page(transport)?, world.open_page(transport)?];
    for page in [&one, &two] {
        page.wait_for_sync("Synced")?;
    }
    one.add("from one")?;
    two.wait_for_todos(&["[ ] from one"])?;
    two.click("#todos li input")?;
    one.wait_for_todos(&["[x] from one"])?;
    two.add("from two")?;
    one.wait_for_todos(&["[x] from one", "[ ] from two"])?;
    is_quiet(&one)?;
    is_quiet(&two)
}

fn offline(world: &mut World<'_>) -> Result {
    let [one, two] = [world.open_page("ws")?, world.open_page("ws")?];
    for page in [&one, &two] {
        page.wait_for_sync("Synced")?;
    }
    world.stop_backend();
    one.add("first")?;
    one.wait_for_sync("Offline · 1 to push")?;
    one.wait_for_todos(&["[ ] first"])?;
    two.add("second")?;
    two.wait_for_sync("Offline · 1 to push")?;
    world.start_backend()?;
    for page in [&one, &two] {
        // As the browser does when the network is back.
        page.eval("dispatchEvent(new Event('online'))")?;
        page.wait_for_todos(&["[ ] first", "[ ] second"])?;
        page.wait_for_sync("Synced")?;
    }
    Ok(())
}

fn paused(world: &mut World<'_>) -> Result {
    let [one, two] = [world.open_page("ws")?, world.open_page("ws")?];
    for page in [&one, &two] {
        page.wait_for_sync("Synced")?;
    }
    one.click("#sync")?;
    one.wait_for_sync("Paused")?;
    one.add("later")?;
    one.wait_for_sync("Paused · 1 to push")?;
    two.add("now")?;
    two.wait_for_sync("Synced")?;
    two.wait_for_todos(&["[ ] now"])?;
    one.click("#sync")?;
    // By when they were created, whatever the backend's order is.
    two.wait_for_todos(&["[ ] later", "[ ] now"])?;
    one.wait_for_todos(&["[ ] later", "[ ] now"])?;
    is_quiet(&one)
}

fn with_native(world: &mut World<'_>) -> Result {
    let [ws, http] = [world.open_page("ws")?, world.open_page("http")?];
    for page in [&ws, &http] {
        page.wait_for_sync("Synced")?;
    }
    let id = world.todo(&["add", "from a shell"])?.concat();
    for page in [&ws, &http] {
        page.wait_for_todos(&["[ ] from a shell"])?;
    }
    http.add("from a page")?;
    ws.wait_for_todos(&["[ ] from a shell", "[ ] from a page"])?;
    world.todo(&["done", &id])?;
    for page in [&ws, &http] {
        page.wait_for_todos(&["[x] from a shell", "[ ] from a page"])?;
    }
    let listed = world.todo(&["list"])?;
    // A line ends with the todo's id.
    let texts: Vec<_> =
        listed.iter().filter_map(|line| line.rsplit_once("  ")).map(|it| it.0).collect();
    ws.wait_for_todos(&texts)
}

fn looks(world: &mut World<'_>) -> Result {
    let page = world.open_page("ws")?;
    page.wait_for_sync("Synced")?;
    let looks = [
        Look { name: "wide-light", scheme: "light", width: 1100, height: 760 },
        Look { name: "wide-dark", scheme: "dark", width: 1100, height: 760 },
        Look { name: "narrow-light", scheme: "light", width: 360, height: 740 },
        Look { name: "narrow-dark", scheme: "dark", width: 360, height: 740 },
    ];
    page.picture(&Look { name: "empty", ..looks[0] }, &world.programs.pictures)?;
    let long = "Read about a word that is long: Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
    for text in ["Buy milk", "Call the dentist about Thursday", long] {
        page.add(text)?;
    }
    page.click("#todos li:first-child input")?;
    page.wait_for_sync("Synced")?;
    for look in &looks {
        page.picture(look, &world.programs.pictures)?;
        // Nothing is wider than the window.
        let wide = page.eval("document.documentElement.scrollWidth > innerWidth")?;
        if wide != false {
            return Err(format!("{}: something is wider than the page", look.name).into());
        }
    }
    is_quiet(&page)
}
