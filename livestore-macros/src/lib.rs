//! The macros of LiveStore. Use them through `livestore`, which re-exports them all.
//!
//! | macro | declares |
//! |---|---|
//! | [`#[table]`](macro@table) | a table, with one column per field |
//! | [`#[derive(Event)]`](macro@Event) | events: one per variant of an enum, or a struct that is one |
//! | [`#[derive(ColumnType)]`](macro@ColumnType) | a type that can be stored in a column |
//! | [`#[derive(Row)]`](macro@Row) | a struct that a query returns |
//! | [`#[client_document]`](macro@client_document) | a client document, such as the UI state of a window |
//! | [`#[derive(Shape)]`](macro@Shape) | a type inside an event's field, for the schema lock |
//! | [`schema!`](macro@schema) | a schema: the tables, client documents and events of an app |
//! | [`sql!`](macro@sql) | a query or a write in SQL, checked while compiling |
//!
//! This crate only forwards tokens; the work is done in `livestore-macros-core`.

use livestore_macros_core::lock::{self, Package};
use proc_macro::{Span, TokenStream};

/// Declares a table: the struct is a row, and each field is a column.
///
/// The struct stays as it is. Beside it, the macro generates
///
/// - a constant per field, such as `Todo::CREATED_AT` for `created_at`, as visible as the field, from
///   which queries are built;
/// - the implementations of `Table` and `Row`.
///
/// A field's type is any type that implements `ColumnType`, or an `Option` of one, which may be null.
///
/// # Example
///
/// ```
/// use livestore::prelude::*;
///
/// #[table]
/// pub struct Author {
///     #[column(primary_key)]
///     pub id: String,
/// }
///
/// #[table(index(completed, created_at))]
/// #[derive(Debug, Clone, PartialEq)]
/// pub struct Todo {
///     #[column(primary_key)]
///     pub id: String,
///     #[column(check = "length(text) > 0")]
///     pub text: String,
///     #[column(default = false)]
///     pub completed: bool,
///     pub created_at: Timestamp,
///     #[column(references = Author::ID, on_delete = set_null)]
///     pub author: Option<String>,
/// }
///
/// livestore::schema! { pub App { tables: [Author, Todo] } }
///
/// let store = Store::<App>::builder("todos").open()?;
/// let open = Todo::filter(Todo::COMPLETED.eq(false)).order_by(Todo::CREATED_AT.desc());
/// assert_eq!(store.query(open)?, []);
/// # Ok::<(), livestore::Error>(())
/// ```
///
/// # On the struct: `#[table(..)]`
///
/// | key | meaning | without it |
/// |---|---|---|
/// | `name = "todos"` | the table's name | the struct's name in `snake_case` |
/// | `primary_key(a, b)` | the fields of the primary key, in this order | the fields with `#[column(primary_key)]` |
/// | `index(a, b)` | an index over these fields, named `{table}_{a}_{b}`; repeatable | |
/// | `unique(a, b)` | a unique index, named `{table}_{a}_{b}_unique`; repeatable | |
/// | `index(name = "by_x", columns(a, b))` | an index with a name of its own; the same with `unique` | |
/// | `check = "sql"` or `check("sql")` | an SQL condition that every row must meet; repeatable | |
/// | `crate = path` | the path of `livestore` | `::livestore` |
///
/// # On a field: `#[column(..)]`
///
/// | key | meaning | without it |
/// |---|---|---|
/// | `primary_key` | the column is the primary key, or part of it | |
/// | `name = "col"` | the column's name | the field's name |
/// | `default = value` | the value in rows that raw SQL inserts without one; a constant, or a `vec!`, `….into()` or `T::default()` of constants | such an insert fails, or for an `Option` is null |
/// | `index` or `index = "name"` | an index over this column, named `{table}_{col}` | |
/// | `unique` or `unique = "name"` | a unique index, named `{table}_{col}_unique` | |
/// | `search` | `Table::search` finds the row by the words of this text | |
/// | `check = "sql"` | an SQL condition that every row must meet | |
/// | `references = Table::COLUMN` | a foreign key, to a primary key or a `unique` column of a table of the same schema | |
/// | `on_delete = cascade` | with `references`: `cascade`, `set_null` or `restrict` | `restrict` |
///
/// # Errors
///
/// A table needs a primary key, and named fields. It cannot be generic, and `#[cfg]` cannot stand on a
/// single field; `#[cfg_attr]` can. With the feature `checked-sql`, SQLite checks the conditions of `check`
/// while compiling.
#[proc_macro_attribute]
pub fn table(attr: TokenStream, item: TokenStream) -> TokenStream {
    livestore_macros_core::table(package().as_ref(), attr.into(), item.into()).into()
}

