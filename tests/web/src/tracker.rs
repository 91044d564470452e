//! The issue tracker, in one browser or two.

use serde_json::json;

use crate::page::{Look, Page};
use crate::scenario::is_quiet;
use crate::world::World;
use crate::{Result, wait};

/// The titles in the column of the board with this number, from the top.
pub(crate) fn column(page: &Page, number: usize) -> Result<Vec<String>> {
    let script = format!(
        "[...(document.querySelectorAll('.board section')[{number}]?.querySelectorAll('.card') ?? [])] \
         .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top)) \
         .map(card => card.querySelector('.title').textContent)"
    );
    Ok(serde_json::from_value(page.eval(&script)?)?)
}

fn wait_for_column(page: &Page, number: usize, wanted: &[&str]) -> Result {
    let wanted: Vec<_> = wanted.iter().map(|&title| title.to_owned()).collect();
    let waited = wait::until("a column", &wanted, || column(page, number));
    waited.map_err(|error| format!("{error}\n{}", page.complaints().join("\n")).into())
}

/// A point of the first element that a selector finds, as parts of its width and height.
pub(crate) fn point(page: &Page, selector: &str, (right, down): (f64, f64)) -> Result<(f64, f64)> {
    let selector = json!(selector);
    let script = format!(
        "(area => [area.x + area.width * {right}, area.y + area.height * {down}]) \
         (document.querySelector({selector}).getBoundingClientRect())"
    );
    let at = page.eval(&script)?;
    Ok((at[0].as_f64().ok_or("no such element")?, at[1].as_f64().unwrap_or_default()))
}

/// Drags the first card of a column to the top of another.
fn drag(page: &Page, from: usize, to: usize) -> Result {
    let of = |column: usize| format!(".board section:nth-of-type({})", column + 1);
    let card = point(page, &format!("{} .card", of(from)), (0.5, 0.5))?;
    let place = point(page, &format!("{} .cards", of(to)), (0.5, 0.05))?;
    page.drag(card, place)
}

/// Writes an issue, by the keyboard alone.
pub(crate) fn write(page: &Page, title: &str) -> Result {
    page.press("c")?;
    wait::until("the dialog", &true, || has_focus(page, ".dialog .title"))?;
    page.type_text(title)?;
    page.press("Enter")?;
    wait::until("the dialog to close", &true, || has(page, "#main:not(:has(.dialog))"))
}

fn has(page: &Page, selector: &str) -> Result<bool> {
    Ok(page.eval(&format!("!!document.querySelector({})", json!(selector)))? == true)
}

fn has_focus(page: &Page, selector: &str) -> Result<bool> {
    let selector = json!(selector);
    Ok(page.eval(&format!("document.activeElement?.matches({selector}) === true"))? == true)
}

pub(crate) fn texts(page: &Page, selector: &str) -> Result<Vec<String>> {
    let selector = json!(selector);
    let script = format!("[...document.querySelectorAll({selector})].map(it => it.textContent)");
    Ok(serde_json::from_value(page.eval(&script)?)?)
}

fn wait_for_texts(page: &Page, selector: &str, wanted: &[&str]) -> Result {
    let wanted: Vec<_> = wanted.iter().map(|&text| text.to_owned()).collect();
    wait::until(selector, &wanted, || texts(page, selector))
}

const BACKLOG: usize = 0;
pub(crate) const TODO: usize = 1;
const IN_PROGRESS: usize = 2;
const DONE: usize = 4;

/// Live, with one of them offline, with both offline, and back.
pub(crate) fn one_board(world: &mut World<'_>) -> Result {
    let [one, two] = [world.open_tracker(10)?, world.open_tracker(10)?];
    for page in [&one, &two] {
        page.resize(1_900, 900)?;
        page.wait_for_sync("Synced")?;
        page.press("b")?;
    }
    for title in ["third", "second", "first"] {
        write(&one, title)?;
    }
    wait_for_column(&two, TODO, &["first", "second", "third"])?;
    drag(&two, TODO, IN_PROGRESS)?;
    for page in [&one, &two] {
        wait_for_column(page, TODO, &["second", "third"])?;
        wait_for_column(page, IN_PROGRESS, &["first"])?;
    }
    one.click("#sync")?;
    one.wait_for_sync("Paused")?;
    drag(&one, TODO, DONE)?;
    wait_for_column(&one, DONE, &["second"])?;
    one.wait_for_sync("Paused · 1 to push")?;
    drag(&two, TODO, BACKLOG)?;
    drag(&two, IN_PROGRESS, BACKLOG)?;
    wait_for_column(&two, BACKLOG, &["first", "second"])?;
    two.wait_for_sync("Synced")?;
    one.click("#sync")?;
    for page in [&one, &two] {
        // What was done while offline comes last, so it wins.
        wait_for_column(page, DONE, &["second"])?;
        wait_for_column(page, BACKLOG, &["first"])?;
        page.wait_for_sync("Synced")?;
        is_quiet(page)?;
    }
    world.stop_backend();
    write(&one, "from one")?;
    write(&two, "from two")?;
    one.wait_for_sync("Offline · 1 to push")?;
    world.start_backend()?;
    for page in [&one, &two] {
        page.eval("dispatchEvent(new Event('online'))")?;
        let agreed = || Ok(column(page, TODO)?.len());
        wait::until("both issues", &3, agreed)?;
        page.wait_for_sync("Synced")?;
    }
    match column(&one, TODO)? == column(&two, TODO)? {
        true => Ok(()),
        false => Err("the two boards differ".into()),
    }
}

