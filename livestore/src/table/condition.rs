//! Conditions on rows.

use std::fmt;
use std::marker::PhantomData;

use super::In;
use super::ast::Predicate;

/// A condition on the rows of `T`: a table, or a tuple of the tables of a join.
pub struct Condition<T> {
    pub(super) predicate: Predicate,
    of: PhantomData<fn() -> T>,
}

impl<T> Condition<T> {
    pub(super) fn new(predicate: Predicate) -> Self {
        Self { predicate, of: PhantomData }
    }

    /// Both conditions hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(match self.predicate {
            Predicate::And(mut all) => {
                all.push(other.predicate);
                Predicate::And(all)
            }
            first => Predicate::And(vec![first, other.predicate]),
        })
    }

    /// At least one of the conditions holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::new(match self.predicate {
            Predicate::Or(mut any) => {
                any.push(other.predicate);
                Predicate::Or(any)
            }
            first => Predicate::Or(vec![first, other.predicate]),
        })
    }
}

/// A condition on the rows of `T`, which is in the join `S`.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not part of this query",
    label = "the query reads from `{S}`",
    note = "join `{T}` first, or use a column of the query's own tables"
)]
pub trait Widen<S, T, At> {
    /// The same condition, on the rows of a join that has `T` in it: for conditions that mix
    /// tables.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # #[table] struct User { #[column(primary_key)] id: String, admin: bool }
    /// # #[table] struct Todo { #[column(primary_key)] id: String, owner: String, public: bool }
    /// let visible: Condition<(Todo, User)> =
    ///     Todo::PUBLIC.eq(true).widen().or(User::ADMIN.eq(true).widen());
    /// let query = Todo::all().join(Todo::OWNER.on(User::ID)).filter(visible);
    /// ```
    #[must_use]
    fn widen(self) -> Condition<S>;
}

#[diagnostic::do_not_recommend]
impl<S, T: In<S, At>, At> Widen<S, T, At> for Condition<T> {
    fn widen(self) -> Condition<S> {
        Condition::new(self.predicate)
    }
}

/// Both conditions hold.
impl<T> std::ops::BitAnd for Condition<T> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

/// At least one of the conditions holds.
impl<T> std::ops::BitOr for Condition<T> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

/// The condition does not hold.
impl<T> std::ops::Not for Condition<T> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(match self.predicate {
            Predicate::Not(inner) => *inner,
            other => Predicate::Not(Box::new(other)),
        })
    }
}

impl<T> Clone for Condition<T> {
    fn clone(&self) -> Self {
        Self::new(self.predicate.clone())
    }
}

impl<T> fmt::Debug for Condition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.predicate.fmt(f)
    }
}
