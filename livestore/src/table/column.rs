//! Columns and expressions: the leaves of a query.

use std::fmt;
use std::marker::PhantomData;

use super::ast::{Aggregate, ColumnRef, Comparison, Direction, Expression, Predicate};
use super::{Anything, Condition, Numeric, On, Table};
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

/// A sort order by a column or an expression of table `T`.
pub struct Order<T> {
    pub(super) node: Expression,
    pub(super) direction: Direction,
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
}

impl<T: Table, V: ColumnType> Column<T, V> {
    pub(super) fn reference(self) -> ColumnRef {
        ColumnRef { table: T::def(), index: self.index }
    }

    /// From `low` to `high`, both included; never true for `NULL`.
    pub fn between(self, low: impl Operand<V>, high: impl Operand<V>) -> Condition<T> {
        let column = self.reference();
        Condition::new(match (low.into_value(), high.into_value()) {
            (Ok(low), Ok(high)) => Predicate::Between(column, low, high),
            (Err(error), _) | (_, Err(error)) => Predicate::Invalid(column, error),
        })
    }

    /// In ascending order; `NULL` comes first.
    pub fn asc(self) -> Order<T> {
        Order::new(Expression::Column(self.reference()), Direction::Ascending)
    }

    /// In descending order; `NULL` comes last.
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

impl<T: Table, V: ColumnType> Column<T, Option<V>> {
    /// The column is `NULL`.
    pub fn is_null(self) -> Condition<T> {
        Condition::new(Predicate::Compare(self.reference(), Comparison::Is, Value::Null))
    }

    /// The column is not `NULL`.
    pub fn is_not_null(self) -> Condition<T> {
        Condition::new(Predicate::Compare(self.reference(), Comparison::IsNot, Value::Null))
    }
}

impl<T: Table, V: ColumnType> Column<T, V> {
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
    fn on<U: Table>(self, other: Column<U, W>) -> On<T, U>;
}

#[diagnostic::do_not_recommend]
impl<T: Table, V: ColumnType + SameType<W>, W: ColumnType> Link<W, V, T> for Column<T, V> {
    fn on<U: Table>(self, other: Column<U, W>) -> On<T, U> {
        On::new(self.reference(), other.reference())
    }
}

impl<T: Table, V: ColumnType<Base = String>> Column<T, V> {
    /// Matches an SQL `LIKE` pattern: `%` is any text, `_` any character, ASCII case is ignored.
    pub fn like(self, pattern: impl Into<String>) -> Condition<T> {
        Condition::new(Predicate::Like(self.reference(), Value::text(pattern.into())))
    }
}

impl<T: Table, E: ColumnType> Column<T, Json<Vec<E>>>
where
    Json<Vec<E>>: ColumnType,
{
    /// The JSON array has the item.
    pub fn contains(self, item: impl Operand<E>) -> Condition<T> {
        let column = self.reference();
        Condition::new(match item.into_value() {
            Ok(item) => Predicate::Contains(column, item),
            Err(error) => Predicate::Invalid(column, error),
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
    fn new(node: Expression, direction: Direction) -> Self {
        Self { node, direction, of: PhantomData }
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

impl<T, V> fmt::Debug for Expr<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.node).finish()
    }
}

impl<T> fmt::Debug for Order<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Order").field(&self.node).field(&self.direction).finish()
    }
}
