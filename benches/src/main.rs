//! The store measured against hand-written rusqlite that does the same work, and against itself
//! without live queries.
//!
//! Each bench runs both sides in turns and compares their medians; `cargo xtask bench` starts it.
#![expect(
    clippy::disallowed_methods,
    reason = "a program at the edge: it reads the clock and files"
)]

use std::fs::File;
use std::process::ExitCode;

mod app;
mod commit;
mod compile;
mod compile_sql;
mod devtools;
mod engines;
mod floor;
mod harness;
mod intent;
mod live;
mod open;
mod query;
mod replay;
mod report;
mod search;
mod session;
mod sync;

use harness::Bench;
use report::Goal::{Added, AtMost, Ratio};
use report::{Report, Unit};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[rustfmt::skip]
const BENCHES: &[Bench] = &[
    // The first, on a heap without holes.
    #[cfg(target_os = "linux")]
    Bench { name: "live/memory",             goal: AtMost(1024.0, Unit::Bytes), run: live::memory },
    Bench { name: "commit/memory",           goal: Ratio(1.5),                  run: commit::memory },
    Bench { name: "commit/written",          goal: Ratio(1.25),                 run: commit::written },
    Bench { name: "commit/batch-1000",       goal: Ratio(1.5),                  run: commit::batch },
    Bench { name: "commit/p999",             goal: Ratio(20.0),                 run: commit::tail },
    Bench { name: "execute",                 goal: Ratio(1.3),                  run: intent::execute },
    Bench { name: "undo",                    goal: Ratio(2.0),                  run: intent::undo },
    Bench { name: "replay/100k",             goal: Ratio(1.15),                 run: replay::replay },
    Bench { name: "open/snapshot-100k",      goal: Ratio(1.3),                  run: open::snapshot },
    Bench { name: "query/point",             goal: Ratio(1.5),                  run: query::point },
    Bench { name: "query/scan-10k",          goal: Ratio(1.2),                  run: query::scan },
    Bench { name: "search/few",              goal: Ratio(1.5),                  run: search::few },
    Bench { name: "search/many",             goal: Ratio(1.5),                  run: search::many },
    Bench { name: "search/all",              goal: Ratio(1.5),                  run: search::all },
    Bench { name: "search/first-100k",       goal: Ratio(1.5),                  run: search::first },
    Bench { name: "search/live",             goal: Ratio(1.2),                  run: search::live },
    Bench { name: "live/point-1",            goal: Added(4.0),                  run: live::point::<1> },
    Bench { name: "live/point-100",          goal: Added(4.0),                  run: live::point::<100> },
    Bench { name: "live/point-10k",          goal: Added(4.0),                  run: live::point::<10_000> },
    Bench { name: "live/point-100k",         goal: Added(4.0),                  run: live::point::<100_000> },
    Bench { name: "live/list-100k",          goal: Added(6.0),                  run: live::list },
    Bench { name: "live/list-100k-get",      goal: Added(15.0),                 run: live::list_get },
    Bench { name: "live/top50-inside",       goal: Added(5.0),                  run: live::top_inside },
    Bench { name: "live/top50-outside",      goal: Added(5.0),                  run: live::top_outside },
    Bench { name: "live/top50-pull",         goal: Added(5.0),                  run: live::top_pull },
    Bench { name: "live/count-100k",         goal: Added(3.0),                  run: live::count },
    Bench { name: "live/count-grouped-100k", goal: Added(3.0),                  run: live::grouped },
    Bench { name: "live/predicate-1k",       goal: Added(3.0),                  run: live::predicate },
    Bench { name: "live/idle",               goal: Added(0.3),                  run: live::idle },
    // 0.2 for each of 1,000.
    Bench { name: "live/fanout-1k",          goal: Added(200.0),                run: live::fanout },
    Bench { name: "live/start-10k",          goal: AtMost(10.0, Unit::Micros),  run: live::start },
    Bench { name: "live/get",                goal: AtMost(0.05, Unit::Micros),  run: live::get },
    Bench { name: "devtools/idle",           goal: Ratio(1.01),                 run: devtools::idle },
    Bench { name: "devtools/watched",        goal: Ratio(1.25),                 run: devtools::watched },
    Bench { name: "devtools/scrub-100k",     goal: AtMost(50_000.0, Unit::Micros), run: devtools::scrub },
    Bench { name: "devtools/first-1m",       goal: AtMost(500_000.0, Unit::Micros), run: devtools::first },
    Bench { name: "compile/100-tables",      goal: Ratio(1.5),                  run: compile::tables },
    // 3 s.
    Bench { name: "compile/sql-200",         goal: Added(3_000_000.0),          run: compile::sql },
    Bench { name: "compile/sql-200-touch",   goal: Ratio(1.3),                  run: compile::sql_touch },
    Bench { name: "session/commit",          goal: Ratio(1.3),                  run: session::commit },
    Bench { name: "session/across",          goal: AtMost(500.0, Unit::Micros), run: session::across },
    Bench { name: "session/across-p99",      goal: AtMost(2_000.0, Unit::Micros), run: session::across_p99 },
    Bench { name: "session/takeover",        goal: AtMost(150_000.0, Unit::Micros), run: session::takeover },
    Bench { name: "session/open-100k",       goal: Ratio(3.0),                  run: session::open_second },
    Bench { name: "sync/push-one",         goal: Added(500.0), run: sync::one },
    Bench { name: "sync/push-100",         goal: AtMost(20.0, Unit::Micros), run: sync::hundred },
    Bench { name: "sync/push-1000-stores", goal: AtMost(50.0, Unit::Micros), run: sync::stores },
    Bench { name: "sync/catch-up-100k",    goal: AtMost(10.0, Unit::Micros), run: sync::catch_up },
    Bench { name: "sync/image-100k",       goal: AtMost(60_000.0, Unit::Micros), run: sync::image },
    Bench { name: "sync/latency",          goal: AtMost(1_500.0, Unit::Micros), run: sync::latency },
    Bench { name: "sync/latency-p99",      goal: AtMost(5_000.0, Unit::Micros), run: sync::latency_p99 },
    Bench { name: "sync/rebase-1000",      goal: Ratio(1.5), run: sync::rebase },
    Bench { name: "sync/conflict-50",      goal: Ratio(2.0), run: sync::conflict },
    // 60 % of what the engine does by hand.
    Bench { name: "engines/postgres-push-100", goal: Ratio(1.67), run: engines::postgres_one },
    Bench { name: "engines/postgres-100-stores", goal: Ratio(1.67), run: engines::postgres_many },
    Bench { name: "engines/postgres-latency", goal: AtMost(5_000.0, Unit::Micros), run: engines::postgres_latency },
    Bench { name: "engines/nats-push-100", goal: Ratio(1.67), run: engines::nats_one },
    Bench { name: "engines/nats-latency", goal: AtMost(5_000.0, Unit::Micros), run: engines::nats_latency },
];

