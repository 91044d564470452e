//! Bugs that the random cases have found, each as a minimal case.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cells::{At, Cells, Flat, Picky};
use super::dice::Dice;
use super::history::Commit;
use super::queries::select;
use super::tables::{self, table};
use super::watch::Watch;
use super::world::World;
use super::writes::Write;
use crate::live::{Live, Reactive, Registry, batch, deliver, enqueue};
use crate::state::State;
use crate::table::{
    Aggregate, Cardinality, ColumnRef, Comparison, Direction, Expression, First, Many, Nested, One,
    OrderBy, Predicate, SelectAst, Table, Writer,
};
use crate::value::Value;

const ASCENDING: Direction = Direction::Ascending;

/// The rolls that make `t` a table of many columns.
const WIDE: [u16; 6] = [0, 0, 0, 0, 0, 99];

/// A table `t` of the integers `key` and `a`, the plainest that there is.
fn plain() -> SelectAst {
    tables::schema(&mut Dice::new(&[]));
    SelectAst::new(table::<0>())
}

fn column(index: usize) -> ColumnRef {
    ColumnRef::new(plain().from, index)
}

fn by(index: usize, direction: Direction) -> OrderBy {
    OrderBy { node: Expression::Column(column(index)), sorting: direction.into() }
}

/// Live and fresh are the same after each commit; returns how often the subscriber was called.
fn calls<Q>(query: Q, before: &[&str], commits: &[&[&str]]) -> usize
where
    Q: Live<Value: Flat, Output: Flat> + Clone,
{
    calls_in(&[], query, before, commits)
}

