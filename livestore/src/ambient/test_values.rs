//! The time and the ids that a test decides, for `livestore-testing`.

use std::cell::Cell;

use livestore_protocol::ID_LENGTH;

use crate::edge::primitives::thread_local;
use crate::value::Timestamp;

/// What a thread gets instead of its machine's time and of random ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestValues {
    /// The time.
    pub time: Option<Timestamp>,
    /// The number of the last id.
    pub last_id: Option<u64>,
}

thread_local! {
    static VALUES: Cell<TestValues> = const { Cell::new(TestValues { time: None, last_id: None }) };
}

/// Changes this thread's values.
pub fn change_test_values<R>(change: impl FnOnce(&mut TestValues) -> R) -> R {
    VALUES.with(|values| {
        let mut changed = values.get();
        let result = change(&mut changed);
        values.set(changed);
        result
    })
}

pub(super) fn time() -> Option<Timestamp> {
    VALUES.with(Cell::get).time
}

pub(super) fn next_id() -> Option<String> {
    change_test_values(|values| {
        let number = values.last_id?.wrapping_add(1);
        values.last_id = Some(number);
        Some(format!("{number:0ID_LENGTH$}"))
    })
}
