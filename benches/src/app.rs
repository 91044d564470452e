//! The app that is measured, and the events it commits.

use livestore::prelude::*;

pub(crate) use livestore_testing::sample::todos::{App, Todo, TodoEvent};

/// The args of `v1.TodoCreated`, as somebody without a store would write them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
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
