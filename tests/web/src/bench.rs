//! How fast it is in a page: `cargo xtask web bench`.

use serde_json::Value;

use crate::page::{Page, Profile};
use crate::world::{Programs, World};
use crate::{Result, wait};
use crate::{bench_tracker, probe};

/// Has a browser paint a frame as soon as there is something new. A screen with 60 of them a second, on top of what is
/// measured, takes up to 16.7 ms until it shows the next one: by chance, and not by what the page does.
const NO_FRAME_RATE: &str = "--disable-frame-rate-limit";

/// Measures stores and the tracker, or what is named, and prints a line for each figure, with its goal.
pub(crate) fn run(programs: &Programs, words: &[&str]) -> Result {
    let is_due = |name| words.is_empty() || words.contains(&name);
    if is_due("store") {
        stores(&World::new(programs)?)?;
    }
    if is_due("tracker") {
        bench_tracker::run(&World::with_flags(programs, &[NO_FRAME_RATE])?)?;
    }
    Ok(())
}

fn stores(world: &World<'_>) -> Result {
    let profile = Profile::on_disk();
    // A page of the same origin in which nothing else happens.
    let page = || Page::open(&world.browser, &profile, &world.plain_url());
    let measured = report(&page()?, "bench")?;
    let number = |name: &str| measured[name].as_f64().unwrap_or(f64::NAN);
    let (ours, floor) = (number("commit") * 1_000.0, number("floor") * 1_000.0);
    println!("web/commit     {ours:8.1} µs, SQLite alone {floor:.1} µs: {:.2} ≤ 2 ×", ours / floor);
    let rate = number("commits") / number("durable") * 1_000.0;
    println!("web/durable    {rate:8.0} commits a second ≥ 5000");
    println!("web/open-100k  {:8.0} ms ≤ 400 ms", number("open"));
    let (here, there) = (page()?, page()?);
    probe::start(&here, "listen")?;
    report(&there, "send")?;
    let latency = finish(&here)?;
    let number = |name: &str| latency[name].as_f64().unwrap_or(f64::NAN);
    println!("web/across     {:8.1} ms ≤ 5 ms, p99 {:.1} ms", number("p50"), number("p99"));
    Ok(())
}

fn report(page: &Page, wanted: &str) -> Result<Value> {
    probe::start(page, wanted)?;
    finish(page)
}

fn finish(page: &Page) -> Result<Value> {
    wait::until("the report", &Value::from("string"), || page.eval("typeof report"))?;
    let report = page.eval("report")?;
    let report: Value = serde_json::from_str(report.as_str().unwrap_or_default())?;
    match report.get("failed") {
        Some(reason) => Err(format!("{reason}\n{}", page.complaints().join("\n")).into()),
        None => Ok(report),
    }
}
