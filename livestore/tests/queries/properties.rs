//! Random conditions on random rows: the store must agree with what plain Rust makes of them.

use std::cmp::Ordering;

use livestore::prelude::*;
use livestore::table::Select;
use proptest::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Item {
    #[column(primary_key)]
    id: i64,
    number: i64,
    #[column(index)]
    maybe_number: Option<i64>,
    text: String,
    maybe_text: Option<String>,
    real: f64,
    flag: bool,
}

#[derive(Event)]
#[event(name = "v1.ItemAdded")]
struct ItemAdded(Item);

impl Materialize for ItemAdded {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert(&self.0)
    }
}

livestore::schema! { Items { tables: [Item], events: [ItemAdded] } }

/// A condition, as data.
#[derive(Debug, Clone)]
enum Test {
    Number(Operator, i64),
    MaybeNumber(Operator, Option<i64>),
    NumberBetween(i64, i64),
    MaybeNumberBetween(i64, Option<i64>),
    MaybeNumberIn(Vec<Option<i64>>),
    Text(Operator, String),
    MaybeText(Operator, Option<String>),
    TextIn(Vec<String>),
    TextLike(String),
    MaybeTextLike(String),
    Real(Operator, f64),
    Flag(bool),
    MaybeNumberIsNull,
    MaybeTextIsNotNull,
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// True, false, or SQL's unknown.
type Truth = Option<bool>;

impl Test {
    /// For the store.
    fn condition(&self) -> Condition<Item> {
        /// The builder's method for an operator.
        macro_rules! compare {
            ($column:expr, $operator:expr, $value:expr) => {
                match $operator {
                    Operator::Eq => $column.eq($value),
                    Operator::Ne => $column.ne($value),
                    Operator::Lt => $column.lt($value),
                    Operator::Le => $column.le($value),
                    Operator::Gt => $column.gt($value),
                    Operator::Ge => $column.ge($value),
                }
            };
        }
        match self {
            Self::Number(operator, value) => compare!(Item::NUMBER, operator, value),
            Self::MaybeNumber(operator, value) => compare!(Item::MAYBE_NUMBER, operator, value),
            Self::NumberBetween(low, high) => Item::NUMBER.between(low, high),
            Self::MaybeNumberBetween(low, high) => Item::MAYBE_NUMBER.between(low, high),
            Self::MaybeNumberIn(values) => Item::MAYBE_NUMBER.in_(values),
            Self::Text(operator, value) => compare!(Item::TEXT, operator, value),
            Self::MaybeText(operator, value) => compare!(Item::MAYBE_TEXT, operator, value),
            Self::TextIn(values) => Item::TEXT.in_(values),
            Self::TextLike(pattern) => Item::TEXT.like(pattern),
            Self::MaybeTextLike(pattern) => Item::MAYBE_TEXT.like(pattern),
            Self::Real(operator, value) => compare!(Item::REAL, operator, value),
            Self::Flag(value) => Item::FLAG.eq(value),
            Self::MaybeNumberIsNull => Item::MAYBE_NUMBER.is_null(),
            Self::MaybeTextIsNotNull => Item::MAYBE_TEXT.is_not_null(),
            Self::And(left, right) => left.condition() & right.condition(),
            Self::Or(left, right) => left.condition() | right.condition(),
            Self::Not(inner) => !inner.condition(),
        }
    }

