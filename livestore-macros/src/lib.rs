//! The macros of LiveStore. Use them through `livestore`, which re-exports them all.
//!
//! | macro | declares |
//! |---|---|
//! | [`#[table]`](macro@table) | a table: one column per field |
//! | [`#[derive(Event)]`](macro@Event) | events: one per variant, or one struct |
//! | [`#[derive(ColumnType)]`](macro@ColumnType) | a type that can be stored in a column |
//! | [`#[derive(Row)]`](macro@Row) | a struct that a query returns |
//! | [`#[client_document]`](macro@client_document) | a client document: the UI state of a window |
//! | [`#[derive(Shape)]`](macro@Shape) | a type in an event's field, for the schema lock |
//! | [`schema!`](macro@schema) | a schema: all of the above that make up an app |
//! | [`sql!`](macro@sql) | a query or a write in SQL, checked while compiling |
//!
//! This crate only forwards tokens; the work is done in `livestore-macros-core`.

use livestore_macros_core::lock::{self, Package};
use proc_macro::{Span, TokenStream};
use proc_macro2::TokenStream as Tokens;

/// Declares a table: the struct is a row, each field is a column.
///
/// The struct stays as it is. Beside it come a constant per field (`Todo::CREATED_AT` for
/// `created_at`), as visible as the field, from which queries are built, and the implementations of
/// `Table` and `Row`.
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct Author { #[column(primary_key)] id: String }
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
/// let open = Todo::filter(Todo::COMPLETED.eq(false)).order_by(Todo::CREATED_AT.desc());
/// ```
///
/// Keys of `#[table(..)]`:
///
/// | key | meaning |
/// |---|---|
/// | `name = "todos"` | the table's name; else the struct's in `snake_case` |
/// | `primary_key(a, b)` | a composite primary key, in this order |
/// | `index(a, b)` | an index over these fields, named `{table}_{a}_{b}` |
/// | `unique(a, b)` | a unique index, named `{table}_{a}_{b}_unique` |
/// | `index(name = "by_x", columns(a, b))` | an index with a name of its own; `unique` likewise |
/// | `check = "sql"`, `check("sql")` | a condition that every row meets; repeatable |
/// | `crate = path` | where `livestore` is found |
///
/// Keys of `#[column(..)]`:
///
/// | key | meaning |
/// |---|---|
/// | `primary_key` | the column is the primary key, or part of it |
/// | `name = "col"` | the column's name; else the field's |
/// | `default = value` | the value of rows that do not give one; any Rust expression |
/// | `index`, `index = "name"` | an index over this column, named `{table}_{col}` |
/// | `unique`, `unique = "name"` | a unique index, named `{table}_{col}_unique` |
/// | `check = "sql"` | a condition that every row meets |
/// | `references = Table::COLUMN` | a foreign key |
/// | `on_delete = cascade` | with `references`: `cascade`, `set_null` or `restrict` |
#[proc_macro_attribute]
pub fn table(attr: TokenStream, item: TokenStream) -> TokenStream {
    let locked = locked(|package| lock::table(package, attr.clone().into(), item.clone().into()));
    with(livestore_macros_core::table(attr.into(), item.into()), locked)
}

/// Declares a client document: UI state that is client-only, last write wins, and by default there
/// is one for every window.
///
/// The struct stays as it is; it must be `Clone`, `Default`, `Serialize` and `Deserialize`, and so
/// its fields. Beside it comes the event that sets some of its fields, `UiStateSet` for `UiState`.
/// A setter is as visible as its field.
///
/// ```
/// # use livestore::prelude::*;
/// # #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
/// # pub enum Filter { #[default] All, Active }
/// #[client_document]
/// #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
/// pub struct UiState {
///     pub new_todo_text: String,
///     pub filter: Filter,
/// }
///
/// # livestore::schema! { App { documents: [UiState] } }
/// # let store = Store::<App>::builder("todos").open()?;
/// store.commit(UiState::set().filter(Filter::Active))?;
/// assert_eq!(store.query(UiState::get())?.filter, Filter::Active);
/// # Ok::<(), livestore::Error>(())
/// ```
///
/// Keys of `#[client_document(..)]`:
///
/// | key | meaning |
/// |---|---|
/// | `name = "UiState"` | the document's name, from which the event's is made; else the struct's |
/// | `id = "settings"` | one document of this id; else one for every window |
/// | `crate = path` | where `livestore` is found |
///
/// Of serde's attributes `rename_all` on the struct and `rename` on a field decide the JSON's keys;
/// `default`, `alias` and `skip_serializing_if` may be there too. Those that give a field another
/// form (`with`, `flatten`, `skip` …) are refused, since each field can be set on its own.
#[proc_macro_attribute]
pub fn client_document(attr: TokenStream, item: TokenStream) -> TokenStream {
    let locked =
        locked(|package| lock::client_document(package, attr.clone().into(), item.clone().into()));
    with(livestore_macros_core::client_document(attr.into(), item.into()), locked)
}

/// Declares events: each variant of an enum is one, or the whole struct.
///
/// The name is what the eventlog holds, forever. The fields are the event's args: a JSON object
/// with one key per field, or for a newtype the JSON of what it wraps.
///
/// ```
/// # use livestore::prelude::*;
/// # #[derive(Debug, Clone, Serialize, Deserialize)] pub struct Import { todos: Vec<String> }
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
/// Keys of `#[event(..)]`, on a variant or a struct:
///
/// | key | meaning |
/// |---|---|
/// | `name = "v1.TodoCreated"` | the event's name; required |
/// | `client_only` | the event is never synced |
/// | `upcast("v1.TodoCreated", with = from_v1)` | events of that name are read as this one; repeatable |
/// | `deprecated`, `deprecated = "reason"` | the event can be read, but should not be committed |
/// | `crate = path` | on the type: where `livestore` is found |
///
/// An event whose args have to change gets a new name, and reads the old one: the old event stays, as
/// a type that is in no schema, and a pure function makes a new event of it, or a `Result` of one. What
/// the log holds is never changed. The old event may have an upcaster of its own: so a chain grows.
///
/// ```
/// # use livestore::prelude::*;
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
///
/// Keys of `#[serde(..)]` that have their usual meaning:
///
/// | key | on |
/// |---|---|
/// | `rename_all = "camelCase"` | the type or a variant: how the fields are written |
/// | `rename_all_fields = "camelCase"` | an enum: the same as `rename_all` on it |
/// | `rename = "key"` | a field |
/// | `default`, `default = "path"` | a field |
/// | `with`, `serialize_with`, `deserialize_with` | a field |
/// | `skip_serializing_if = "path"` | a field |
#[proc_macro_derive(Event, attributes(event, serde))]
pub fn event(input: TokenStream) -> TokenStream {
    let locked = locked(|package| lock::event(package, input.clone().into()));
    with(livestore_macros_core::event(input.into()), locked)
}

/// Makes a type storable in a column: an enum without fields as text, a newtype as what it wraps.
///
/// ```
/// # use livestore::prelude::*;
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
/// ```
///
/// Keys of `#[column_type(..)]`:
///
/// | key | on | meaning |
/// |---|---|---|
/// | `rename_all = "snake_case"` | an enum | how the variants are written |
/// | `rename = "text"` | a variant | what it is stored as |
/// | `crate = path` | the type | where `livestore` is found |
///
/// Where these are missing, serde's `rename_all` and `rename` count, so that SQL and JSON agree;
/// without either, a variant is stored under its own name.
#[proc_macro_derive(ColumnType, attributes(column_type, serde))]
pub fn column_type(input: TokenStream) -> TokenStream {
    livestore_macros_core::column_type(input.into()).into()
}

/// Makes a struct out of a query's result: each field is read from one result column.
///
/// With `from` the struct also says what to select, so a query can end in it. Without, it is for
/// raw SQL.
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct User { #[column(primary_key)] id: String, name: String }
/// # #[table] struct Todo { #[column(primary_key)] id: String, owner: Option<String> }
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
/// Keys of `#[row(..)]`:
///
/// | key | on | meaning |
/// |---|---|---|
/// | `from = Todo`, `from = (Todo, User)` | the struct | what is selected from |
/// | `expr = User::NAME` | a field | what is selected; else the first table's column of the field's name |
/// | `name = "col"` | a field | the result column's name; else the field's |
/// | `crate = path` | the struct | where `livestore` is found |
#[proc_macro_derive(Row, attributes(row))]
pub fn row(input: TokenStream) -> TokenStream {
    livestore_macros_core::row(input.into()).into()
}

/// Declares a schema: the tables, client documents and events of an app.
///
/// The schema is a type of its own: a `Store<App>` takes the events of `App`, others do not compile
/// in `commit`. That two events, or two tables, have the same name is an error.
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
/// | part | meaning |
/// |---|---|
/// | `crate = path;` | before everything else: where `livestore` is found |
/// | `tables: [..]` | types with `#[table]`, by a name that their macro has, too: no `type` alias |
/// | `documents: [..]` | types with `#[client_document]`; their events come along |
/// | `events: [..]` | types that derive `Event` and implement `Materialize` |
///
/// Each list may be left out; the order is free.
#[proc_macro]
pub fn schema(input: TokenStream) -> TokenStream {
    let locked = locked(|package| lock::schema(package, input.clone().into()));
    with(livestore_macros_core::schema(input.into()), locked)
}

/// Records a type that events hold in their fields, so that the schema lock sees when it changes. It is
/// for serde's types: it makes no code, and reads serde's attributes.
///
/// ```
/// # use livestore::prelude::*;
/// #[derive(Serialize, Deserialize, Shape)]
/// #[serde(rename_all = "camelCase")]
/// pub struct FileChange { kind: ChangeKind, path: String }
///
/// #[derive(Serialize, Deserialize, Shape)]
/// pub enum ChangeKind { Added, Deleted }
/// ```
///
/// Keys of `#[shape(..)]`:
///
/// | key | meaning |
/// |---|---|
/// | `name = "FileChange"` | the type's name in the lock, where two have the same; else the type's |
/// | `crate = path` | where `livestore` is found |
#[proc_macro_derive(Shape, attributes(shape, serde))]
pub fn shape(input: TokenStream) -> TokenStream {
    let locked = locked(|package| lock::shape(package, input.clone().into()));
    with(livestore_macros_core::shape(input.into()), locked)
}

/// What the other macros do beside making code, where it is no test that is compiled.
#[doc(hidden)]
#[proc_macro]
pub fn schema_lock(input: TokenStream) -> TokenStream {
    lock::effect(input.into()).into()
}

/// What the schema lock has to say, where there is one.
fn locked(say: impl FnOnce(&Package) -> Tokens) -> Tokens {
    let file = Span::call_site().local_file();
    Package::of_cargo(file.as_deref()).map(|package| say(&package)).unwrap_or_default()
}

fn with(code: Tokens, locked: Tokens) -> TokenStream {
    Tokens::from_iter([code, locked]).into()
}

/// A query or a write in SQL, checked by SQLite while compiling.
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
/// The schema goes first, then the SQL, then a value for each `?` (or `?1`, `?2` …). Syntax, names of
/// tables and columns, the number of values and their types, and the types of the result are
/// checked against the schema's tables as they are declared, in whatever module or crate; there is
/// no database file and no set-up. Instead of one literal there can be several, one after the
/// other, as lines; an error then points at the line.
///
/// # A query
///
/// A `SELECT` is a `Raw` query, as `raw` makes it: it goes
/// to `store.query`, `store.live` and `state.query`, with `first()`, `one()` or `optional()` behind it.
/// A live one runs again when a column that it reads may have changed.
///
/// What a row becomes stands behind the schema:
///
/// | | a row is |
/// |---|---|
/// | `sql!(App, "…")` | a record made for the query: a field per column, `Debug`, `Clone` and `PartialEq` if its fields are |
/// | `sql!(App as Line, "…")` | the struct `Line`, any with just these fields; nothing has to be derived |
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
/// function that reads a clock or is random.
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
/// beside an aggregate without `GROUP BY`, and in a subquery that is a value.
///
/// | expression | type |
/// |---|---|
/// | a condition: `a < b`, `IN`, `LIKE`, `EXISTS`, `AND` … | `bool` |
/// | `count(…)` | `u64` |
/// | arithmetic, `sum`, `abs`: of integers / with real numbers | `i64` / `f64` |
/// | `avg`, `total`, `round` | `f64` |
/// | `length`, `instr`, `row_number()` … | `i64` |
/// | `\|\|`, `upper`, `substr`, `group_concat`, `json_object` … | `String` |
/// | `min`, `max`, `coalesce`, `CASE`, `nullif`, `lag` … | that of their arguments |
/// | `CAST(… AS INTEGER)` | as it says |
///
/// An expression is an `Option` if what it is made of may be null. What has no type by these rules,
/// such as `value` of `json_each` or a sum of a type of your own, has the type of the tuple's element
/// or the struct's field; for a record an alias says it:
///
/// | alias | |
/// |---|---|
/// | `AS "n: i64"` | `n` is an `i64` |
/// | `AS "n!"` | `n` is never null; if it is all the same, the query fails |
/// | `AS "n?"` | `n` may be null |
///
/// A value has the type of what its `?` is compared with or assigned to. In a comparison that is
/// never an `Option`, since nothing is equal to `NULL`; `IS ?` takes one.
///
/// # Without SQLite
///
/// The check is livestore's feature `checked-sql`, on by default. Without it no SQLite is compiled for
/// the macros; all types are the same, but a name that is wrong fails when the query runs.
///
/// If livestore is found elsewhere, that goes before everything else: `sql!(crate = path; App, "…")`.
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
