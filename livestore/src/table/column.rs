//! Columns and expressions: the leaves of a query.

use std::fmt;
use std::marker::PhantomData;

use super::ast::{Aggregate, ColumnRef, Comparison, Direction, Expression, Nulls, OrderBy};
use super::predicate::Predicate;
use super::{AliasOf, Anything, Condition, Numeric, On, Relation, alias};
use crate::sqlite::fold;
use crate::value::{ColumnType, Json, Operand, Value};

/// A column of table `T` whose values are `V`.
///
/// `#[table]` makes one constant per field: `Todo::COMPLETED` is a `Column<Todo, bool>`.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// # fn main() -> livestore::Result<()> {
/// # let store = Store::<App>::builder("todos").open()?;
/// let urgent = Todo::COMPLETED.eq(false).and(Todo::TEXT.like("%milk%").or(Todo::ID.in_(["a", "b"])));
/// let query = Todo::filter(urgent & !Todo::DELETED_AT.is_not_null()).order_by(Todo::CREATED_AT.desc());
/// assert!(store.query(query)?.is_empty());
///
/// let (todos, newest) = store.query(Todo::all().select((count(), Todo::CREATED_AT.max())).one())?;
/// assert_eq!((todos, newest), (0, None));
/// # Ok(())
/// # }
/// ```
pub struct Column<T, V> {
    index: usize,
    of: PhantomData<fn() -> (T, V)>,
}

/// An expression that a query can return or order by, such as an aggregate.
pub struct Expr<T, V> {
    pub(super) node: Expression,
    of: PhantomData<fn() -> (T, V)>,
}

/// A column of a joined table, to be compared with one of another table. [`Column::joined`] makes it.
pub struct Joined<T, V>(pub(super) Column<T, V>);

/// A sort order by a column or an expression of table `T`.
pub struct Order<T> {
    pub(super) item: OrderBy,
    of: PhantomData<fn() -> T>,
}

/// A text column of table `T`, to order by without regard to case. [`Column::nocase`] makes it.
pub struct NoCase<T> {
    column: Expression,
    of: PhantomData<fn() -> T>,
}

/// Column types that may be compared in a join or a foreign key: the same, up to `Option`.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` column cannot refer to a `{V}` column",
    label = "the columns' types differ"
)]
pub trait SameType<V> {}

#[diagnostic::do_not_recommend]
impl<V: ColumnType, W: ColumnType<Base = V::Base>> SameType<W> for V {}