/// Declares a client document: state such as that of the UI, which is never synced. The last write wins.
/// By default each window has a document of its own.
///
/// The struct stays as it is. It must implement `Clone`, `Default`, `Serialize` and `Deserialize`, and
/// so must its fields. Beside it, the macro generates the event that sets some of the fields, named
/// `UiStateSet` for `UiState`, with one setter per field, as visible as the field.
///
/// # Example
///
/// ```
/// use livestore::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
/// pub enum Filter { #[default] All, Active }
///
/// #[client_document]
/// #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
/// pub struct UiState {
///     pub new_todo_text: String,
///     pub filter: Filter,
/// }
///
/// livestore::schema! { pub App { documents: [UiState] } }
///
/// let store = Store::<App>::builder("todos").open()?;
/// store.commit(UiState::set().filter(Filter::Active))?;
/// assert_eq!(store.query(UiState::get())?.filter, Filter::Active);
/// # Ok::<(), livestore::Error>(())
/// ```
///
/// # On the struct: `#[client_document(..)]`
///
/// | key | meaning | without it |
/// |---|---|---|
/// | `name = "UiState"` | the document's name; the event's name is this one and `Set` | the struct's name |
/// | `id = "settings"` | there is one document, with this id | there is one document per window |
/// | `crate = path` | the path of `livestore` | `::livestore` |
///
/// # serde's attributes
///
/// `rename_all` on the struct and `rename` on a field decide the keys of the JSON. `default`, `alias` and
/// `skip_serializing_if` are allowed, too. Attributes that give a field a different form, such as `with`,
/// `flatten` and `skip`, are errors, since each field can be set on its own.
#[proc_macro_attribute]
pub fn client_document(attr: TokenStream, item: TokenStream) -> TokenStream {
    livestore_macros_core::client_document(package().as_ref(), attr.into(), item.into()).into()
}

/// Declares events: each variant of an enum is one, or a struct as a whole.
///
/// The eventlog stores an event's name forever. The fields are the event's args: a JSON object with one
/// key per field, for a newtype the JSON of the wrapped value, for a tuple an array. The type of each field
/// must implement `Serialize` and `Deserialize`.
///
/// The args of an event without fields are `{}`, which LiveStore for TypeScript reads as a `Schema.Void`
/// and as a `Schema.Struct({})`. Read are also `null` and no args at all, as TypeScript clients send them.
/// A `Schema.Null` there is a newtype over `()` here.
///
/// A materializer gets the event as it is read from that JSON, on this client and on all others. What JSON
/// cannot say is refused when it is committed: a NaN, `Some(())`, or a value that serde reads as another
/// one. A field of type `Option<Option<T>>` is a missing key for `None`, and `null` for `Some(None)`. A
/// number such as `2.0` is written as `2`, as JavaScript does, except where it would be read as an integer.
///
/// All digits of an integer are carried between Rust clients, and read from whatever client wrote them. A
/// client in JavaScript reads one past 2^53 rounded. A backend in JavaScript stores it rounded: then the
/// client that committed it adopts the rounded one, which all others have, and logs a warning. If you
/// need such integers there, use a `String`.
///
/// # Example
///
/// ```
/// use livestore::prelude::*;
///
/// #[derive(Debug, Clone, Serialize, Deserialize)]
/// pub struct Import { todos: Vec<String> }
///
/// #[derive(Event, Debug, Clone)]
/// #[serde(rename_all = "camelCase")]
/// pub enum TodoEvent {
///     #[event(name = "v1.TodoCreated")]
///     Created { id: String, text: String, created_at: Timestamp },
///     #[event(name = "v1.TodoSelected", client_only)]
///     Selected { id: String },
///     #[event(name = "v1.TodoRemoved", deprecated = "v2 keeps the reason")]
///     Removed { id: String },
///     #[event(name = "v1.TodosImported")]
///     Imported(Import),
/// }
/// ```
///
/// # On a variant or a struct: `#[event(..)]`
///
/// | key | meaning |
/// |---|---|
/// | `name = "v1.TodoCreated"` | the event's name; required |
/// | `client_only` | the event is never synced |
/// | `upcast("v1.TodoCreated", with = from_v1)` | stored events of that name are read as this one; repeatable |
/// | `deprecated` or `deprecated = "reason"` | the event can be read, but should no longer be committed: a log line says so |
/// | `crate = path` | on the type only: the path of `livestore`, instead of `::livestore` |
///
/// Rust's own `#[deprecated]` on the variant or the struct does the same, and the compiler warns where
/// the event is made. Its materializer takes an `#[expect(deprecated)]`.
///
/// # serde's attributes
///
/// These keys of `#[serde(..)]` have their usual meaning; others are errors.
///
/// | key | on |
/// |---|---|
/// | `rename_all = "camelCase"` | the type or a variant: the case of its fields' keys |
/// | `rename_all_fields = "camelCase"` | an enum: the same as `rename_all` there |
/// | `rename = "key"` | a field |
/// | `default` or `default = "path"` | a field: the value if the key is missing, or `null` and the type takes none |
/// | `with`, `serialize_with`, `deserialize_with` | a field |
/// | `skip_serializing_if = "path"` | a field |
///
/// # Changing an event: upcasters
///
/// Stored events are never rewritten. When an event's args have to change in a way that stored events
/// do not fit, declare an event with a new name, and read the old ones as the new one. The old event
/// stays, as a type that no schema lists. A pure function turns it into the new event, or returns a
/// `Result`, whose error puts the stored event into quarantine. The old event may have an upcaster of its
/// own, so that a chain grows from version to version.
///
/// ```
/// use livestore::prelude::*;
///
/// #[derive(Event)]
/// #[event(name = "v1.TodoCreated")]
/// pub struct TodoCreatedV1 { text: String }
///
/// #[derive(Event)]
/// #[event(name = "v2.TodoCreated", upcast("v1.TodoCreated", with = from_v1))]
/// pub struct TodoCreated { text: String, tags: Vec<String> }
///
/// fn from_v1(old: TodoCreatedV1) -> TodoCreated {
///     TodoCreated { text: old.text, tags: Vec::new() }
/// }
/// ```
#[proc_macro_derive(Event, attributes(event, serde))]
pub fn event(input: TokenStream) -> TokenStream {
    livestore_macros_core::event(package().as_ref(), input.into()).into()
}