/// The same in another schema.
fn calls_in<Q>(schema: &[u16], query: Q, before: &[&str], commits: &[&[&str]]) -> usize
where
    Q: Live<Value: Flat, Output: Flat> + Clone,
{
    let (schema, _) = tables::schema(&mut Dice::new(schema));
    let (mut state, mut registry) = (State::empty(schema).unwrap(), Registry::new(schema));
    let commit = |state: &State, sql: &[&str]| {
        let savepoint = state.savepoint().unwrap();
        let mut writer = Writer::new(state.reader("").db());
        for sql in sql {
            writer.sql(sql, ()).unwrap();
        }
        savepoint.release().unwrap();
    };
    commit(&state, before);
    let live = registry.start(query.clone(), None, &state.reader("")).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let _guard = live.subscribe(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    for sql in commits {
        commit(&state, sql);
        let changes = state.take_changes();
        enqueue(registry.apply(&changes, &state.reader("")));
        deliver();
        assert_eq!(live.get().flat(), query.run(&state.reader("")).unwrap().flat());
    }
    let called = calls.load(Ordering::Relaxed);
    enqueue(registry.restart(&state.reader("")).unwrap());
    deliver();
    assert_eq!(
        calls.load(Ordering::Relaxed),
        called,
        "a restart by itself does not call subscribers"
    );
    called
}

fn of<C: Cardinality<Cells>>(ast: SelectAst) -> crate::table::Select<At<0>, Cells, C> {
    select::<Cells, C>(ast)
}

#[test]
fn a_row_replaced_by_an_equal_one_calls_no_subscriber() {
    let query = At::<0>::get(vec![Value::Integer(3)]);
    let replaced = "INSERT OR REPLACE INTO t VALUES (3, 0)";
    let before = ["INSERT INTO t VALUES (0, 0), (3, 0)"];
    plain();
    assert_eq!(calls(query, &before, &[&[replaced]]), 0);
}

#[test]
fn a_key_that_goes_to_another_row_is_found_there() {
    let query = At::<0>::get(vec![Value::Integer(3)]);
    let commit = [
        "UPDATE t SET key = 4 WHERE key = 3",
        "INSERT INTO t VALUES (3, 7)",
        "UPDATE t SET key = 5 WHERE key = 4",
    ];
    plain();
    assert_eq!(calls(query, &["INSERT INTO t VALUES (3, 0)"], &[&commit]), 1);
}

#[test]
fn rows_behind_an_offset_have_an_order() {
    let query = SelectAst { offset: Some(1), list: vec![Expression::Column(column(0))], ..plain() };
    let commits: [&[&str]; 2] =
        [&["INSERT INTO t VALUES (3, 0)"], &["INSERT INTO t VALUES (0, 0)"]];
    assert_eq!(calls(of::<Many>(query), &[], &commits), 1);
}

#[test]
fn a_row_deleted_and_inserted_again_calls_no_subscriber() {
    let query = SelectAst { limit: Some(3), ..plain() };
    let commit = ["DELETE FROM t WHERE key = 1", "INSERT INTO t VALUES (1, 0)"];
    assert_eq!(calls(of::<Many>(query), &["INSERT INTO t VALUES (1, 0)"], &[&commit]), 0);
}

#[test]
fn a_changed_order_by_hidden_columns_calls_no_subscriber() {
    let order_by = vec![by(1, Direction::Descending)];
    let list = vec![Expression::Column(column(0))];
    for limit in [None, Some(5)] {
        let query = SelectAst { limit, order_by: order_by.clone(), list: list.clone(), ..plain() };
        let before = ["INSERT INTO t VALUES (1, 0), (2, 9)"];
        assert_eq!(calls(of::<Many>(query), &before, &[&["UPDATE t SET a = 1 WHERE key = 1"]]), 0);
    }
}

#[test]
fn an_order_that_is_not_shown_may_change_for_all_rows() {
    let order_by = vec![by(1, ASCENDING)];
    let query = SelectAst { order_by, list: vec![Expression::Column(column(0))], ..plain() };
    let before = ["INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)"];
    let (all, one) = ("UPDATE t SET a = a + 10", "UPDATE t SET a = 0 WHERE key = 3");
    assert_eq!(calls(of::<Many>(query), &before, &[&[all], &[one]]), 1);
}

#[test]
fn among_rows_that_look_alike_any_may_come_and_go() {
    let order_by = vec![by(0, ASCENDING)];
    let before = ["INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 5)"];
    let others = ["DELETE FROM t WHERE key < 3", "INSERT INTO t VALUES (-1, 0), (-2, 0)"];
    let moved = ["UPDATE t SET key = 2 WHERE key = -2"];
    for limit in [None, Some(3)] {
        let list = vec![Expression::Column(column(1))];
        let query = SelectAst { limit, order_by: order_by.clone(), list, ..plain() };
        assert_eq!(calls(of::<Many>(query), &before, &[&others, &moved]), 0);
    }
}

#[test]
fn rows_may_exchange_a_key_that_is_not_shown() {
    let order_by = vec![by(0, ASCENDING)];
    let query = SelectAst { order_by, list: vec![Expression::Column(column(1))], ..plain() };
    let exchange = ["key = 9 WHERE key = 1", "key = 1 WHERE key = 2", "key = 2 WHERE key = 9"];
    let exchange = exchange.map(|set| format!("UPDATE t SET {set}"));
    let exchange = exchange.each_ref().map(String::as_str);
    for (a, times) in [(0, 0), (7, 1)] {
        let before = format!("INSERT INTO t VALUES (1, 0), (2, {a}), (3, 0)");
        assert_eq!(calls(of::<Many>(query.clone()), &[&before], &[&exchange]), times);
    }
}

#[test]
fn a_change_of_a_wide_table_alone_calls_no_subscriber() {
    tables::schema(&mut Dice::new(&WIDE));
    let all = SelectAst::new(table::<0>());
    let of_one = Predicate::Compare(column(0), Comparison::Is, Value::Integer(1));
    let filtered = SelectAst { filters: vec![of_one], ..all.clone() };
    let count = SelectAst { counted: true, ..all };
    let before = ["INSERT INTO t(key, a) VALUES (1, 0), (2, 0)"];
    let commits: [&[&str]; 2] =
        [&["UPDATE t SET w9 = 9 WHERE key = 2"], &["DELETE FROM t WHERE key = 1"]];
    let point = At::<0>::get(vec![Value::Integer(1)]);
    assert_eq!(calls_in(&WIDE, of::<Many>(filtered.clone()), &before, &commits), 1);
    assert_eq!(calls_in(&WIDE, of::<First>(filtered), &before, &commits), 1);
    assert_eq!(calls_in(&WIDE, of::<One>(count), &before, &commits), 1);
    assert_eq!(calls_in(&WIDE, point, &before, &commits), 1);
}

#[test]
fn changes_of_groups_after_the_first_call_no_subscriber() {
    let by = column(1);
    let query = SelectAst { group_by: vec![by], list: vec![Expression::Column(by)], ..plain() };
    let before = ["INSERT INTO t VALUES (1, 0)"];
    assert_eq!(calls(of::<First>(query), &before, &[&["INSERT INTO t VALUES (2, 9)"]]), 0);
}

#[test]
fn a_group_behind_the_first_may_overflow() {
    let sum = Expression::Aggregate(Aggregate::Sum, column(0));
    let query = SelectAst { group_by: vec![column(1)], list: vec![sum], ..plain() };
    let before = ["INSERT INTO t VALUES (1, 0)"];
    let commits: [&[&str]; 2] = [
        &["INSERT INTO t VALUES (9223372036854775807, 9), (9223372036854775806, 9)"],
        &["INSERT INTO t VALUES (2, 0)"],
    ];
    assert_eq!(calls(of::<First>(query), &before, &commits), 1);
}

#[test]
fn a_group_of_one_key_is_a_whole_row() {
    let query = SelectAst { group_by: vec![column(0)], ..plain() };
    assert_eq!(calls(of::<Many>(query), &[], &[&["INSERT INTO t VALUES (1, 0)"]]), 1);
}

#[test]
fn rows_that_give_each_other_their_row_ids_have_not_gone() {
    let query = SelectAst { order_by: vec![by(0, ASCENDING)], ..plain() };
    let commit = ["DELETE FROM t", "INSERT INTO t (_rowid_, key, a) VALUES (1, 2, 0), (2, 1, 0)"];
    assert_eq!(calls(of::<Many>(query), &["INSERT INTO t VALUES (1, 0), (2, 0)"], &[&commit]), 0);
}

#[test]
fn children_of_different_parents_that_are_read_in_another_order_call_no_subscriber() {
    let parents = SelectAst { distinct: true, order_by: vec![by(0, ASCENDING)], ..plain() };
    let query = Nested::<At<0>, At<0>>::new(parents, vec![(column(0), column(0))], plain());
    let commit = ["UPDATE t SET _rowid_ = _rowid_ + 10 WHERE key = 1"];
    assert_eq!(calls(query, &["INSERT INTO t VALUES (1, 0), (2, 0)"], &[&commit]), 0);
}

#[test]
fn like_looks_no_further_than_a_nul() {
    let like = |text: &str, pattern: &str| {
        let column = column(0);
        let pattern = Value::text(pattern.to_owned());
        Predicate::Like(column, pattern).holds(&[Value::text(text.to_owned())])
    };
    assert_eq!(like("", "\0a"), Some(true));
    assert_eq!(like("a\0b", "a"), Some(true));
    assert_eq!(like("b", "a\0"), Some(false));
}

#[test]
fn a_query_that_works_only_in_the_middle_of_a_batch_calls_its_subscriber() {
    let mut world = World::new(&mut Dice::new(&[]), false);
    let query = select::<Picky, Many>(plain());
    let mut watch = Watch::start(query, Some(plain()), &mut world).unwrap().unwrap();
    watch.toggle_subscription();
    let commit = |world: &mut World, sql: &str| {
        let write = Write { sql: sql.to_owned(), binds: Vec::new() };
        world.apply(Commit { writes: vec![write], fails: false });
    };
    let refused = "INSERT INTO t VALUES (3, 0)";
    commit(&mut world, refused);
    watch.check(&world.history.reader()).unwrap();
    assert!(watch.failed());
    batch(|| {
        for sql in ["DELETE FROM t", refused] {
            commit(&mut world, sql);
            watch.compare(&world.history.reader()).unwrap();
        }
    });
    watch.check(&world.history.reader()).unwrap();
    assert!(watch.failed());
}
