//! Tokens that reach our macros through other macros, parentheses or `cfg_attr` mean what they mean when
//! they are typed by hand.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![allow(unused_parens, reason = "that is what is tested")]

use livestore::event::Event as _;
use livestore::prelude::*;

/// Declares everything that is tested, with types, names and values as fragments.
macro_rules! app {
    (
        $table:ident $table_name:literal { $key:ident: $key_ty:ty, $note:ident: $note_ty:ty = $default:expr }
        $event:ident $event_name:literal { $arg:ident: $arg_ty:ty }
        $schema:ident [$listed:ty, $document:path]
    ) => {
        #[table(name = $table_name)]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $table {
            #[column(primary_key)]
            pub $key: $key_ty,
            #[column(references = User::ID, on_delete = set_null)]
            pub owner: ($note_ty),
            #[column(default = $default, check = "length(note) > 0")]
            pub $note: $note_ty,
        }

        #[derive(Event, Debug, Clone, PartialEq)]
        #[event(name = $event_name)]
        pub struct $event {
            pub $arg: $arg_ty,
            pub twice: Option<$arg_ty>,
        }

        livestore::schema! { pub $schema { tables: [User, $listed], documents: [$document], events: [$event] } }
    };
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    #[column(primary_key)]
    pub id: String,
}

#[client_document]
#[cfg_attr(all(), derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize))]
#[cfg_attr(all(), serde(rename_all = "camelCase"))]
pub struct Ui {
    #[cfg_attr(all(), serde(rename = "t"))]
    pub new_text: String,
    #[cfg_attr(any(), serde(rename = "never"))]
    pub zoom_level: u8,
}

app! {
    Task "tasks" { id: u64, note: Option<String> = Some("none".into()) }
    Noted "v1.Noted" { note: Option<String> }
    App [Task, self::Ui]
}

impl Materialize for Noted {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.run(sql!(App, "INSERT INTO tasks (id) VALUES (?)", 1))
    }
}

#[test]
fn a_fragment_is_as_if_typed_by_hand() {
    let store = Store::<App>::builder("s").open().unwrap();
    store.commit(Noted { note: None, twice: Some(None) }).unwrap();
    let task = Task { id: 1, owner: None, note: Some("none".into()) };
    assert_eq!(store.query(Task::all()).unwrap(), [task]);
    let noted = store.events().into_iter().next().unwrap().unwrap();
    assert_eq!(noted.args, r#"{"note":null,"twice":null}"#);
    assert_eq!(noted.decode(), Ok(Noted { note: None, twice: Some(None) }));
    let shape =
        "= event\nnote: Option<String> (optional)\ntwice: Option<Option<String>> (optional)";
    assert_eq!(Noted::DEFS[0].shape(), shape);
}

#[test]
fn a_documents_keys_are_serdes() {
    let store = Store::<App>::builder("s").open().unwrap();
    store.commit(Ui::set().new_text("x").zoom_level(2)).unwrap();
    let set = store.events().into_iter().next().unwrap().unwrap();
    assert_eq!(set.args, r#"{"id":"static","value":{"t":"x","zoomLevel":2}}"#);
    assert_eq!(store.query(Ui::get()).unwrap(), Ui { new_text: "x".into(), zoom_level: 2 });
}

mod configured {
    use super::*;

    #[table(index(r#type))]
    #[derive(Debug, Clone, PartialEq)]
    pub(crate) struct Todo {
        #[cfg_attr(all(), column(primary_key))]
        pub(crate) id: (core::primitive::u8),
        /// The kind of todo.
        #[cfg_attr(all(), doc = concat!("and ", "more"), column(name = "kind", default = "x"))]
        #[cfg_attr(any(), column(unknown))]
        pub(crate) r#type: String,
    }

    livestore::schema! { pub(crate) Configured { tables: [Todo] } }

    #[test]
    fn cfg_attr_is_honoured() {
        let store = Store::<Configured>::builder("s").open().unwrap();
        let rows = store.query(sql!(Configured, "SELECT kind FROM todo WHERE kind = ?", "x"));
        assert!(rows.unwrap().is_empty());
        assert_eq!(store.query(Todo::filter(Todo::TYPE.eq("x")).count()).unwrap(), 0);
        assert!(store.query(Todo::get(1)).unwrap().is_none());
    }
}
