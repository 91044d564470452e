//! The cells, and what comes of every scenario in each.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use crate::Result;
use crate::backend::{self, Backend};
use crate::client::{Client, Platform, Programs, Transport};
use crate::engine::Storage;
use crate::scenario::{self, Scenario};
use crate::world::World;

/// Cells that run at the same time: most of a scenario is waiting.
const AT_ONCE: usize = 3;

/// Runs what has every one of `words` in its line. Whether all of it passed.
pub(crate) fn run(programs: &Programs, storage: Storage, words: &[String]) -> Result<bool> {
    let start = Instant::now();
    let plan = cells(storage).filter_map(|cell| planned(cell, words));
    let is_possible = |(cell, _): &Planned| programs.browser.is_some() || !cell.has_page();
    let (plan, skipped): (Vec<_>, Vec<_>) = plan.partition(is_possible);
    let tally = Tally::default();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((cell, scenarios)) = plan.get(next.fetch_add(1, Ordering::Relaxed)) {
                    cell.run(programs, scenarios, &tally);
                }
            });
        }
    });
    for (cell, scenario) in tally.left() {
        cell.run_alone(programs, scenario, &tally);
    }
    let Tally { passed, again, failed, .. } = tally;
    let (passed, again, failed) = (passed.into_inner(), again.into_inner(), failed.into_inner());
    println!("{again} tried again, in {:.0} s", start.elapsed().as_secs_f64());
    let skipped: usize = skipped.iter().map(|(_, scenarios)| scenarios.len()).sum();
    if skipped > 0 {
        println!("skipped: {skipped}, which need a page in Chromium");
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    // What the words chose may have been in the other cells only.
    Ok(failed == 0 && (passed > 0 || storage != Storage::Sqlite))
}

/// All cells; over an engine, those that differ from those over SQLite in more than the client.
fn cells(storage: Storage) -> impl Iterator<Item = Cell> {
    use Platform::{Page, Rust, TypeScript};
    let companies: [&[Platform]; 5] = [
        &[TypeScript, TypeScript],
        &[TypeScript, Rust],
        &[Rust, TypeScript],
        &[Page, TypeScript],
        &[TypeScript, Page, Rust],
    ];
    let backends = [backend::Kind::LiveStore, backend::Kind::Ours(storage)];
    let transports = [Transport::Ws, Transport::Http];
    let cells = companies.into_iter().flat_map(move |clients| {
        backends.into_iter().flat_map(move |backend| {
            transports.into_iter().map(move |transport| Cell { clients, backend, transport })
        })
    });
    let is_of_engine = |cell: &Cell| cell.backend != backend::Kind::LiveStore && !cell.has_page();
    cells.filter(move |cell| storage == Storage::Sqlite || is_of_engine(cell))
}

/// What happens in a cell.
type Planned = (Cell, Vec<Scenario>);

fn planned(cell: Cell, words: &[String]) -> Option<Planned> {
    let scenarios: &[Scenario] =
        if cell.clients.len() > 2 { &scenario::OF_THREE } else { &scenario::ALL };
    let scenarios = scenarios.iter().copied().filter(|(name, _)| {
        let line = format!("{cell}: {name}").to_lowercase();
        words.iter().all(|word| line.contains(&word.to_lowercase()))
    });
    let scenarios: Vec<_> = scenarios.collect();
    (!scenarios.is_empty()).then_some((cell, scenarios))
}

/// Who takes part.
#[derive(Debug, Clone, Copy)]
struct Cell {
    clients: &'static [Platform],
    backend: backend::Kind,
    transport: Transport,
}

impl Cell {
    fn has_page(&self) -> bool {
        self.clients.contains(&Platform::Page)
    }

