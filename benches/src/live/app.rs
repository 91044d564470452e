//! The app whose queries are live.

use livestore::prelude::*;

use crate::Result as Measuring;
use crate::app::id;

/// How many tasks there are.
pub(super) const ROWS: u64 = 100_000;

/// How many of them have the same status.
pub(super) const OF_A_STATUS: u64 = 100;

pub(super) const STATUSES: u64 = ROWS / OF_A_STATUS;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Task {
    #[column(primary_key)]
    pub(crate) id: String,
    pub(crate) title: String,
    #[column(index)]
    pub(crate) status: u64,
    #[column(index)]
    pub(crate) rank: u64,
    pub(crate) revision: u64,
}

/// Another table, which stays empty while something is measured.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tag {
    #[column(primary_key)]
    pub(crate) id: String,
}

#[derive(Event)]
pub(crate) enum TaskEvent {
    #[event(name = "v1.TaskCreated")]
    Created { id: String, title: String, status: u64, rank: u64 },
    #[event(name = "v1.TaskRevised")]
    Revised { id: String, revision: u64 },
    #[event(name = "v1.TaskMoved")]
    Moved { id: String, status: u64 },
    #[event(name = "v1.TaskRanked")]
    Ranked { id: String, rank: u64 },
    #[event(name = "v1.TagCreated")]
    Tagged { id: String },
}

impl Materialize for TaskEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Created { id, title, status, rank } => state.insert(&Task {
                id: id.clone(),
                title: title.clone(),
                status: *status,
                rank: *rank,
                revision: 0,
            }),
            Self::Revised { id, revision } => {
                state.run(Task::update().set(Task::REVISION, *revision).filter(Task::ID.eq(id)))
            }
            Self::Moved { id, status } => {
                state.run(Task::update().set(Task::STATUS, *status).filter(Task::ID.eq(id)))
            }
            Self::Ranked { id, rank } => {
                state.run(Task::update().set(Task::RANK, *rank).filter(Task::ID.eq(id)))
            }
            Self::Tagged { id } => state.insert(&Tag { id: id.clone() }),
        }
    }
}

livestore::schema! { pub(crate) App { tables: [Task, Tag], events: [TaskEvent] } }

/// A store in memory with all tasks; the `k`th has rank `k`, and they come in no order.
pub(super) fn store() -> Measuring<Store<App>> {
    let store = Store::<App>::builder("bench").open()?;
    let tasks: Vec<_> = (0..ROWS).map(|n| scattered(n, ROWS)).collect();
    // In small commits, whose leftovers do not leave large holes on the heap.
    for tasks in tasks.chunks(1_000) {
        store.commit(tasks.iter().map(|k| created(*k)).collect::<Vec<_>>())?;
    }
    Ok(store)
}

/// The `n`th of the numbers below `of`, in no order, and none twice before all had their turn.
pub(super) fn scattered(n: u64, of: u64) -> u64 {
    n * 7_919 % of
}

fn created(k: u64) -> TaskEvent {
    let title = format!("Buy milk and bread, and call back number {k}");
    TaskEvent::Created { id: id(k), title, status: k / OF_A_STATUS, rank: k }
}

/// The `n`th commit changes the task `k`, and nothing that it is found or ordered by.
pub(super) fn revised(k: u64, n: u64) -> TaskEvent {
    TaskEvent::Revised { id: id(k), revision: n + 1 }
}

/// The `n`th commit takes a task from one half of the statuses to the other.
pub(super) fn moved(n: u64) -> TaskEvent {
    let (k, half) = (scattered(n, ROWS), STATUSES / 2);
    let turns = n / ROWS + 1;
    TaskEvent::Moved { id: id(k), status: (k / OF_A_STATUS + turns * half) % STATUSES }
}

/// The `n`th commit makes the first task by rank the last.
pub(super) fn sent_back(n: u64) -> TaskEvent {
    TaskEvent::Ranked { id: id(n % ROWS), rank: n + ROWS }
}
