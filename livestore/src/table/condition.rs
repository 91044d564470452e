//! Conditions on rows.

use std::fmt;
use std::marker::PhantomData;

use super::predicate::Predicate;
use super::{Both, In};

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
        Self::new(Predicate::all([self.predicate, other.predicate]))
    }

    /// At least one of the conditions holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::new(Predicate::any([self.predicate, other.predicate]))
    }
}

/// All of the conditions hold: of a tuple, whose conditions may be about different tables of a join, or
/// of a `Vec` or an array. All of none do.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore::table::Select;
/// # #[table] struct Todo { #[column(primary_key)] id: String, text: String }
/// fn with_words(words: &[&str]) -> Select<Todo> {
///     Todo::filter(all_of(words.iter().map(|word| Todo::TEXT.contains_text(word)).collect::<Vec<_>>()))
/// }
/// ```
pub fn all_of<C: Conditions>(conditions: C) -> Condition<C::On> {
    Condition::new(Predicate::all(conditions.predicates()))
}

/// At least one of the conditions holds: of a tuple, whose conditions may be about different tables of
/// a join, or of a `Vec` or an array. Of none, none does.
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct User { #[column(primary_key)] id: String, admin: bool }
/// # #[table] struct Todo { #[column(primary_key)] id: String, owner: String, public: bool }
/// let visible = any_of((Todo::PUBLIC.eq(true), User::ADMIN.eq(true)));
/// let query = Todo::all().join(Todo::OWNER.on(User::ID)).filter(visible);
/// ```
pub fn any_of<C: Conditions>(conditions: C) -> Condition<C::On> {
    Condition::new(Predicate::any(conditions.predicates()))
}

/// Several conditions: a tuple of two to eight, a `Vec` or an array.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of conditions",
    label = "expected a tuple of conditions, a `Vec` or an array"
)]
pub trait Conditions {
    /// The tables that they are about.
    type On;

    #[doc(hidden)]
    #[expect(private_interfaces, reason = "apps cannot call it")]
    fn predicates(self) -> Vec<Predicate>;
}

#[expect(private_interfaces, reason = "apps cannot call it")]
impl<T> Conditions for Vec<Condition<T>> {
    type On = T;

    fn predicates(self) -> Vec<Predicate> {
        self.into_iter().map(|condition| condition.predicate).collect()
    }
}

#[expect(private_interfaces, reason = "apps cannot call it")]
impl<T, const N: usize> Conditions for [Condition<T>; N] {
    type On = T;

    fn predicates(self) -> Vec<Predicate> {
        self.into_iter().map(|condition| condition.predicate).collect()
    }
}

macro_rules! tuple_conditions {
    ($(($($T:ident $index:tt),+) $On:ty;)*) => {$(
        #[expect(private_interfaces, reason = "apps cannot call it")]
        impl<$($T),+> Conditions for ($(Condition<$T>,)+) {
            type On = $On;

            fn predicates(self) -> Vec<Predicate> {
                vec![$(self.$index.predicate),+]
            }
        }
    )*};
}

tuple_conditions! {
    (A 0, B 1) Both<A, B>;
    (A 0, B 1, C 2) Both<A, Both<B, C>>;
    (A 0, B 1, C 2, D 3) Both<A, Both<B, Both<C, D>>>;
    (A 0, B 1, C 2, D 3, E 4) Both<A, Both<B, Both<C, Both<D, E>>>>;
    (A 0, B 1, C 2, D 3, E 4, F 5) Both<A, Both<B, Both<C, Both<D, Both<E, F>>>>>;
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6) Both<A, Both<B, Both<C, Both<D, Both<E, Both<F, G>>>>>>;
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
        Both<A, Both<B, Both<C, Both<D, Both<E, Both<F, Both<G, H>>>>>>>;
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
        Self::new(self.predicate.negated())
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