    fn run(&self, programs: &Programs, scenarios: &[Scenario], tally: &Tally) {
        let mut stage = None;
        for (number, (name, scenario)) in scenarios.iter().enumerate() {
            let mut play = |store_id: &str| {
                let start = Instant::now();
                let mut set = stage.take().map_or_else(|| Stage::new(self, programs), Ok)?;
                let remarks = self.play(&mut set, store_id, *scenario)?;
                // What goes wrong does not go on into the next scenario.
                stage = Some(set);
                Ok((remarks, start.elapsed().as_secs_f64()))
            };
            let line = format!("{self}: {name}");
            let outcome = play(&format!("s{number}")).or_else(|error| {
                tally.report_again(&line, error);
                play(&format!("s{number}-again"))
            });
            match outcome {
                Err(error) => {
                    tally.report_again(&line, error);
                    tally.leave(*self, (name, *scenario));
                }
                passed => tally.report(&line, passed),
            }
        }
    }

    /// Once more, with nothing beside it.
    fn run_alone(&self, programs: &Programs, (name, scenario): Scenario, tally: &Tally) {
        let start = Instant::now();
        let outcome = Stage::new(self, programs)
            .and_then(|mut stage| self.play(&mut stage, "alone", scenario))
            .map(|remarks| (remarks, start.elapsed().as_secs_f64()));
        tally.report(&format!("{self}: {name}"), outcome);
    }

    fn play(
        &self,
        Stage { clients, backend, .. }: &mut Stage,
        store_id: &str,
        scenario: fn(&mut World<'_>) -> Result,
    ) -> Result<Vec<String>> {
        let mut world = World::new(store_id, self.transport, clients, backend)?;
        if let Err(error) = scenario(&mut world) {
            return Err(format!("{error}\n    {}", world.report()).into());
        }
        for seat in world.seats() {
            seat.check_traps()?;
            seat.close()?;
        }
        Ok(world.remarks)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, backend, transport } = self;
        let clients: Vec<_> = clients.iter().map(|platform| format!("{platform:?}")).collect();
        write!(f, "{}, {backend}, {transport:?}", clients.join(" and "))
    }
}

/// The processes of a cell, which serve one scenario after the other.
struct Stage {
    clients: Vec<Client>,
    backend: Backend,
    _errors: TempDir,
}

impl Stage {
    fn new(cell: &Cell, programs: &Programs) -> Result<Self> {
        let errors = TempDir::new()?;
        let start = |(number, platform): (usize, &Platform)| {
            Client::start(*platform, programs, errors.path().join(number.to_string()))
        };
        let clients = cell.clients.iter().enumerate().map(start).collect::<Result<_>>()?;
        let backend = Backend::start(cell.backend, &programs.peer)?;
        Ok(Self { clients, backend, _errors: errors })
    }
}

#[derive(Default)]
struct Tally {
    passed: AtomicUsize,
    /// How often one was tried once more. LiveStore's own client sometimes stops for good when it
    /// cannot reach its backend in time, as on a busy machine.
    again: AtomicUsize,
    /// The cases that failed twice beside others. A case that fails alone has a different cause.
    left: Mutex<Vec<(Cell, Scenario)>>,
    failed: AtomicUsize,
    /// Lines come from several cells at once; each comes whole.
    printing: Mutex<()>,
}

impl Tally {
    fn report(&self, line: &str, outcome: Result<(Vec<String>, f64)>) {
        let _whole = self.printing.lock();
        match outcome {
            Ok((remarks, seconds)) => {
                self.passed.fetch_add(1, Ordering::Relaxed);
                println!("passed: {line} ({seconds:.1} s)");
                remarks.iter().for_each(|remark| println!("    {remark}"));
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                println!("FAILED: {line}\n    {error}");
            }
        }
    }

    fn leave(&self, cell: Cell, scenario: Scenario) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).push((cell, scenario));
    }

    /// The cases that remain to be tried alone.
    fn left(&self) -> Vec<(Cell, Scenario)> {
        std::mem::take(&mut self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn report_again(&self, line: &str, error: Box<dyn std::error::Error + Send + Sync>) {
        let _whole = self.printing.lock();
        self.again.fetch_add(1, Ordering::Relaxed);
        println!("once more: {line}\n    {error}");
    }
}
