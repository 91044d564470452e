//! Counters: the least that an app can be.

use livestore::prelude::*;

/// A number that grows.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    /// The key.
    #[column(primary_key)]
    pub id: i64,
    /// The number of times it was counted.
    pub value: i64,
}

/// Adds 1 to a counter, which need not be there yet.
#[derive(Event, Debug, Clone, PartialEq)]
#[event(name = "v1.Counted")]
pub struct Counted {
    /// The counter's key.
    pub id: i64,
}

impl Materialize for Counted {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let sql = "INSERT INTO counter VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1";
        state.sql(sql, (self.id,)).map(|_| ())
    }
}

livestore::schema! {
    /// Counters.
    pub App { tables: [Counter], events: [Counted] }
}