/// Makes a struct or an enum a command: its args can be stored, under a name.
///
/// What the command does is said by `impl Execute`, and that a schema has it by `commands: [..]` in
/// `schema!`.
///
/// # Example
///
/// ```
/// use livestore::prelude::*;
///
/// #[derive(Command, Serialize, Deserialize)]
/// pub struct Assign {
///     seat: u32,
///     to: String,
/// }
/// ```
///
/// # Attributes: `#[command(..)]`
///
/// | key | meaning | without it |
/// |---|---|---|
/// | `name = "Assign"` | the name under which a pending command stands in the log | the type's name |
/// | `crate = path` | the path of `livestore` | `::livestore` |
///
/// The name and the args stay on their client, and only for as long as the command's events are pending.
/// A command that a newer version of the app does not know any more, or cannot read, is not executed again:
/// its events stand for it.
#[proc_macro_derive(Command, attributes(command))]
pub fn command(input: TokenStream) -> TokenStream {
    livestore_macros_core::command(input.into()).into()
}

/// Lets a type be stored in a column: an enum without fields as a text or an integer, a newtype as the value it
/// wraps.
///
/// # Example
///
/// ```
/// use livestore::prelude::*;
///
/// #[derive(ColumnType, Serialize, Deserialize)]
/// #[serde(rename_all = "snake_case")]
/// pub enum Status {
///     Open,
///     InProgress, // stored as `in_progress`
///     #[column_type(rename = "closed")]
///     Done,
/// }
///
/// #[derive(ColumnType)]
/// pub struct TodoId(String);
///
/// #[table]
/// pub struct Todo {
///     #[column(primary_key)]
///     id: TodoId,
///     status: Status,
/// }
///
/// let in_progress = Todo::filter(Todo::STATUS.eq(Status::InProgress));
/// ```
///
/// # Attributes: `#[column_type(..)]`
///
/// | key | on | meaning | without it |
/// |---|---|---|---|
/// | `integer` | an enum | its variants are stored as their integers, which `Done = 2` sets, and sort in that order | a text per variant |
/// | `rename_all = "snake_case"` | an enum | the case in which variants are stored | serde's `rename_all`, or the variants' own names |
/// | `rename = "text"` | a variant | the text that is stored for it | serde's `rename`, or as `rename_all` says |
/// | `crate = path` | the type | the path of `livestore` | `::livestore` |
///
/// serde's attributes count, so that SQL and JSON agree. A column with an enum accepts no other text, or no
/// other integer. If an integer comes to stand for another variant, the state is rebuilt from the eventlog.
#[proc_macro_derive(ColumnType, attributes(column_type, serde))]
pub fn column_type(input: TokenStream) -> TokenStream {
    livestore_macros_core::column_type(input.into()).into()
}

