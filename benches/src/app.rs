//! The app that is measured, and the events it commits.

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Todo {
    #[column(primary_key)]
    pub(crate) id: String,
    pub(crate) text: String,
    #[column(default = false)]
    pub(crate) completed: bool,
    #[column(index)]
    pub(crate) created_at: Timestamp,
    pub(crate) deleted_at: Option<Timestamp>,
}

#[derive(Event)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { id: String, text: String, created_at: Timestamp },
    #[event(name = "v1.TodoCompleted")]
    Completed { id: String },
    #[event(name = "v1.TodoDeleted")]
    Deleted { id: String, deleted_at: Timestamp },
}

impl Materialize for TodoEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Created { id, text, created_at } => state.insert(&Todo {
                id: id.clone(),
                text: text.clone(),
                completed: false,
                created_at: *created_at,
                deleted_at: None,
            }),
            Self::Completed { id } => {
                state.run(Todo::update().set(Todo::COMPLETED, true).filter(Todo::ID.eq(id)))
            }
            Self::Deleted { id, deleted_at } => {
                state.run(Todo::update().set(Todo::DELETED_AT, *deleted_at).filter(Todo::ID.eq(id)))
            }
        }
    }
}

livestore::schema! { pub(crate) App { tables: [Todo], events: [TodoEvent] } }

/// The args of `v1.TodoCreated`, as somebody without a store would write them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Created {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) created_at: Timestamp,
}

impl Created {
    /// The `n`th; ids come in no order, as random ones do.
    pub(crate) fn nth(n: u64) -> Self {
        Self {
            id: id(n),
            text: format!("Buy milk and bread, and call back number {n}"),
            created_at: Timestamp::from_millis(1_795_352_709_210 + n.cast_signed()),
        }
    }
}

impl From<Created> for TodoEvent {
    fn from(created: Created) -> Self {
        let Created { id, text, created_at } = created;
        Self::Created { id, text, created_at }
    }
}

/// As long as [`new_id`]'s, and the same in every run.
pub(crate) fn id(n: u64) -> String {
    // SplitMix64's mixer: a bijection, so no two ids are equal.
    let mut mixed = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    format!("todo-{mixed:016x}")
}
