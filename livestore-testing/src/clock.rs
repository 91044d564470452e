//! The time and the ids that a test decides.

use std::marker::PhantomData;
use std::time::Duration;

use livestore::__private::change_test_values;
use livestore::Timestamp;

/// A clock that the test moves: until it is dropped, [`livestore::now`] returns its time on this thread.
///
/// ```
/// use livestore_testing::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::at("2026-03-01T09:00:00Z");
/// let before = livestore::now();
/// clock.advance(Duration::from_secs(3_600));
/// assert_eq!(livestore::now(), "2026-03-01T10:00:00Z".parse()?);
/// assert_eq!(before, "2026-03-01T09:00:00Z".parse()?);
/// # Ok::<(), livestore::value::ParseTimestampError>(())
/// ```
#[derive(Debug)]
pub struct Clock {
    before: Option<Timestamp>,
    // It is this thread's.
    _not_send: PhantomData<*const ()>,
}

impl Clock {
    /// Stops the clock at a time, such as `2026-03-01T09:00:00Z`.
    ///
    /// # Panics
    /// If that is not a time.
    #[track_caller]
    pub fn at(time: &str) -> Self {
        let before = change_test_values(|values| values.time.replace(parsed(time)));
        Self { before, _not_send: PhantomData }
    }

    /// Sets another time, which may be an earlier one.
    ///
    /// # Panics
    /// If that is not a time.
    #[track_caller]
    pub fn set(&self, time: &str) {
        let time = parsed(time);
        change_test_values(|values| values.time = Some(time));
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        change_test_values(|values| {
            let later =
                |time: Timestamp| Timestamp::from_millis(time.as_millis().saturating_add(by));
            values.time = values.time.map(later);
        });
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let before = self.before;
        change_test_values(|values| values.time = before);
    }
}

#[track_caller]
fn parsed(time: &str) -> Timestamp {
    time.parse().unwrap_or_else(|error| panic!("`{time}` is not a time: {error}"))
}

/// Ids that are the same in every run: until it is dropped, [`livestore::new_id`] returns `0…01`, `0…02`
/// and so on on this thread, so that a snapshot of the state can be compared with.
///
/// ```
/// use livestore_testing::CountedIds;
///
/// let ids = CountedIds::new();
/// assert_eq!(livestore::new_id(), "000000000000000000001");
/// assert_eq!(livestore::new_id(), "000000000000000000002");
/// drop(ids);
/// assert_ne!(livestore::new_id(), "000000000000000000003");
/// ```
#[derive(Debug)]
pub struct CountedIds {
    before: Option<u64>,
    _not_send: PhantomData<*const ()>,
}

impl CountedIds {
    /// Counts from 1 on.
    #[expect(clippy::new_without_default, reason = "it changes what the thread's ids are")]
    pub fn new() -> Self {
        let before = change_test_values(|values| values.last_id.replace(0));
        Self { before, _not_send: PhantomData }
    }
}

impl Drop for CountedIds {
    fn drop(&mut self) {
        let before = self.before;
        change_test_values(|values| values.last_id = before);
    }
}
