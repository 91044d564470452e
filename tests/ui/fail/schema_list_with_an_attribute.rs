use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
}

livestore::schema! { App { tables: [#[cfg(unix)] Todo] } }

fn main() {}