/// The number of rows, in each group or in all.
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct Todo { #[column(primary_key)] id: String, list: String }
/// let per_list = Todo::all().group_by(Todo::LIST).select((Todo::LIST, count()));
/// ```
pub const fn count() -> Expr<Anything, u64> {
    Expr::new(Expression::CountAll)
}

impl<T, V> Column<T, V> {
    /// The column at position `index`. For generated code.
    pub const fn new(index: usize) -> Self {
        Self { index, of: PhantomData }
    }

    /// The same, of a column that is only borrowed.
    pub(super) const fn position(&self) -> usize {
        self.index
    }

    /// The column's position in its table.
    pub const fn index(self) -> usize {
        self.index
    }

    /// The same column of an alias of the table: see [`alias!`](crate::alias).
    pub const fn of<A: AliasOf<T>>(self, _: A) -> Column<A, V> {
        Column::new(self.index)
    }

    /// The column as one of a joined table, to be compared with a column of another one.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # #[table] struct User { #[column(primary_key)] id: String, seen_at: Timestamp }
    /// # #[table] struct Todo { #[column(primary_key)] id: String, owner: String, edited_at: Timestamp }
    /// let news = Todo::all()
    ///     .join(Todo::OWNER.on(User::ID))
    ///     .filter(Todo::EDITED_AT.gt(User::SEEN_AT.joined()));
    /// ```
    pub const fn joined(self) -> Joined<T, V> {
        Joined(self)
    }
}

impl<T: Relation, V: ColumnType> Column<T, V> {
    pub(super) fn reference(self) -> ColumnRef {
        ColumnRef::new(alias::reference::<T>(), self.index)
    }

    /// From `low` to `high`, both included; never true for `NULL`.
    pub fn between(self, low: impl Operand<V>, high: impl Operand<V>) -> Condition<T> {
        let column = self.reference();
        Condition::new(match (low.into_value(), high.into_value()) {
            (Ok(low), Ok(high)) => Predicate::Between(column, low, high),
            (Err(error), _) | (_, Err(error)) => Predicate::invalid(column.full_name(), error),
        })
    }

    /// In ascending order; `NULL` comes first, unless [`nulls_last`](Order::nulls_last) is added.
    pub fn asc(self) -> Order<T> {
        Order::new(Expression::Column(self.reference()), Direction::Ascending)
    }

    /// In descending order; `NULL` comes last, unless [`nulls_first`](Order::nulls_first) is added.
    pub fn desc(self) -> Order<T> {
        Order::new(Expression::Column(self.reference()), Direction::Descending)
    }

    /// The number of rows with a value that is not `NULL`.
    pub fn count(self) -> Expr<T, u64> {
        self.aggregate(Aggregate::Count)
    }

    /// The smallest value; `None` if there are no rows.
    pub fn min(self) -> Expr<T, Option<V::Base>> {
        self.aggregate(Aggregate::Min)
    }

    /// The largest value; `None` if there are no rows.
    pub fn max(self) -> Expr<T, Option<V::Base>> {
        self.aggregate(Aggregate::Max)
    }

    fn aggregate<W>(self, aggregate: Aggregate) -> Expr<T, W> {
        Expr::new(Expression::Aggregate(aggregate, self.reference()))
    }
}

impl<T: Relation, V: ColumnType> Column<T, Option<V>> {
    /// The column is `NULL`.
    pub fn is_null(self) -> Condition<T> {
        Condition::new(Predicate::Compare(self.reference(), Comparison::Is, Value::Null))
    }

    /// The column is not `NULL`.
    pub fn is_not_null(self) -> Condition<T> {
        Condition::new(Predicate::Compare(self.reference(), Comparison::IsNot, Value::Null))
    }
}

impl<T: Relation, V: ColumnType> Column<T, V> {
    /// The sum; 0 if there are no rows. A sum of integers that overflows 64 bits fails the query; one of
    /// real numbers is an `Option`, and `None` if it has both infinities.
    pub fn sum<Sum>(self) -> Expr<T, Sum>
    where
        V::Base: Numeric<Sum = Sum>,
    {
        self.aggregate(<V::Base as Numeric>::SUM.0)
    }

    /// The mean; `None` if there are no rows.
    pub fn avg(self) -> Expr<T, Option<f64>>
    where
        V::Base: Numeric,
    {
        self.aggregate(Aggregate::Avg)
    }
}

/// A column of type `V`, of table `T`, that can be joined to a column of type `W`.
#[diagnostic::on_unimplemented(
    message = "a `{V}` column of `{T}` cannot be joined to a `{W}` column",
    label = "expected a `{V}` column"
)]
pub trait Link<W, V, T>: Sized {
    /// The condition of a join: this column equals that of the other table.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # #[table] struct User { #[column(primary_key)] id: String }
    /// # #[table] struct Todo { #[column(primary_key)] id: String, owner: String }
    /// let with_owner = Todo::all().join(Todo::OWNER.on(User::ID));
    /// ```
    fn on<U: Relation>(self, other: Column<U, W>) -> On<T, U>;
}

#[diagnostic::do_not_recommend]
impl<T: Relation, V: ColumnType + SameType<W>, W: ColumnType> Link<W, V, T> for Column<T, V> {
    fn on<U: Relation>(self, other: Column<U, W>) -> On<T, U> {
        On::new(self.reference(), other.reference())
    }
}

impl<T: Relation, V: ColumnType<Base = String>> Column<T, V> {
    /// Matches an SQL `LIKE` pattern: `%` is any text, `_` any character, ASCII case is ignored.
    pub fn like(self, pattern: impl Into<String>) -> Condition<T> {
        Condition::new(Predicate::Like(self.reference(), Value::text(pattern.into())))
    }

