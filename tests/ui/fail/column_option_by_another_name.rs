use livestore::prelude::*;

type Maybe<T> = Option<T>;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    due: Maybe<Timestamp>,
}

livestore::schema! { App { tables: [Todo] } }

fn main() {}