    /// By the rules in the documentation of the operators.
    fn holds(&self, item: &Item) -> Truth {
        let Item { number, maybe_number, text, maybe_text, real, flag, .. } = item;
        match self {
            Self::Number(operator, value) => operator.holds(Some(number), Some(value)),
            Self::MaybeNumber(operator, value) => {
                operator.holds(maybe_number.as_ref(), value.as_ref())
            }
            Self::NumberBetween(low, high) => between(Some(number), Some(low), Some(high)),
            Self::MaybeNumberBetween(low, high) => {
                between(maybe_number.as_ref(), Some(low), high.as_ref())
            }
            Self::MaybeNumberIn(values) => is_in(maybe_number.as_ref(), values),
            Self::Text(operator, value) => operator.holds(Some(text), Some(value)),
            Self::MaybeText(operator, value) => operator.holds(maybe_text.as_ref(), value.as_ref()),
            Self::TextIn(values) => Some(values.contains(text)),
            Self::TextLike(pattern) => Some(like(text, pattern)),
            Self::MaybeTextLike(pattern) => maybe_text.as_ref().map(|text| like(text, pattern)),
            Self::Real(operator, value) => operator.holds(Some(real), Some(value)),
            Self::Flag(value) => Some(flag == value),
            Self::MaybeNumberIsNull => Some(maybe_number.is_none()),
            Self::MaybeTextIsNotNull => Some(maybe_text.is_some()),
            Self::And(left, right) => and(left.holds(item), right.holds(item)),
            Self::Or(left, right) => not(and(not(left.holds(item)), not(right.holds(item)))),
            Self::Not(inner) => not(inner.holds(item)),
        }
    }
}

impl Operator {
    /// `eq` and `ne` take `NULL` for a value; for the others it is unknown.
    fn holds<V: PartialOrd>(self, left: Option<&V>, right: Option<&V>) -> Truth {
        match self {
            Self::Eq => return Some(left == right),
            Self::Ne => return Some(left != right),
            _ => {}
        }
        let order = left?.partial_cmp(right?)?;
        Some(match self {
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            _ => order.is_ge(),
        })
    }
}

fn and(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn not(truth: Truth) -> Truth {
    truth.map(|truth| !truth)
}

fn between(value: Option<&i64>, low: Option<&i64>, high: Option<&i64>) -> Truth {
    and(Operator::Ge.holds(value, low), Operator::Le.holds(value, high))
}

/// `NULL` is in a list that has it; in one that has not, it is unknown, unless nothing is in it.
fn is_in(value: Option<&i64>, values: &[Option<i64>]) -> Truth {
    let (has_null, has_values) = (values.contains(&None), values.iter().any(Option::is_some));
    match value {
        Some(value) => Some(values.contains(&Some(*value))),
        None if has_null => Some(true),
        None if has_values => None,
        None => Some(false),
    }
}

fn like(text: &str, pattern: &str) -> bool {
    let mut rest = text.chars();
    let mut pattern_rest = pattern.chars();
    match pattern_rest.next() {
        None => text.is_empty(),
        Some('%') => {
            let tails = text.char_indices().map(|(at, _)| &text[at..]).chain([""]);
            tails.into_iter().any(|tail| like(tail, pattern_rest.as_str()))
        }
        Some(wanted) => rest.next().is_some_and(|found| {
            (wanted == '_' || wanted.eq_ignore_ascii_case(&found))
                && like(rest.as_str(), pattern_rest.as_str())
        }),
    }
}

/// Values from a small world, so that they meet.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -2..3_i64, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        proptest::string::string_regex("[aAbäÄ'%_\"ß 1]{1,3}").unwrap()
    ]
}

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(0.5),
        Just(-1.0),
        Just(2.0),
        Just(1e300),
        Just(f64::MIN_POSITIVE),
    ]
}

fn operator() -> impl Strategy<Value = Operator> {
    use Operator::{Eq, Ge, Gt, Le, Lt, Ne};
    proptest::sample::select(vec![Eq, Ne, Lt, Le, Gt, Ge])
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let columns = (
        number(),
        proptest::option::of(number()),
        text(),
        proptest::option::of(text()),
        real(),
        any::<bool>(),
    );
    proptest::collection::vec(columns, 0..12).prop_map(|rows| {
        let item = |(id, row)| {
            let (number, maybe_number, text, maybe_text, real, flag) = row;
            Item { id, number, maybe_number, text, maybe_text, real, flag }
        };
        (0..).zip(rows).map(item).collect()
    })
}

fn test() -> impl Strategy<Value = Test> {
    use proptest::collection::vec;
    use proptest::option::of;
    let leaf = prop_oneof![
        (operator(), number()).prop_map(|(operator, value)| Test::Number(operator, value)),
        (operator(), of(number())).prop_map(|(operator, value)| Test::MaybeNumber(operator, value)),
        (number(), number()).prop_map(|(low, high)| Test::NumberBetween(low, high)),
        (number(), of(number())).prop_map(|(low, high)| Test::MaybeNumberBetween(low, high)),
        vec(of(number()), 0..3).prop_map(Test::MaybeNumberIn),
        (operator(), text()).prop_map(|(operator, value)| Test::Text(operator, value)),
        (operator(), of(text())).prop_map(|(operator, value)| Test::MaybeText(operator, value)),
        vec(text(), 0..3).prop_map(Test::TextIn),
        text().prop_map(Test::TextLike),
        text().prop_map(Test::MaybeTextLike),
        (operator(), real()).prop_map(|(operator, value)| Test::Real(operator, value)),
        any::<bool>().prop_map(Test::Flag),
        Just(Test::MaybeNumberIsNull),
        Just(Test::MaybeTextIsNotNull),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let two = || (inner.clone().prop_map(Box::new), inner.clone().prop_map(Box::new));
        prop_oneof![
            two().prop_map(|(left, right)| Test::And(left, right)),
            two().prop_map(|(left, right)| Test::Or(left, right)),
            inner.clone().prop_map(|inner| Test::Not(Box::new(inner))),
        ]
    })
}