    /// The column as something to order by: `Todo::TEXT.nocase()`, or `Todo::TEXT.nocase().desc()`. Upper
    /// and lower case of the letters A to Z are equal. All other letters differ, and come after Z: for
    /// languages that have them, store the text in the form that it is to be sorted by.
    pub fn nocase(self) -> NoCase<T> {
        NoCase { column: Expression::Column(self.reference()), of: PhantomData }
    }

    /// Has the text in it, whatever the case of both: `"STRASSE"` finds `"Straße"`. No character has a
    /// special meaning. It reads every row that the other conditions leave.
    pub fn contains_text(self, text: impl AsRef<str>) -> Condition<T> {
        Condition::new(Predicate::ContainsText(self.reference(), fold(text.as_ref())))
    }

    /// Begins with the text, exactly. No character has a special meaning. An index of the column is
    /// used.
    pub fn starts_with(self, text: impl AsRef<str>) -> Condition<T> {
        let (column, text) = (self.reference(), text.as_ref());
        let from = Predicate::Compare(column, Comparison::Ge, Value::text(text.to_owned()));
        let to = behind_prefix(text)
            .map(|end| Predicate::Compare(column, Comparison::Lt, Value::text(end)));
        Condition::new(Predicate::all(std::iter::once(from).chain(to)))
    }
}

/// The first text behind all that begin with `prefix`; `None` if there is none.
fn behind_prefix(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // The order of bytes in UTF-8 is that of characters, of which none is a surrogate.
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

impl<T: Relation, E: ColumnType> Column<T, Json<Vec<E>>>
where
    Json<Vec<E>>: ColumnType,
{
    /// The JSON array has the item.
    pub fn contains(self, item: impl Operand<E>) -> Condition<T> {
        let column = self.reference();
        Condition::new(match item.into_value() {
            Ok(item) => Predicate::Contains(column, item),
            Err(error) => Predicate::invalid(column.full_name(), error),
        })
    }
}

impl<T, V> Expr<T, V> {
    pub(super) const fn new(node: Expression) -> Self {
        Self { node, of: PhantomData }
    }

    /// In ascending order.
    pub fn asc(self) -> Order<T> {
        Order::new(self.node, Direction::Ascending)
    }

    /// In descending order.
    pub fn desc(self) -> Order<T> {
        Order::new(self.node, Direction::Descending)
    }
}

impl<T> Order<T> {
    pub(super) fn new(node: Expression, direction: Direction) -> Self {
        Self { item: OrderBy { node, sorting: direction.into() }, of: PhantomData }
    }

    /// `NULL` comes before all values, also in descending order.
    #[must_use]
    pub fn nulls_first(self) -> Self {
        self.nulls(Nulls::First)
    }

    /// `NULL` comes behind all values, also in ascending order.
    #[must_use]
    pub fn nulls_last(self) -> Self {
        self.nulls(Nulls::Last)
    }

    fn nulls(mut self, nulls: Nulls) -> Self {
        self.item.sorting.nulls = Some(nulls);
        self
    }
}

impl<T> NoCase<T> {
    /// In ascending order.
    pub fn asc(self) -> Order<T> {
        self.order(Direction::Ascending)
    }

    /// In descending order.
    pub fn desc(self) -> Order<T> {
        self.order(Direction::Descending)
    }

    fn order(self, direction: Direction) -> Order<T> {
        let mut order = Order::new(self.column, direction);
        order.item.sorting.nocase = true;
        order
    }
}

// Derives would ask `T` and `V` for the same traits.

impl<T, V> Clone for Column<T, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, V> Copy for Column<T, V> {}

impl<T, V> fmt::Debug for Column<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Column").field(&self.index).finish()
    }
}

impl<T, V> fmt::Debug for Joined<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Joined").field(&self.0).finish()
    }
}

impl<T, V> fmt::Debug for Expr<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.node).finish()
    }
}

impl<T> fmt::Debug for Order<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Order").field(&self.item).finish()
    }
}

impl<T> Clone for NoCase<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for NoCase<T> {}

impl<T> fmt::Debug for NoCase<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NoCase").field(&self.column).finish()
    }
}
