//! Tables under other names, for queries in which a table stands twice.

use super::ast::TableRef;
use super::{Source, Table};

/// A table as a part of a query: a [`Table`], or an alias that [`alias!`](crate::alias) declares.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a table",
    label = "not a table",
    note = "add `#[table]` to the struct, or declare an alias with `livestore::alias!`"
)]
pub trait Relation: 'static {
    /// The table.
    type Table: Table;

    /// The name in the query.
    const NAME: &'static str;

    /// The alias, if it is one.
    #[doc(hidden)]
    const ALIAS: Option<&'static str>;
}

#[diagnostic::do_not_recommend]
impl<T: Table> Relation for T {
    type Table = T;

    const NAME: &'static str = T::NAME;
    const ALIAS: Option<&'static str> = None;
}

/// An alias of the table `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an alias of `{T}`",
    label = "expected an alias of `{T}`",
    note = "declare one with `livestore::alias! {{ Other = {T} }}`"
)]
pub trait AliasOf<T>: Relation<Table = T> + Copy {}

/// Declares other names for tables, for queries in which a table stands twice.
///
/// [`of`](crate::table::Column::of) gives the column of the alias, which is used like any other. The
/// alias has the rows of its table.
///
/// ```
/// use livestore::prelude::*;
///
/// #[table]
/// struct User { #[column(primary_key)] id: String, name: String }
/// #[table]
/// struct Issue { #[column(primary_key)] id: String, author: String, assignee: Option<String> }
///
/// alias! { Author = User }
///
/// let query = Issue::all()
///     .join(Issue::AUTHOR.on(User::ID.of(Author)))
///     .left_join(Issue::ASSIGNEE.on(User::ID))
///     .filter(User::NAME.of(Author).starts_with("A"))
///     .select((Issue::ID, User::NAME.of(Author), User::NAME));
/// # livestore::schema! { App { tables: [User, Issue] } }
/// # let store = Store::<App>::builder("issues").open()?;
/// let issues: Vec<(String, String, Option<String>)> = store.query(query)?;
/// # Ok::<(), livestore::Error>(())
/// ```
///
/// A table that stands twice under one name does not compile:
///
/// ```compile_fail,E0080
/// # use livestore::prelude::*;
/// # #[table] struct User { #[column(primary_key)] id: String }
/// # #[table] struct Issue { #[column(primary_key)] id: String, author: String, assignee: String }
/// let twice = Issue::all().join(Issue::AUTHOR.on(User::ID)).join(Issue::ASSIGNEE.on(User::ID));
/// ```
#[macro_export]
macro_rules! alias {
    ($($(#[$meta:meta])* $vis:vis $alias:ident = $table:ty),+ $(,)?) => {$(
        #[doc = ::core::concat!("An alias of the table [`", ::core::stringify!($table), "`].")]
        $(#[$meta])*
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        $vis struct $alias;

        impl $crate::__private::Relation for $alias {
            type Table = $table;

            const NAME: &'static ::core::primitive::str = ::core::stringify!($alias);
            const ALIAS: ::core::option::Option<&'static ::core::primitive::str> =
                ::core::option::Option::Some(::core::stringify!($alias));
        }

        impl $crate::__private::AliasOf<$table> for $alias {}
    )+};
}

/// The table as a query knows it.
pub(super) fn reference<T: Relation>() -> TableRef {
    TableRef { def: T::Table::def(), alias: T::ALIAS }
}

/// Whether the table's name does not stand in the source yet: its columns would be ambiguous.
pub(super) const fn is_new<S: Source, T: Relation>() -> bool {
    let mut names = S::NAMES;
    while let [name, rest @ ..] = names {
        if name.eq_ignore_ascii_case(T::NAME) {
            return false;
        }
        names = rest;
    }
    true
}
