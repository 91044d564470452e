use livestore::prelude::*;

#[table]
struct User {
    #[column(primary_key)]
    id: String,
    age: u8,
}

schema! {
    pub App {
        tables: [User],
    }
}

fn create(store: &Store<App>) -> Result<(), CommitError> {
    store.commit(User { id: new_id(), age: 30 })?;
    Ok(())
}

fn main() {}
