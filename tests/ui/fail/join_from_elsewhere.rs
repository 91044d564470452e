use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
    done: bool,
    owner: String,
    due: Option<Timestamp>,
}

#[table]
struct User {
    #[column(primary_key)]
    id: String,
    age: u8,
}

#[table]
struct Tag {
    #[column(primary_key)]
    owner: String,
}

fn main() {
    let _ = Todo::all().join(Tag::OWNER.on(User::ID));
}
