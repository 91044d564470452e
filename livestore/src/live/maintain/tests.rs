//! Changes that were once applied wrongly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::live::{Diff, List, Reactive};
use crate::prelude::*;
use crate::table::Select;

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Spot {
    #[column(primary_key)]
    x: i64,
    #[column(index)]
    y: i64,
}

#[derive(Event)]
#[event(name = "v1.SqlRun")]
struct Run {
    sql: String,
}

impl Materialize for Run {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        self.sql.split(';').try_for_each(|sql| state.sql(sql, ()).map(drop))
    }
}

crate::schema! { App { tables: [Spot], events: [Run] } }

/// Live and fresh are the same after each commit, and the diffs lead there; returns how often a
/// subscriber was called.
fn calls(query: impl Fn() -> Select<Spot>, before: &str, commits: &[&str]) -> usize {
    let store = Store::<App>::builder("spots").open().unwrap();
    let run = |sql: &str| store.commit(Run { sql: sql.to_owned() }).unwrap();
    run(before);
    let live = store.live(query()).unwrap();
    let (calls, mut diffs, mut shown) = (Arc::new(AtomicUsize::new(0)), live.diffs(), Vec::new());
    let counter = Arc::clone(&calls);
    let _guard = live.subscribe(move |_: &List<Spot>| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut take =
        |all: Vec<Diff<Spot>>| all.iter().for_each(|it| it.apply(&mut shown, Spot::clone));
    take(diffs.try_next().unwrap());
    for sql in commits {
        run(sql);
        diffs.try_next().into_iter().for_each(&mut take);
        assert_eq!(*live.get(), *store.query(query()).unwrap(), "{sql}");
    }
    assert_eq!(*live.get(), *shown);
    calls.load(Ordering::Relaxed)
}

#[test]
fn a_window_that_runs_out_of_rows_is_refilled_without_a_notification() {
    let query = || Spot::all().order_by(Spot::Y.asc()).limit(1);
    // Nothing is left but the first row, which goes and comes.
    let before = "INSERT INTO spot VALUES (1, 0), (2, 1), (3, 2), (4, 3), (5, 4)";
    let again = "DELETE FROM spot WHERE x < 4; INSERT INTO spot VALUES (1, 0)";
    assert_eq!(calls(query, before, &[again]), 0);
}

#[test]
fn a_window_is_filled_by_what_comes_behind_it() {
    let query = || Spot::all().order_by(Spot::Y.desc()).limit(2);
    let before = "INSERT INTO spot VALUES (1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (6, 5)";
    let commits = ["DELETE FROM spot WHERE x > 2", "DELETE FROM spot", before];
    assert_eq!(calls(query, before, &commits), 3);
}

#[test]
fn a_row_id_is_free_before_another_row_takes_it() {
    let taken = "UPDATE spot SET x = 5 WHERE x = 3; INSERT INTO spot VALUES (3, 7); \
                 UPDATE spot SET x = 6 WHERE x = 5";
    assert_eq!(calls(Spot::all, "INSERT INTO spot VALUES (3, 0), (4, 0)", &[taken]), 1);
}

#[test]
fn a_row_moves_behind_one_that_the_same_commit_has_added() {
    let query = || Spot::all().order_by(Spot::Y.asc());
    let before = "INSERT INTO spot VALUES (1, 0), (2, 1), (3, 2)";
    let commits = ["INSERT INTO spot VALUES (4, 5); UPDATE spot SET y = 9 WHERE x = 1"];
    assert_eq!(calls(query, before, &commits), 1);
}

#[test]
fn rows_without_an_order_have_one_whatever_index_is_followed() {
    let query = || Spot::filter(Spot::Y.between(1, 9));
    let before = "INSERT INTO spot VALUES (1, 5), (2, 4), (3, 3)";
    assert_eq!(calls(query, before, &["UPDATE spot SET y = 9 WHERE x = 2"]), 1);
}