/// Lets a query return a struct: each field is read from the result column of its name.
///
/// With `from`, the struct also says what to select, so that a query can end in `select_as`. Without it,
/// the struct is for raw SQL.
///
/// # Example
///
/// ```
/// use livestore::prelude::*;
///
/// #[table]
/// struct User { #[column(primary_key)] id: String, name: String }
///
/// #[table]
/// struct Todo { #[column(primary_key)] id: String, owner: Option<String> }
///
/// #[derive(Row)]
/// #[row(from = (Todo, Maybe<User>))]
/// struct Titled {
///     id: String,                 // Todo::ID
///     #[row(expr = User::NAME)]
///     owner: Option<String>,
/// }
///
/// let titled = Todo::all().left_join(Todo::OWNER.on(User::ID)).select_as::<Titled>();
/// ```
///
/// # Attributes: `#[row(..)]`
///
/// | key | on | meaning | without it |
/// |---|---|---|---|
/// | `from = Todo` or `from = (Todo, User)` | the struct | the table or joined tables to select from | the struct selects nothing |
/// | `expr = User::NAME` | a field | the expression to select; needs `from` | the column of the field's name in the first table |
/// | `name = "col"` | a field | the result column's name | the field's name |
/// | `crate = path` | the struct | the path of `livestore` | `::livestore` |
///
/// A table that a left join may leave out is written `Maybe<User>`, and its fields are `Option`s.
#[proc_macro_derive(Row, attributes(row))]
pub fn row(input: TokenStream) -> TokenStream {
    livestore_macros_core::row(input.into()).into()
}

/// Declares a schema: the tables, client documents and events of an app.
///
/// A schema is a type of its own: a `Store<App>` accepts the events of `App`, and committing any other
/// does not compile. Two events with the same name, or two tables, are an error.
///
/// # Example
///
/// ```
/// # use livestore::prelude::*;
/// # mod models {
/// #     use livestore::prelude::*;
/// #     #[table] pub struct User { #[column(primary_key)] pub id: String }
/// # }
/// # #[table] struct Todo { #[column(primary_key)] id: String }
/// # #[client_document] #[derive(Clone, Default, Serialize, Deserialize)] struct UiState {}
/// # #[derive(Event)] #[event(name = "v1.TodoCreated")] struct TodoEvent { id: String }
/// # impl Materialize for TodoEvent {
/// #     fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> { Ok(()) }
/// # }
/// livestore::schema! {
///     /// Everything the app knows.
///     pub App {
///         tables: [Todo, models::User],
///         documents: [UiState],
///         events: [TodoEvent],
///     }
/// }
/// ```
///
/// # Input
///
/// | part | meaning |
/// |---|---|
/// | `crate = path;` | before everything else: the path of `livestore`, instead of `::livestore` |
/// | `tables: [..]` | types with `#[table]`, not under a `type` alias |
/// | `documents: [..]` | types with `#[client_document]`, whose events are included |
/// | `events: [..]` | types that derive `Event` and implement `Materialize` |
/// | `commands: [..]` | types that derive `Command` and implement `Execute`, whose events are listed |
/// | `undo: [..]` | types listed under `events` that implement `Undo`, and so can be undone |
///
/// Each list may be left out, and the order is free.
#[proc_macro]
pub fn schema(input: TokenStream) -> TokenStream {
    livestore_macros_core::schema(package().as_ref(), input.into()).into()
}

/// Records a type that stands in an event's field, so that the schema lock notices when it changes.
///
/// Without it, the lock knows such a type by its name alone. The derive generates no code; it reads
/// serde's attributes.
///
/// # Example
///
/// ```
/// use livestore::prelude::*;
///
/// #[derive(Serialize, Deserialize, Shape)]
/// #[serde(rename_all = "camelCase")]
/// pub struct FileChange { kind: ChangeKind, path: String }
///
/// #[derive(Serialize, Deserialize, Shape)]
/// pub enum ChangeKind { Added, Deleted }
/// ```
///
/// # On the type: `#[shape(..)]`
///
/// | key | meaning | without it |
/// |---|---|---|
/// | `name = "FileChange"` | the name in the lock, for two types with the same name | the type's name |
/// | `crate = path` | the path of `livestore` | `::livestore` |
#[proc_macro_derive(Shape, attributes(shape, serde))]
pub fn shape(input: TokenStream) -> TokenStream {
    livestore_macros_core::shape(package().as_ref(), input.into()).into()
}

