//! Queries beyond SQLite's limits: long lists, many conditions, deep ones.

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Point {
    #[column(primary_key)]
    id: i64,
    a: i64,
    maybe: Option<i64>,
    real: f64,
    text: String,
    bytes: Vec<u8>,
}

#[derive(Event)]
#[event(name = "v1.PointAdded")]
struct PointAdded(Point);

#[derive(Event)]
#[event(name = "v1.PointsRemoved")]
struct PointsRemoved {
    up_to: i64,
}

impl Materialize for PointAdded {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.upsert(&self.0)
    }
}

impl Materialize for PointsRemoved {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.run(Point::delete().filter(any_of_pairs(self.up_to)))
    }
}

livestore::schema! { Points { tables: [Point], events: [PointAdded, PointsRemoved] } }

fn point(id: i64) -> PointAdded {
    PointAdded(Point {
        id,
        a: id,
        maybe: (id < 10).then_some(id),
        real: id as f64 / 3.0,
        text: format!("{id}\0ä"),
        bytes: id.to_le_bytes().to_vec(),
    })
}

fn points() -> Store<Points> {
    let store = Store::<Points>::builder("points").open().unwrap();
    store.commit((point(5), point(32_900), point(-1))).unwrap();
    store
}

fn any_of_pairs(up_to: i64) -> Condition<Point> {
    (0..up_to).map(|n| Point::ID.eq(n).and(Point::A.eq(n))).reduce(Condition::or).unwrap()
}

/// The ids that a query and a live query find.
#[track_caller]
fn found(store: &Store<Points>, condition: Condition<Point>) -> Vec<i64> {
    let query = Point::filter(condition).order_by(Point::ID).select(Point::ID);
    let fresh = store.query(query.clone()).unwrap();
    let live = store.live(query).unwrap();
    store.commit(point(5)).unwrap();
    assert_eq!(live.get().iter().map(|id| **id).collect::<Vec<_>>(), fresh);
    fresh
}

#[test]
fn thousands_of_conditions_are_joined_in_either_direction() {
    let store = points();
    assert_eq!(found(&store, any_of_pairs(1_001)), [5]);
    let from_the_right =
        (0..5_000).map(|n| Point::A.eq(n)).rev().reduce(|all, one| one.or(all)).unwrap();
    assert_eq!(found(&store, from_the_right), [5]);
    let all = (0..5_000).map(|n| Point::A.ne(n + 10)).reduce(|all, one| all & one).unwrap();
    assert_eq!(found(&store, all), [-1, 5, 32_900]);
    let filters = (0..2_000).fold(Point::all(), |query, n| query.filter(Point::A.ne(n)));
    assert_eq!(store.query(filters.count()).unwrap(), 2);
    store.commit(PointsRemoved { up_to: 1_500 }).unwrap();
    assert_eq!(store.query(Point::all().count()).unwrap(), 2);
}

#[test]
fn equalities_are_a_list() {
    let store = points();
    let many = (0..40_000).map(|n| Point::A.eq(n)).collect::<Vec<_>>();
    assert_eq!(found(&store, any_of(many)), [5, 32_900]);
    let many = (0..40_000).map(|n| Point::MAYBE.eq(n)).reduce(Condition::or).unwrap();
    assert_eq!(found(&store, many.clone()), [5]);
    assert_eq!(found(&store, !many.clone()), [-1, 32_900], "NULL is not equal to any");
    assert_eq!(found(&store, !many.or(Point::MAYBE.is_null())), [-1]);
}

#[test]
fn more_values_than_a_statement_takes_are_an_error() {
    let error = points().query(Point::filter(any_of_pairs(20_000))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the query compares with 40000 values, and SQLite takes 32766; pass a long list to `in_`"
    );
}

