use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::edge::primitives::lock;
use crate::live::Diff;
use crate::prelude::*;
use crate::table::{Aggregate, ColumnRef, Expression, RowReader};

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Spot {
    #[column(primary_key)]
    x: i64,
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

/// A store with the spots 0, 10, 20 and so on.
fn store(rows: usize) -> Store<App> {
    let store = Store::<App>::builder("spots").open().unwrap();
    let all = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 <";
    run(&store, &format!("INSERT INTO spot {all} {rows}) SELECT i * 10, 0 FROM n"));
    store
}

fn run(store: &Store<App>, sql: &str) {
    store.commit(Run { sql: sql.to_owned() }).unwrap();
}

/// The positions and the total of a window, checked against a fresh query.
fn checked(store: &Store<App>, window: &LiveWindow<Spot>) -> (Vec<i64>, usize) {
    let (value, range) = (Reactive::get(window), window.range());
    let rows: Vec<i64> = value.rows().iter().map(|spot| spot.x).collect();
    let all = store.query(Spot::all().order_by(Spot::X).select(Spot::X)).unwrap();
    let wanted = range.start.min(all.len())..range.end.min(all.len());
    assert_eq!(rows, all[wanted]);
    assert_eq!((value.total(), value.start()), (all.len(), range.start));
    (rows, value.total())
}

#[test]
fn a_window_costs_what_it_shows() {
    static READ: AtomicUsize = AtomicUsize::new(0);
    fn counted(row: &RowReader<'_>) -> Result<i64, RowError> {
        READ.fetch_add(1, Ordering::Relaxed);
        row.get(0)
    }
    use crate::table::RowError;

    let store = store(5_000);
    let mut ast = SelectAst::new(Spot::def());
    ast.list = vec![Expression::Column(ColumnRef::new(Spot::def(), 0))];
    let query: Select<Spot, i64> = Select::of(ast, counted);
    let window = store.live_window(query, 4_000..4_050).unwrap();
    let read = || READ.swap(0, Ordering::Relaxed);
    assert!((50..60).contains(&read()), "the rows of the range and a few around it");

    run(&store, "DELETE FROM spot WHERE x = 7; UPDATE spot SET y = 1 WHERE x < 1000");
    run(&store, "INSERT INTO spot VALUES (60000, 0)");
    assert_eq!(read(), 0, "what is elsewhere is not read");
    assert_eq!(Reactive::get(&window).total(), 5_001);

    window.set_range(4_010..4_060).unwrap();
    assert!((10..20).contains(&read()), "of a range that overlaps, the new rows are read");
}

#[test]
fn a_window_moves_with_the_rows_before_it() {
    let store = store(100);
    let window = store.live_window(Spot::all().order_by(Spot::X), 50..53).unwrap();
    assert_eq!(checked(&store, &window), (vec![500, 510, 520], 100));
    let mut diffs = window.diffs();
    let mut shown = Vec::new();
    let mut steps = |diffs: &mut Diffs<Spot>| {
        let steps = diffs.try_next().unwrap();
        steps.iter().for_each(|step| step.apply(&mut shown, |spot| spot.x));
        (steps.len(), shown.clone())
    };
    steps(&mut diffs);
    run(&store, "INSERT INTO spot VALUES (1, 0)");
    assert_eq!(steps(&mut diffs), (2, checked(&store, &window).0), "a row comes, and one goes");
    // More than the spare rows.
    run(&store, "DELETE FROM spot WHERE x < 200");
    assert_eq!(steps(&mut diffs).1, checked(&store, &window).0);
    run(&store, "DELETE FROM spot WHERE x > 300");
    assert_eq!(steps(&mut diffs).1, checked(&store, &window).0);
    assert!(Reactive::get(&window).rows().is_empty());
    window.set_range(0..3).unwrap();
    assert_eq!(checked(&store, &window), (vec![200, 210, 220], 11));
}

#[test]
fn a_range_that_overlaps_is_scrolled_to_and_another_is_read() {
    let store = store(100);
    let window = store.live_window(Spot::all().order_by(Spot::X), 0..10).unwrap();
    let mut diffs = window.diffs();
    let mut resets = || {
        let steps: Vec<_> = std::iter::from_fn(|| diffs.try_next()).flatten().collect();
        steps.iter().any(|step| matches!(step, Diff::Reset { .. }))
    };
    assert!(resets(), "as at every start");
    for (range, is_reset) in [
        (4..14, false),
        (0..12, false),
        (11..12, false),
        (9..100, false),
        (0..2, true),
        (98..200, true),
        (500..510, true),
        (90..95, true),
    ] {
        window.set_range(range.clone()).unwrap();
        checked(&store, &window);
        assert_eq!(resets(), is_reset, "{range:?}");
    }
}

#[test]
fn a_subscriber_is_called_for_rows_and_for_the_total() {
    let store = store(10);
    let window = store.live_window(Spot::all().order_by(Spot::X), 2..4).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&calls);
    let _guard = window.subscribe(move |window: &Window<Spot>| {
        lock(&received).push((window.start(), window.total()));
    });
    run(&store, "UPDATE spot SET y = 1 WHERE x = 90");
    run(&store, "UPDATE spot SET y = 1 WHERE x = 20");
    run(&store, "DELETE FROM spot WHERE x = 90");
    window.set_range(3..5).unwrap();
    window.clone().set_range(3..5).unwrap();
    assert_eq!(*lock(&calls), [(2, 10), (2, 9), (3, 9)]);
}