/// The side effects of the other macros on `livestore.lock`, which do not happen in unit tests.
#[doc(hidden)]
#[proc_macro]
pub fn schema_lock(input: TokenStream) -> TokenStream {
    lock::effect(input.into()).into()
}

/// Returns the package that is compiled, if it has a schema lock.
fn package() -> Option<Package> {
    Package::of_cargo(Span::call_site().local_file().as_deref())
}

/// A query or a write in SQL, which SQLite checks while the crate compiles.
///
/// # Example
///
/// ```
/// # use livestore::prelude::*;
/// # #[table]
/// # struct Todo {
/// #     #[column(primary_key)] id: String,
/// #     text: String,
/// #     completed: bool,
/// #     due: Option<Timestamp>,
/// # }
/// # livestore::schema! { App { tables: [Todo] } }
/// # let store = Store::<App>::builder("todos").open()?;
/// let todos = store.query(sql!(App, "SELECT id, due FROM todo WHERE completed = ?", false))?;
/// for todo in &todos {
///     println!("{} is due {:?}", todo.id, todo.due);      // a `String`, an `Option<Timestamp>`
/// }
/// # Ok::<(), livestore::Error>(())
/// ```
///
/// # Input
///
/// | part | meaning |
/// |---|---|
/// | `crate = path;` | before everything else: the path of `livestore`, instead of `::livestore` |
/// | `App` | the schema |
/// | `as Line` | for a query: the type of a row; see below |
/// | `"SELECT …"` | one statement; several literals, one after the other, are its lines, and an error points at the line |
/// | values | one per `?`, or per number where the SQL has `?1`, `?2` … |
///
/// The syntax, the names of tables and columns, the number of values, their types and the types of the
/// result are checked against the schema's tables, whichever module or crate declares them. There is no
/// database file and nothing to set up.
///
/// # A query
///
/// A `SELECT` is a `Raw` query, like one made by `raw`. Pass it to `store.query`, `store.live` or
/// `state.query`, after `first()`, `one()` or `optional()` where it should return a single row. A live
/// query runs again when a column that it reads may have changed. It may read no clock: `date('now')`,
/// `unixepoch()`, `random()` and the like fail `store.live`, as nothing says when their result changes.
/// Bind the time, as in `WHERE due < ?`, and start the live query again when it is time, on a timer.
///
/// The functions are those that SQLite has on every platform, so without `soundex` and `sqrt`.
///
/// The type of a row stands behind the schema:
///
/// | input | a row is |
/// |---|---|
/// | `sql!(App, "…")` | a record made for the query, with one field per column; it is `Debug`, `Clone` and `PartialEq` if its fields are |
/// | `sql!(App as Line, "…")` | the struct `Line`, which has exactly these fields, and need not derive anything |
/// | `sql!(App as (String, u64), "…")` | a tuple |
///
/// ```
/// # use livestore::prelude::*;
/// # #[table]
/// # struct Todo { #[column(primary_key)] id: String, list: String, text: String }
/// # livestore::schema! { App { tables: [Todo] } }
/// # let store = Store::<App>::builder("todos").open()?;
/// struct Line {
///     list: String,
///     todos: u64,
/// }
/// let sizes: Vec<Line> =
///     store.query(sql!(App as Line, "SELECT list, count(*) AS todos FROM todo GROUP BY list"))?;
/// let (all,) = store.query(sql!(App as (u64,), "SELECT count(*) FROM todo").one())?;
/// # assert_eq!((sizes.len(), all), (0, 0));
/// # Ok::<(), livestore::Error>(())
/// ```
///
/// # A write
///
/// An `INSERT`, `UPDATE` or `DELETE` is for a materializer: `state.run(sql!(…))`. It may not call a
/// function that reads a clock or returns random values, and it returns no rows. A constant that its
/// column cannot hold does not compile: `NULL`, a number out of range, a text that is no variant.
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct Todo { #[column(primary_key)] id: String, list: String }
/// # livestore::schema! { App { tables: [Todo] } }
/// # fn materialize(state: &mut Writer<'_>, list: &str) -> Result<(), MaterializeError> {
/// state.run(sql!(App, "DELETE FROM todo WHERE list = ?", list))?;
/// # Ok(())
/// # }
/// ```
///
/// # Types
///
/// A column has the type of its field. It becomes an `Option` where an outer join may leave it out,
/// beside an aggregate without `GROUP BY`, and in a subquery that is a value. So does the row id.
///
/// | expression | type |
/// |---|---|
/// | a condition: `a < b`, `IN`, `LIKE`, `EXISTS`, `AND` … | `bool` |
/// | `count(…)` | `u64` |
/// | arithmetic, `sum`, `abs`: of integers / with real numbers | `i64` / `f64` |
/// | `avg`, `total`, `round` | `f64` |
/// | sums, differences and products of two real numbers, which may be infinite | `Option<f64>` |
/// | `length`, `instr`, `row_number()` … | `i64` |
/// | `\|\|`, `upper`, `substr`, `group_concat`, `json_object` … | `String` |
/// | `min`, `max`, `coalesce`, `CASE`, `UNION`, `nullif`, `lag` … | that of their arguments, if it is the same; otherwise `i64`, `f64`, `String` or `Vec<u8>`: `coalesce(level, -1)` is an `i64`, whatever integer `level` is |
/// | `CAST(… AS INTEGER)` | as it says |
///
/// An expression is an `Option` if one of its operands may be null, or if it may be null all the same, as
/// `unicode('')` and a division are. The type holds for every value, with one exception: the query fails if
/// arithmetic on integers leaves 64 bits. An expression without a type by these
/// rules, such as `value` of `json_each` or a sum over a type of your own, has the type of the tuple's
/// element or of the struct's field. For a record, the alias says it:
///
/// | alias | meaning |
/// |---|---|
/// | `AS "n: i64"` | `n` is an `i64` |
/// | `AS "n!"` | `n` is never null; the query fails if it is |
/// | `AS "n?"` | `n` may be null |
///
/// A value has the type of what its `?` is compared with or assigned to. In a comparison it is never an
/// `Option`, since nothing equals `NULL`; with `IS ?` it may be one.
///
/// A comparison that means nothing does not compile: a column beside a value of another storage class, such
/// as a `Timestamp` (milliseconds since 1970) beside a text, or beside the seconds of `unixepoch`; a text or a
/// number that is no variant of an enum; `<` and `>` beside an enum that is stored as text; `LIKE` beside
/// what is not a text; `= NULL`. So does a write of a value that the column cannot have, also as a result of
/// `CASE`, `iif` or `coalesce`.
///
/// # Without SQLite
///
/// The check is part of livestore's feature `checked-sql`, which is on by default. Without it, SQLite is
/// not compiled for the macros. All types are the same, but a wrong name fails only when the query runs.
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    livestore_macros_core::sql(input.into()).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn sql_in_schema(input: TokenStream) -> TokenStream {
    livestore_macros_core::sql_in_schema(input.into()).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn schema_macro(input: TokenStream) -> TokenStream {
    livestore_macros_core::schema_macro(input.into()).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn schema_part(input: TokenStream) -> TokenStream {
    livestore_macros_core::schema_part(input.into()).into()
}

/// serde's `Serialize`, for a crate that does not depend on serde itself: it takes the same attributes, and
/// implements the same trait.
///
/// Use serde's own derive for a `remote` type, for one with a `bound`, and where `livestore` goes by another
/// name.
///
/// ```
/// use livestore::prelude::*;
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(rename_all = "camelCase", tag = "kind")]
/// enum Filter { All, By { list: String } }
/// ```
#[proc_macro_derive(Serialize, attributes(serde))]
pub fn serialize(input: TokenStream) -> TokenStream {
    livestore_macros_core::serialize(input.into()).into()
}

/// serde's `Deserialize`, for a crate that does not depend on serde itself. See [`Serialize`].
#[proc_macro_derive(Deserialize, attributes(serde))]
pub fn deserialize(input: TokenStream) -> TokenStream {
    livestore_macros_core::deserialize(input.into()).into()
}

#[doc(hidden)]
#[proc_macro_derive(TableAfterCfg, attributes(column, __livestore_table))]
pub fn table_after_cfg(input: TokenStream) -> TokenStream {
    livestore_macros_core::table_after_cfg(package().as_ref(), input.into()).into()
}

#[doc(hidden)]
#[proc_macro_derive(ClientDocumentAfterCfg, attributes(serde, __livestore_client_document))]
pub fn client_document_after_cfg(input: TokenStream) -> TokenStream {
    livestore_macros_core::client_document_after_cfg(package().as_ref(), input.into()).into()
}