/// Both are offline and want the same issue. The slower one is asked, and insists.
pub(crate) fn both_take(world: &mut World<'_>) -> Result {
    let [one, two] = [world.open_tracker(10)?, world.open_tracker(10)?];
    one.wait_for_sync("Synced")?;
    write(&one, "wanted")?;
    wait_for_texts(&two, ".row .title", &["wanted"])?;
    let person = "(it => { it.value = 'alan'; it.dispatchEvent(new Event('change', { bubbles: true })) }) \
                  (document.querySelector('[aria-label=\"Who you are\"]'))";
    wait::until("the people", &true, || has(&two, "option[value=alan]"))?;
    two.eval(person)?;
    for page in [&one, &two] {
        page.click("#sync")?;
        page.wait_for_sync("Paused")?;
        page.click(".row")?;
        wait::until("the issue", &true, || has(page, ".detail"))?;
        page.press("i")?;
        page.wait_for_sync("Paused · 1 to push")?;
    }
    let assignee = |page: &Page| texts(page, ".row .avatar[role=img]").map(|it| it.concat());
    wait::until("who has it there", &"AT".to_owned(), || assignee(&two))?;
    one.click("#sync")?;
    one.wait_for_sync("Synced")?;
    two.click("#sync")?;
    let asked = "Ada Lovelace was faster: “wanted” is theirs now";
    wait_for_texts(&two, ".conflicts [role=alert] span", &[asked])?;
    wait::until("who has it", &"AL".to_owned(), || assignee(&two))?;
    for (name, scheme, width, height) in [
        ("tracker-conflict-narrow-light", "light", 380, 760),
        ("tracker-conflict-dark", "dark", 1280, 800),
    ] {
        two.picture(&Look { name, scheme, width, height }, &world.programs.pictures)?;
    }
    two.click(".conflicts .again")?;
    wait_for_texts(&two, ".conflicts span", &[])?;
    for page in [&one, &two] {
        wait::until("who has it in the end", &"AT".to_owned(), || assignee(page))?;
        is_quiet(page)?;
    }
    Ok(())
}

pub(crate) fn keyboard(world: &mut World<'_>) -> Result {
    let page = world.open_tracker(10)?;
    page.wait_for_sync("Synced")?;
    for title in ["third", "second", "first"] {
        write(&page, title)?;
    }
    wait_for_texts(&page, ".row .title", &["first", "second", "third"])?;
    let selected = ".row[aria-selected=true] .title";
    wait_for_texts(&page, selected, &["first"])?;
    page.press("j")?;
    page.press("j")?;
    page.press("k")?;
    wait_for_texts(&page, selected, &["second"])?;
    page.press("1")?;
    wait::until("its priority", &true, || has(&page, ".row[aria-selected=true] .urgent"))?;
    page.press("]")?;
    wait::until("its status", &true, || has(&page, ".row[aria-selected=true] .in-progress"))?;
    page.press("Ctrl+z")?;
    wait::until("its status before", &true, || has(&page, ".row[aria-selected=true] .todo"))?;
    page.press("]")?;
    wait::until("its status again", &true, || has(&page, ".row[aria-selected=true] .in-progress"))?;
    page.press("e")?;
    wait::until("the title", &true, || has_focus(&page, "#title"))?;
    page.eval("document.activeElement.select()")?;
    page.type_text("renamed")?;
    page.press("Escape")?;
    wait_for_texts(&page, selected, &["renamed"])?;
    page.press("Enter")?;
    let did = [
        "set its priority to Urgent",
        "moved it to In Progress",
        "moved it to Todo",
        "moved it to In Progress",
        "named it “renamed”",
    ];
    wait::until("the activity", &did.map(str::to_owned).to_vec(), || activity(&page))?;
    page.press("Escape")?;
    page.press("/")?;
    page.type_text("thi")?;
    wait_for_texts(&page, ".row .title", &["third"])?;
    wait::until("the letters", &"thi".into(), || page.eval("document.activeElement.value"))?;
    page.press("Enter")?;
    wait_for_texts(&page, selected, &["third"])?;
    wait::until("the list", &true, || has_focus(&page, ".list"))?;
    page.press("Escape")?;
    page.press("Escape")?;
    wait::until("all rows", &3, || Ok(texts(&page, ".row .title")?.len()))?;
    page.press("Ctrl+k")?;
    wait::until("the palette", &true, || has_focus(&page, ".palette input"))?;
    page.type_text("show board")?;
    wait_for_texts(&page, ".palette li span", &["Show the board"])?;
    page.press("Enter")?;
    wait_for_column(&page, TODO, &["first", "third"])?;
    is_quiet(&page)
}

