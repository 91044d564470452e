use livestore::prelude::*;

#[table]
struct Issue {
    #[column(primary_key)]
    id: String,
}

#[table]
struct Comment {
    #[column(primary_key)]
    id: String,
    issue: String,
}

#[table]
struct Person {
    #[column(primary_key)]
    id: String,
}

fn main() {
    let _ = Issue::all().nest(Issue::ID.on(Comment::ISSUE), Person::all());
}
