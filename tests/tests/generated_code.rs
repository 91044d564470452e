//! Generated code compiles without a warning, wherever the user's item stands and whatever names surround
//! it.

#![deny(missing_docs, warnings)]
#![deny(unused_qualifications, unused_lifetimes, trivial_casts, elided_lifetimes_in_paths)]
#![forbid(unsafe_code)]
#![deny(clippy::all, clippy::pedantic)]

/// Apps that get `livestore` through a crate of their own.
mod reexport {
    pub(crate) use livestore as ls;
}

mod through_another_path {
    use crate::reexport::ls::prelude::*;

    #[table(crate = crate::reexport::ls)]
    struct Todo {
        #[column(primary_key)]
        id: TodoId,
        #[column(default = Status::Open)]
        status: Status,
    }

    #[derive(ColumnType, Serialize, Deserialize, Clone)]
    #[column_type(crate = crate::reexport::ls)]
    struct TodoId(String);

    #[derive(ColumnType, Serialize, Deserialize, Clone)]
    #[column_type(crate = crate::reexport::ls)]
    enum Status {
        Open,
        Done,
    }

    #[derive(Row)]
    #[row(crate = crate::reexport::ls, from = Todo)]
    struct Listed {
        id: TodoId,
    }

    #[derive(Event)]
    #[event(crate = crate::reexport::ls)]
    enum TodoEvent {
        #[event(name = "v2.TodoCreated", upcast("v1.TodoCreated", with = from_v1))]
        Created { id: TodoId },
        #[event(name = "v1.TodoCompleted")]
        Completed { id: TodoId },
    }

    #[derive(Event)]
    #[event(crate = crate::reexport::ls, name = "v1.TodoCreated")]
    struct CreatedV1 {
        id: TodoId,
        place: Option<Place>,
    }

    #[derive(Serialize, Deserialize, Shape)]
    #[shape(crate = crate::reexport::ls)]
    struct Place {
        name: String,
    }

    fn from_v1(old: CreatedV1) -> Result<TodoEvent, &'static str> {
        match old.place {
            Some(place) if place.name.is_empty() => Err("a place needs a name"),
            _ => Ok(TodoEvent::Created { id: old.id }),
        }
    }

    impl Materialize for TodoEvent {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            match self {
                Self::Created { id } => {
                    state.insert(&Todo { id: id.clone(), status: Status::Open })
                }
                Self::Completed { id } => state
                    .run(Todo::update().set(Todo::STATUS, Status::Done).filter(Todo::ID.eq(id))),
            }
        }
    }

    #[client_document(crate = crate::reexport::ls)]
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct UiState {
        selected: Option<TodoId>,
    }

    crate::reexport::ls::schema! {
        crate = crate::reexport::ls;
        App { tables: [Todo], documents: [UiState], events: [TodoEvent] }
    }

    #[test]
    fn works() -> crate::reexport::ls::Result<()> {
        let store = Store::<App>::builder("todos").open()?;
        let id = || TodoId("a".into());
        store.commit([TodoEvent::Created { id: id() }, TodoEvent::Completed { id: id() }])?;
        store.commit(UiState::set().selected(Some(id())))?;
        let done = Todo::filter(Todo::STATUS.eq(Status::Done)).select_as::<Listed>();
        assert_eq!(store.query(done)?.first().map(|todo| todo.id.0.as_str()), Some("a"));
        assert!(store.query(UiState::get())?.selected.is_some());
        let done = crate::reexport::ls::sql!(
            crate = crate::reexport::ls;
            App, "SELECT id, count(*) AS n FROM todo WHERE status = ?", Status::Done
        );
        assert_eq!(store.query(done.one())?.n, 1);
        Ok(())
    }
}

mod among_users_own_types {
    use livestore::prelude::{ColumnType, Deserialize, Event, Materialize, Row, Serialize, Store};
    use livestore::prelude::{MaterializeError, Table, Writer, client_document, table};
    use livestore::table::{Compare as _, Narrow as _};

    #[derive(ColumnType, Serialize, Deserialize, Clone, Default)]
    struct String(std::string::String);

    #[derive(ColumnType, Serialize, Deserialize, Clone, Default)]
    struct Option(bool);

    #[derive(ColumnType, Serialize, Deserialize, Clone, Default)]
    enum Vec {
        #[default]
        Ok,
        Err,
        None,
        Some,
    }

    #[derive(Event)]
    enum Result {
        #[event(name = "v1.Ok")]
        Ok { string: String, option: Option, vec: Vec },
        #[event(name = "v1.Err")]
        Err { string: String },
    }

    #[table]
    struct Some {
        #[column(primary_key)]
        string: String,
        option: Option,
        #[column(default = Vec::Err)]
        vec: Vec,
    }

    #[derive(Row)]
    #[row(from = Some)]
    struct Box {
        vec: Vec,
    }