/// What was done to the issue that is open, without names and times.
fn activity(page: &Page) -> Result<Vec<String>> {
    let lines = texts(page, ".feed li:not(:first-child) > div")?;
    let what = |line: &String| {
        let line = line.strip_prefix("Ada Lovelace ")?;
        Some(line.get(..line.len() - " 2026-01-01 00:00".len())?.to_owned())
    };
    Ok(lines.iter().filter_map(what).collect())
}

/// Of a thousand issues, a page has those that one sees, wherever it is scrolled to.
pub(crate) fn long_list(world: &mut World<'_>) -> Result {
    let page = world.open_tracker(1_000)?;
    page.wait_for_sync("Synced")?;
    page.click("#fill")?;
    wait::until("the list", &true, || has(&page, ".row"))?;
    page.wait_for_sync("Synced")?;
    let few = |page: &Page| -> Result<Vec<String>> {
        let rows = texts(page, ".row .key")?;
        match rows.len() {
            1..=60 => Ok(rows),
            count => Err(format!("{count} rows are drawn").into()),
        }
    };
    let first = few(&page)?;
    page.eval("document.querySelector('.list').scrollTop = 12_000")?;
    wait::until("other rows", &true, || Ok(!few(&page)?.contains(&first[0])))?;
    // What is found is shown from the first one on.
    page.press("/")?;
    page.type_text("search")?;
    let top = || page.eval("document.querySelector('.list').scrollTop");
    wait::until("the list's beginning", &0.into(), top)?;
    let is_found = |row: &String| row.to_lowercase().contains("search");
    let found = || {
        let rows = texts(&page, ".row .title")?;
        Ok(!rows.is_empty() && rows.iter().all(is_found))
    };
    wait::until("what is found", &true, found)?;
    page.press("Escape")?;
    wait::until("the rows of before", &first, || few(&page))?;
    let other = world.open_tracker(0)?;
    wait::until("the rows in another browser", &first, || few(&other).or_else(|_| Ok(Vec::new())))?;
    is_quiet(&page)
}

pub(crate) fn looks(world: &mut World<'_>) -> Result {
    let page = world.open_tracker(300)?;
    page.wait_for_sync("Synced")?;
    let wide = Look { name: "tracker-empty", scheme: "light", width: 1280, height: 800 };
    page.picture(&wide, &world.programs.pictures)?;
    page.click("#fill")?;
    page.wait_for_sync("Synced")?;
    let looks = |names: [&'static str; 4]| {
        let look = |name, scheme, width, height| Look { name, scheme, width, height };
        [
            look(names[0], "light", 1280, 800),
            look(names[1], "dark", 1280, 800),
            look(names[2], "light", 380, 760),
            look(names[3], "dark", 380, 760),
        ]
    };
    let steps: [(&str, [&'static str; 4]); 4] = [
        (
            "l",
            [
                "tracker-list-light",
                "tracker-list-dark",
                "tracker-list-narrow-light",
                "tracker-list-narrow-dark",
            ],
        ),
        (
            "b",
            [
                "tracker-board-light",
                "tracker-board-dark",
                "tracker-board-narrow-light",
                "tracker-board-narrow-dark",
            ],
        ),
        (
            "j",
            [
                "tracker-selected-light",
                "tracker-selected-dark",
                "tracker-selected-narrow-light",
                "tracker-selected-narrow-dark",
            ],
        ),
        (
            "Enter",
            [
                "tracker-issue-light",
                "tracker-issue-dark",
                "tracker-issue-narrow-light",
                "tracker-issue-narrow-dark",
            ],
        ),
    ];
    for (key, names) in steps {
        page.press(key)?;
        for look in looks(names) {
            page.picture(&look, &world.programs.pictures)?;
            let wide = page.eval("document.documentElement.scrollWidth > innerWidth")?;
            if wide != false {
                return Err(format!("{}: something is wider than the page", look.name).into());
            }
        }
    }
    page.press("Ctrl+k")?;
    let palette = Look { name: "tracker-palette-dark", scheme: "dark", ..wide };
    page.picture(&palette, &world.programs.pictures)?;
    page.press("Escape")?;
    page.press("c")?;
    page.picture(&Look { name: "tracker-new-light", ..wide }, &world.programs.pictures)?;
    is_quiet(&page)
}