#[test]
fn a_limited_query_and_one_that_is_run_again_have_windows_too() {
    let store = store(30);
    let of = |query: Select<Spot>, range: Range<usize>| {
        let window = store.live_window(query, range).unwrap();
        let value = Reactive::get(&window);
        (value.rows().iter().map(|spot| spot.x).collect::<Vec<_>>(), value.total())
    };
    let limited = || Spot::all().order_by(Spot::X).offset(5).limit(10);
    assert_eq!(of(limited(), 0..2), (vec![50, 60], 10));
    assert_eq!(of(limited(), 8..20), (vec![130, 140], 10));
    assert_eq!(of(limited(), 20..30), (vec![], 10));
    let distinct = || Spot::all().order_by(Spot::X).distinct();
    assert_eq!(of(distinct(), 28..99), (vec![280, 290], 30));

    let window = store.live_window(distinct(), 28..99).unwrap();
    run(&store, "DELETE FROM spot WHERE x = 0");
    assert_eq!(checked(&store, &window), (vec![290], 29));
    window.set_range(1..2).unwrap();
    assert_eq!(checked(&store, &window), (vec![20], 29));
}

#[test]
fn a_window_that_is_scrolled_while_its_query_fails_is_there_once_it_works() {
    let store = store(1);
    let mut ast = SelectAst::new(Spot::def());
    ast.list = vec![Expression::Aggregate(Aggregate::Sum, ColumnRef::new(Spot::def(), 0))];
    // Its only row is skipped: what is read is the same at every place.
    ast.offset = Some(1);
    let query: Select<Spot, Option<i64>> = Select::of(ast, |row| row.get(0));
    let window = store.live_window(query, 5..6).unwrap();
    run(&store, &format!("INSERT INTO spot VALUES ({}, 0), (1, 0)", i64::MAX));
    assert!(window.error().is_some());
    window.set_range(9..10).unwrap();
    run(&store, "DELETE FROM spot");
    assert_eq!(window.error(), None);
    assert_eq!(Reactive::get(&window).start(), 9);
}

#[test]
fn a_window_of_a_closed_store_stays_as_it_is() {
    let store = store(10);
    let window = store.live_window(Spot::all().order_by(Spot::X), 2..4).unwrap();
    store.close().unwrap();
    assert_eq!(window.set_range(0..1), Err(QueryError::Closed));
    assert_eq!((window.range(), Reactive::get(&window).rows().len()), (2..4, 2));
}
