use livestore::prelude::*;

#[table]
struct List {
    #[column(primary_key)]
    id: String,
    #[column(index)]
    item_owner: String,
}

#[table]
struct ListItem {
    #[column(primary_key)]
    id: String,
    #[column(index)]
    owner: String,
}

livestore::schema! { App { tables: [List, ListItem] } }

fn main() {}