    impl Materialize for Result {
        fn materialize(&self, state: &mut Writer<'_>) -> std::result::Result<(), MaterializeError> {
            match self {
                Self::Ok { string, option, vec } => state.insert(&Some {
                    string: string.clone(),
                    option: option.clone(),
                    vec: vec.clone(),
                }),
                Self::Err { string } => state.run(Some::delete().filter(Some::STRING.eq(string))),
            }
        }
    }

    #[client_document]
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Unit {
        string: String,
        vec: Vec,
    }

    livestore::schema! { Ok { tables: [Some], documents: [Unit], events: [Result] } }

    #[test]
    fn works() -> livestore::Result<()> {
        let store = Store::<Ok>::builder("names").open()?;
        let string = || String("a".into());
        store.commit(Result::Ok { string: string(), option: Option(true), vec: Vec::None })?;
        let found = store.query(Some::all().select_as::<Box>())?;
        assert!(matches!(found.as_slice(), [Box { vec: Vec::None }]));
        store.commit(Result::Err { string: string() })?;
        store.commit(Unit::set_string())?;
        assert_eq!(store.query(Some::all().count())?, 0);
        let left = livestore::sql!(Ok, "SELECT string, vec FROM some WHERE vec <> ?", Vec::None);
        assert!(store.query(left)?.is_empty());
        let one = livestore::sql!(
            Ok as (u64, std::string::String),
            "SELECT count(*), 'a' || 'b' FROM unit"
        );
        assert_eq!(store.query(one)?.len(), 1);
        std::result::Result::Ok(())
    }

    impl Unit {
        fn set_string() -> UnitSet {
            UnitSet::from(Unit { string: String("b".into()), vec: Vec::Some }).vec(Vec::Ok)
        }
    }
}

/// Without even the standard prelude. (A client document needs it, for `#[diagnostic]`.)
#[no_implicit_prelude]
mod without_a_prelude {
    use ::livestore::prelude::{Deserialize, Serialize};
    use ::livestore::{ColumnType, Event, Row, schema, table};
    use ::std::clone::Clone;
    use ::std::option::Option;
    use ::std::string::String;

    #[table(index(kind, name))]
    pub(crate) struct Thing {
        #[column(primary_key)]
        name: Name,
        #[column(default = Kind::Small)]
        kind: Kind,
        #[column(references = Thing::NAME, on_delete = set_null)]
        part_of: Option<Name>,
    }

    #[derive(ColumnType, Serialize, Deserialize, Clone)]
    pub(crate) struct Name(String);

    #[derive(ColumnType, Serialize, Deserialize, Clone)]
    pub(crate) enum Kind {
        Small,
        Big,
    }

    #[derive(Row)]
    #[row(from = Thing)]
    pub(crate) struct Named {
        pub(crate) kind: Kind,
        #[row(expr = Thing::KIND)]
        pub(crate) size: Kind,
    }

    #[derive(Event)]
    pub(crate) enum ThingEvent {
        #[event(name = "v1.ThingMade")]
        Made { name: Name, kind: Kind },
        #[event(name = "v1.ThingLost")]
        Lost,
    }

    impl ::livestore::schema::Materialize for ThingEvent {
        fn materialize(
            &self,
            state: &mut ::livestore::table::Writer<'_>,
        ) -> ::std::result::Result<(), ::livestore::table::MaterializeError> {
            match self {
                Self::Made { name, kind } => state.insert(&Thing {
                    name: name.clone(),
                    kind: kind.clone(),
                    part_of: Option::None,
                }),
                Self::Lost => ::std::result::Result::Ok(()),
            }
        }
    }

    schema! { pub(crate) Things { tables: [Thing], events: [ThingEvent] } }

    pub(crate) fn small()
    -> impl ::livestore::schema::QueryIn<Things, Output = ::std::vec::Vec<(Name,)>> {
        let kind = Kind::Small;
        ::livestore::sql!(
            Things as (Name,),
            "SELECT name FROM thing WHERE kind = ? OR part_of IS ?",
            kind,
            Option::None
        )
    }

    pub(crate) fn made(kind: Kind) -> ThingEvent {
        ThingEvent::Made { name: Name(String::new()), kind }
    }
}

#[test]
fn without_a_prelude() -> livestore::Result<()> {
    use livestore::prelude::*;
    use without_a_prelude::{Kind, Named, Thing, ThingEvent, Things, made, small};

    let store = Store::<Things>::builder("things").open()?;
    store.commit((made(Kind::Big), ThingEvent::Lost))?;
    let named = store.query(Thing::all().select_as::<Named>().one())?;
    assert!(matches!(named, Named { kind: Kind::Big, size: Kind::Big }));
    assert_eq!(store.query(small())?.len(), 1);
    Ok(())
}

/// Items of every visibility, documented or not, in modules.
pub mod models {
    use livestore::prelude::*;