/// A column to order by, and whether backwards.
#[derive(Debug, Clone, Copy)]
enum Key {
    MaybeNumber(bool),
    MaybeText(bool),
    Real(bool),
    Flag(bool),
}

impl Key {
    fn order(self, query: Select<Item>) -> Select<Item> {
        macro_rules! order {
            ($column:expr, $backwards:expr) => {
                query.order_by(if $backwards { $column.desc() } else { $column.asc() })
            };
        }
        match self {
            Self::MaybeNumber(backwards) => order!(Item::MAYBE_NUMBER, backwards),
            Self::MaybeText(backwards) => order!(Item::MAYBE_TEXT, backwards),
            Self::Real(backwards) => order!(Item::REAL, backwards),
            Self::Flag(backwards) => order!(Item::FLAG, backwards),
        }
    }

    /// `None` comes first in Rust, as `NULL` does in SQL.
    fn compare(self, left: &Item, right: &Item) -> Ordering {
        let (order, backwards) = match self {
            Self::MaybeNumber(backwards) => (left.maybe_number.cmp(&right.maybe_number), backwards),
            Self::MaybeText(backwards) => (left.maybe_text.cmp(&right.maybe_text), backwards),
            Self::Real(backwards) => {
                (left.real.partial_cmp(&right.real).expect("no NaN"), backwards)
            }
            Self::Flag(backwards) => (left.flag.cmp(&right.flag), backwards),
        };
        if backwards { order.reverse() } else { order }
    }
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    let key = prop_oneof![
        any::<bool>().prop_map(Key::MaybeNumber),
        any::<bool>().prop_map(Key::MaybeText),
        any::<bool>().prop_map(Key::Real),
        any::<bool>().prop_map(Key::Flag),
    ];
    proptest::collection::vec(key, 0..3)
}

fn store_of(items: &[Item]) -> Store<Items> {
    let store = Store::builder("items").open().unwrap();
    store.commit(items.iter().cloned().map(ItemAdded).collect::<Vec<_>>()).unwrap();
    store
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_finds_what_the_condition_means(
        items in items(),
        tests in proptest::collection::vec(test(), 1..6),
    ) {
        let store = store_of(&items);
        for test in tests {
            let query = Item::filter(test.condition()).order_by(Item::ID.asc());
            let expected: Vec<_> =
                items.iter().filter(|item| test.holds(item) == Some(true)).cloned().collect();
            prop_assert_eq!(store.query(query.clone()).unwrap(), &*expected, "{:?}", test);
            prop_assert_eq!(store.query(query.count()).unwrap(), expected.len() as u64);
        }
    }

    #[test]
    fn order_limit_and_offset_are_those_of_a_sorted_list(
        items in items(),
        keys in keys(),
        limit in proptest::option::of(0..8_u64),
        offset in proptest::option::of(0..8_u64),
    ) {
        let mut query = keys.iter().fold(Item::all(), |query, key| key.order(query));
        query = query.order_by(Item::ID.desc());
        if let Some(rows) = limit {
            query = query.limit(rows);
        }
        if let Some(rows) = offset {
            query = query.offset(rows);
        }
        let mut expected = items.clone();
        expected.sort_by(|left, right| {
            let by_keys = keys.iter().map(|key| key.compare(left, right));
            by_keys.fold(Ordering::Equal, Ordering::then).then(right.id.cmp(&left.id))
        });
        let page = expected.into_iter().skip(offset.unwrap_or(0) as usize);
        let page: Vec<_> = page.take(limit.map_or(usize::MAX, |rows| rows as usize)).collect();
        prop_assert_eq!(store_of(&items).query(query).unwrap(), page);
    }
}
