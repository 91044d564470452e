//! A change to a table is a change to every `sql!` over it, wherever that stands.

use crate::scratch::Scratch;

const APP: &str = "
    pub mod queries;
    pub mod tables;
    livestore::schema! { pub App { tables: [tables::Todo] } }
";

const TABLES: &str = "
    use livestore::prelude::*;
    #[table]
    #[derive(Debug)]
    pub struct Todo { #[column(primary_key)] pub id: String, pub text: String, pub done: bool }
";

const QUERIES: &str = "
    use livestore::prelude::*;
    pub fn open(store: &Store<crate::App>) -> livestore::Result<Vec<String>> {
        let open = store.query(sql!(crate::App, \"SELECT text FROM todo WHERE done = ?\", false))?;
        Ok(open.into_iter().map(|todo| todo.text).collect())
    }
";

#[test]
fn a_change_to_a_table_checks_its_sql_again() {
    let scratch = Scratch::new("recheck");
    scratch.write("src/lib.rs", APP);
    scratch.write("src/tables.rs", TABLES);
    scratch.write("src/queries.rs", QUERIES);
    scratch.accept();
    scratch.check("").passes_with("");

    scratch.edit("src/tables.rs", "pub text", "pub title");
    let renamed = scratch.check("");
    renamed.fails_with(&["error: no such column: text"]);
    assert!(renamed.text.contains("src/queries.rs:4"), "{}", renamed.text);

    scratch.edit("src/tables.rs", "pub title: String", "pub text: Option<String>");
    scratch.check("").fails_with(&["error[E0277]"]);

    scratch.edit("src/tables.rs", "Option<String>", "String");
    scratch.edit("src/tables.rs", "done: bool", "done: u8");
    let retyped = scratch.check("");
    assert!(!retyped.passed && retyped.text.contains("src/queries.rs:4"), "{}", retyped.text);

    scratch.edit("src/tables.rs", "done: u8", "done: bool");
    scratch.accept();
    scratch.check("").passes_with("");
}