    /// Names that generated code uses, too.
    #[table(name = "select", index(row, value), unique(name = "by\"args", columns(args)))]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Select {
        /// A documented column.
        #[column(primary_key)]
        pub r#type: String,
        pub(crate) row: i64,
        #[column(name = "the value")]
        value: i64,
        pub(super) args: Option<String>,
        #[deprecated = "to see that generated code may use it"]
        state: bool,
        r#struct: Inner,
    }

    /// Private in its module, but the type of a public table's column.
    #[derive(ColumnType, Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
    enum Inner {
        #[serde(rename = "one \"1\"")]
        One,
    }

    /// Generic events.
    #[derive(Event, Debug, Clone, PartialEq)]
    #[event(name = "v1.Generic")]
    pub struct Generic<T: Clone, const N: usize>
    where
        T: PartialEq,
    {
        /// Everything goes to JSON and back.
        pub items: Vec<T>,
        /// A raw name.
        pub r#match: Option<T>,
    }

    /// Variants of every kind.
    #[derive(Event, Debug, Clone, PartialEq)]
    #[serde(rename_all = "camelCase")]
    pub enum Args<T> {
        /// A raw name.
        #[event(name = "v1.Put")]
        #[expect(non_camel_case_types, reason = "a raw name")]
        r#type {
            /// Named like a parameter of generated functions.
            args: String,
            /// So is this.
            name: i64,
            /// And this, by its key in the JSON.
            #[serde(rename = "self")]
            __f0: T,
        },
        /// No args.
        #[event(name = "v1.Unit", client_only)]
        Unit,
        /// No args either.
        #[event(name = "v1.Empty", deprecated = "say `Unit`")]
        Empty {},
        /// Args of another type.
        #[event(name = "v1.Whole")]
        Whole(Json<Whole>),
    }

    /// A private field.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Whole {
        inner: u8,
    }

    impl<T: Clone + PartialEq, const N: usize> Materialize for Generic<T, N>
    where
        T: Serialize + serde::de::DeserializeOwned,
    {
        fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
            Ok(())
        }
    }

    impl Materialize for Args<bool> {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            match self {
                Self::r#type { args, name, __f0: _ } => state.insert(&Select::new(args, *name)),
                Self::Unit | Self::Empty {} | Self::Whole(_) => Ok(()),
            }
        }
    }

    impl Select {
        #[expect(deprecated, reason = "a field is")]
        fn new(r#type: &str, row: i64) -> Self {
            let (value, args, state, r#struct) = (0, None, false, Inner::One);
            Self { r#type: r#type.into(), row, value, args, state, r#struct }
        }
    }

    /// A document whose fields have every visibility.
    #[client_document(name = "ui \"state\"")]
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    pub struct Ui {
        /// Raw.
        pub r#fn: String,
        pub(crate) value: Option<u8>,
        document: Whole,
    }

    /// A query's result.
    #[derive(Row, Debug)]
    #[row(from = (Select, Maybe<super::Empty>))]
    pub struct Out {
        /// From the first table.
        pub r#type: String,
        #[row(expr = count())]
        row: u64,
    }

    impl Out {
        /// The number of rows.
        #[must_use]
        pub fn rows(&self) -> u64 {
            self.row
        }
    }

    livestore::schema! {
        #[doc(alias = "app")]
        pub App {
            tables: [Select, super::Empty],
            documents: [Ui],
            events: [Generic<u8, 3>, Args<bool>],
        }
    }
}

/// A table with one column.
#[livestore::table]
pub struct Empty {
    #[column(primary_key)]
    id: i64,
}

#[test]
fn names_and_visibilities() -> livestore::Result<()> {
    use livestore::prelude::*;
    use models::{App, Args, Generic, Select, Ui, Whole};

    let store = Store::<App>::builder("models").open()?;
    let put = |args: &str, name| Args::r#type { args: args.into(), name, __f0: true };
    store.commit([
        put("a", 1),
        Args::Unit,
        Args::Empty {},
        Args::Whole(Whole::default().into()),
    ])?;
    store.commit(Generic::<u8, 3> { items: vec![1, 2], r#match: None })?;
    store.commit(Ui::set().r#fn("main").value(Some(1)))?;
    assert_eq!(store.query(Select::get("a"))?.map(|found| found.row), Some(1));
    assert_eq!(store.query(Select::filter(Select::ARGS.is_null()).count())?, 1);
    assert_eq!(store.query(Empty::filter(Empty::ID.gt(0)).count())?, 0);
    assert_eq!(store.query(Ui::get())?.r#fn, "main");
    let args: Vec<_> = store.events().into_iter().map(|event| event.unwrap().args).collect();
    assert_eq!(args[0], r#"{"args":"a","name":1,"self":true}"#);
    assert_eq!(args[4], r#"{"items":[1,2],"match":null}"#);
    Ok(())
}