#[test]
fn a_list_of_any_type_is_as_long_as_it_may_be() {
    let store = points();
    assert_eq!(found(&store, Point::A.in_(0..300_000)), [5, 32_900]);
    assert_eq!(
        found(&store, Point::REAL.in_((0..33_000).map(|n| f64::from(n) / 3.0))),
        [5, 32_900]
    );
    assert_eq!(found(&store, Point::TEXT.in_((0..33_000).map(|n| format!("{n}\0ä")))), [5, 32_900]);
    let bytes = (0..33_000i64).map(|n| n.to_le_bytes().to_vec());
    assert_eq!(found(&store, Point::BYTES.in_(bytes)), [5, 32_900]);
    let extreme = [f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 5.0 / 3.0];
    let reals = (0..300).map(|n| f64::from(n) + 0.1).chain(extreme);
    assert_eq!(found(&store, Point::REAL.in_(reals)), [5]);
    assert_eq!(found(&store, Point::A.in_(Vec::<i64>::new())), [0; 0]);
    assert_eq!(found(&store, !Point::A.in_(Vec::<i64>::new())), [-1, 5, 32_900]);
}

#[test]
fn what_is_nested_too_deeply_is_an_error() {
    let store = points();
    let nested = |depth| {
        (0..depth).fold(Point::A.eq(5), |inner, n| match n % 3 {
            0 => inner.and(Point::A.ne(-n)),
            1 => inner.or(Point::A.eq(5)),
            _ => !!inner,
        })
    };
    assert_eq!(found(&store, nested(250)), [5]);
    // Built, cloned, shown and dropped without running out of stack.
    let deep = nested(100_000);
    assert!(format!("{:?}", deep.clone()).len() < 1_000);
    assert_eq!(
        store.query(Point::filter(deep)).unwrap_err().to_string(),
        "a condition is nested more than 200 levels deep; join its parts with `any_of` or `all_of`"
    );
    let negated = (0..100_000).fold(Point::A.eq(5), |inner, _| !(inner.and(Point::A.gt(0))));
    assert!(matches!(store.live(Point::filter(negated)), Err(QueryError::TooDeep { .. })));
}

#[test]
fn an_order_by_thousands_of_columns_is_one_by_each() {
    let store = points();
    let query = (0..5_000)
        .fold(Point::all(), |query, _| query.order_by(Point::A).order_by(Point::ID.desc()));
    let query = (0..5_000).fold(query, |query, _| query.order_by(Point::TEXT));
    assert_eq!(store.query(query.select(Point::ID)).unwrap(), [-1, 5, 32_900]);
    let groups = (0..5_000).fold(Point::all(), |query, _| query.group_by(Point::A));
    assert_eq!(store.query(groups.select(Point::A)).unwrap().len(), 3);
}

#[test]
fn limits_and_offsets_go_to_the_end_of_their_type() {
    let store = points();
    let query = |limit, offset| {
        let query = Point::all().order_by(Point::ID).limit(limit).offset(offset);
        let live = store.live(query.clone()).unwrap();
        assert_eq!(live.get().len(), store.query(query.clone()).unwrap().len());
        store.query(query.count()).unwrap()
    };
    assert_eq!(query(u64::MAX, 0), 3);
    assert_eq!(query(u64::MAX, 1), 2);
    assert_eq!(query(0, 0), 0);
    assert_eq!(query(1, u64::MAX), 0);
    assert_eq!(query(i64::MAX as u64 + 1, i64::MAX as u64), 0);
}

/// Each `%` used to double the time that it takes: this would not end.
#[test]
fn a_pattern_of_many_wildcards_does_not_block_a_commit() {
    let store = points();
    let pattern = format!("{}b", "%a".repeat(60));
    let live = store.live(Point::filter(Point::TEXT.like(pattern))).unwrap();
    let PointAdded(point) = point(7);
    store.commit(PointAdded(Point { text: "a".repeat(10_000), ..point.clone() })).unwrap();
    assert_eq!(live.get().len(), 0);
    store.commit(PointAdded(Point { text: "A".repeat(10_000) + "b", ..point })).unwrap();
    assert_eq!(live.get().len(), 1);
}