fn main() -> ExitCode {
    if let Some(played) = session::play() {
        return exit(played);
    }
    let (benches, json) = match parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            return ExitCode::from(2);
        }
    };
    exit(run(&benches, json))
}

fn exit(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(benches: &[&Bench], json: Option<String>) -> Result<()> {
    let mut report = Report::new(json.map(File::create).transpose()?);
    let (benches, lacking): (Vec<&Bench>, Vec<&Bench>) =
        benches.iter().copied().partition(|bench| engines::lacking(bench.name).is_none());
    benches.iter().try_for_each(|bench| report.run(bench))?;
    for bench in &lacking {
        let tool = engines::lacking(bench.name).unwrap_or_default();
        println!("skipped: {}: {tool} is not installed (bash .ci/engines)", bench.name);
    }
    if !lacking.is_empty() {
        println!("{} skipped", lacking.len());
    }
    Ok(())
}

/// `[--json FILE] [NAME…]`: a name stands for every bench that begins with it, none for all.
fn parse(
    mut args: impl Iterator<Item = String>,
) -> Result<(Vec<&'static Bench>, Option<String>), String> {
    let (mut names, mut json) = (Vec::new(), None);
    while let Some(arg) = args.next() {
        if arg == "--json" {
            json = Some(args.next().ok_or("`--json` wants a file")?);
        } else if arg.starts_with('-') {
            return Err(format!("there is no flag `{arg}`; there is `--json FILE`"));
        } else if BENCHES.iter().any(|bench| bench.name.starts_with(&arg)) {
            names.push(arg);
        } else {
            let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
            return Err(format!("no bench begins with `{arg}`; there are {}", known.join(", ")));
        }
    }
    let asked =
        |bench: &&Bench| names.is_empty() || names.iter().any(|name| bench.name.starts_with(name));
    Ok((BENCHES.iter().filter(asked).collect(), json))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Result<Vec<&str>, String> {
        let (benches, _) = parse(line.split_whitespace().map(str::to_owned))?;
        Ok(benches.iter().map(|bench| bench.name).collect())
    }

    #[test]
    fn a_name_is_a_prefix() {
        assert_eq!(names("query").unwrap(), ["query/point", "query/scan-10k"]);
        assert_eq!(names("open --json out.json").unwrap(), ["open/snapshot-100k"]);
        assert_eq!(names("").unwrap().len(), BENCHES.len());
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert!(names("comit").unwrap_err().contains("`comit`"));
        assert!(names("--jsn out.json").unwrap_err().contains("`--jsn`"));
        assert!(names("commit --json").unwrap_err().contains("wants a file"));
    }
}
