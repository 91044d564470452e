//! How fast the issue tracker is with 10,000 issues: part of `cargo xtask web bench`.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::page::{Page, Profile};
use crate::tracker::point;
use crate::world::World;
use crate::{Result, wait};

const ISSUES: usize = 10_000;

/// Measures, in the page, the milliseconds from an event to when what follows from it is laid out, and to when the
/// next frame has been painted. `taken` has them of each event since the last `watch`.
const WATCH: &str = "
globalThis.taken = [];
globalThis.watch = kind => {
  taken.length = 0;
  globalThis.watched?.();
  const after = done => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  };
  const measure = event => {
    const now = () => performance.now() - event.timeStamp;
    let done = 0;
    after(() => { document.body.offsetHeight; done = now(); });
    requestAnimationFrame(() => after(() => taken.push([done, now()])));
  };
  addEventListener(kind, measure, true);
  globalThis.watched = () => removeEventListener(kind, measure, true);
};
new MutationObserver((_, observer) => {
  if (!document.querySelector('.row')) return;
  observer.disconnect();
  requestAnimationFrame(() => { globalThis.firstRow = performance.now(); });
}).observe(document, { childList: true, subtree: true });
";

/// Measures, and prints a line for each figure, with its goal.
pub(crate) fn run(world: &World<'_>) -> Result {
    weigh(&world.programs.site)?;
    let profile = Profile::on_disk();
    let open = || Page::open_with(&world.browser, &profile, &world.tracker_url(ISSUES), WATCH);
    let page = open()?;
    page.resize(1_900, 900)?;
    page.wait_for_sync("Synced")?;
    page.click("#fill")?;
    let is_there = || page.eval("!!document.querySelector('.row')");
    wait::until("the issues", &Value::Bool(true), is_there)?;
    page.wait_for_sync("Synced")?;
    search(&page)?;
    select(&page)?;
    drag(&page)?;
    page.press("l")?;
    page.close()?;
    let mut starts = Vec::new();
    for _ in 0..5 {
        let page = open()?;
        let first = || page.eval("globalThis.firstRow ?? 0");
        wait::until("the first row", &true, || Ok(first()? != 0))?;
        starts.push(first()?.as_f64().unwrap_or(f64::NAN));
        page.close()?;
    }
    starts.sort_by(f64::total_cmp);
    println!("tracker/start    {:6.0} ms ≤ 800 ms from OPFS, {ISSUES} issues", starts[2]);
    Ok(())
}

/// Types what is searched for, letter by letter.
fn search(page: &Page) -> Result {
    page.press("/")?;
    // Nobody types the first letter in the same instant; meanwhile the index of the search is made.
    thread::sleep(Duration::from_millis(300));
    page.eval("watch('input')")?;
    let mut count = 0;
    for word in ["search results", "dark mode", "webhooks"] {
        page.eval("document.activeElement.select()")?;
        for letter in word.chars() {
            page.press(&letter.to_string())?;
            count += 1;
            wait_for(page, count)?;
        }
    }
    report(page, "keystroke")?;
    page.press("Escape")
}

fn select(page: &Page) -> Result {
    page.eval("watch('keydown')")?;
    for count in 1..=40 {
        page.press("j")?;
        wait_for(page, count)?;
    }
    report(page, "select")
}

fn drag(page: &Page) -> Result {
    page.press("b")?;
    let is_there = || page.eval("!!document.querySelector('.card')");
    wait::until("the board", &Value::Bool(true), is_there)?;
    let (x, y) = point(page, ".board section:nth-of-type(2) .card", (0.5, 0.5))?;
    page.eval("watch('pointermove')")?;
    page.mouse("mousePressed", (x, y))?;
    for count in 1..=40_u8 {
        let step = f64::from(count);
        page.mouse("mouseMoved", (x + step * 12.0, y + step * 8.0))?;
        wait_for(page, usize::from(count))?;
    }
    report(page, "drag")?;
    page.eval("watch('pointerup')")?;
    page.mouse("mouseReleased", (x + 480.0, y + 320.0))?;
    wait_for(page, 1)?;
    report(page, "drop")
}

fn wait_for(page: &Page, count: usize) -> Result {
    wait::until("a frame", &true, || Ok(page.eval("taken.length")?.as_u64() >= Some(count as u64)))
}

/// Prints the median and the 95th percentile.
fn report(page: &Page, name: &str) -> Result {
    let taken: Vec<(f64, f64)> = serde_json::from_value(page.eval("taken")?)?;
    let (mut done, mut painted): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
    let at = |times: &mut Vec<f64>, part: f64| {
        times.sort_by(f64::total_cmp);
        times[((times.len() - 1) as f64 * part).ceil() as usize]
    };
    let (half, most) = (at(&mut done, 0.5), at(&mut done, 0.95));
    println!(
        "tracker/{name:9}{half:6.1} ms until it is laid out, p95 {most:.1} ms; until it is painted {:.1} ms, p95 {:.1} ≤ 16 ms",
        at(&mut painted, 0.5),
        at(&mut painted, 0.95),
    );
    Ok(())
}

/// Prints what a browser loads, compressed as servers do.
fn weigh(site: &Path) -> Result {
    let script = "const fs = require('fs'), { brotliCompressSync } = require('zlib'); let total = 0; \
                  const add = file => { total += brotliCompressSync(fs.readFileSync(file)).length }; \
                  const folder = process.argv[1]; \
                  for (const file of fs.readdirSync(folder, { recursive: true })) { \
                    if (/^tracker|^snippets.*\\.js$/.test(file)) add(folder + '/' + file) } \
                  console.log(total)";
    let output = Command::new("node").args(["-e", script]).arg(site).output();
    let size = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    match size.and_then(|size| size.trim().parse::<f64>().ok()) {
        Some(bytes) => {
            println!("tracker/transfer {:6.0} kB ≤ 900 kB of brotli", bytes / 1_000.0);
        }
        None => println!("tracker/transfer: node, which would compress it, is not installed"),
    }
    Ok(())
}
